package dev.guardedby.circuitbreaker;

/** How far a breaker acts on what it computes. */
public enum Mode {
    /** Calls are refused as the state demands: the default. */
    ENFORCE,
    /**
     * A dry run: the state moves and is published as in {@link #ENFORCE}, but nothing is refused. A call that would have
     * been refused runs, and counts in the totals and in {@link CircuitBreakerStats#wouldReject()}.
     */
    OBSERVE,
    /** Nothing is enforced and the state is {@link CircuitState#CLOSED}; totals and costs are still counted. */
    DISABLED
}
