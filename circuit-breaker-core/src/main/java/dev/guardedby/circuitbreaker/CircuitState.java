package dev.guardedby.circuitbreaker;

/** Whether a breaker lets calls pass. */
public enum CircuitState {
    /** Calls pass; failures are counted. */
    CLOSED,
    /** Calls are refused at once until the wait is over. */
    OPEN,
    /** A few probes pass, to find out whether the remote has recovered; everybody else is refused. */
    HALF_OPEN
}
