package dev.guardedby.circuitbreaker;

/**
 * A place for one probe, leased: its identity is the right to decide.
 *
 * @see HalfOpen
 */
final class Slot {
    final long leasedAt;
    /** Taken by {@link CircuitBreaker#canExecute()}, so that no permit knows it. */
    final boolean manual;

    Slot(long leasedAt, boolean manual) {
        this.leasedAt = leasedAt;
        this.manual = manual;
    }
}
