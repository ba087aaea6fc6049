package dev.guardedby.circuitbreaker;

import java.time.Instant;
import java.util.Map;

/**
 * A change of a breaker's state, with its evidence.
 *
 * @param breaker the breaker that moved; by the time a listener is told, it may have moved on
 * @param from the state that ended
 * @param to the state that began
 * @param cause why
 * @param at when, by the wall clock, for people to read
 * @param evidence what the ended period had seen
 */
public record Transition(
        CircuitBreaker breaker, CircuitState from, CircuitState to, Cause cause, Instant at, Evidence evidence) {

    /** Why a breaker changed its state. */
    public enum Cause {
        /** {@code failure-threshold} consecutive failures. */
        FAILURES,
        /** One failure that {@code trip-exceptions} or a {@code tripIf} rule takes as proof. */
        TRIP,
        /** The wait in OPEN is over. */
        WAIT_OVER,
        /** Enough probes succeeded. */
        PROBES_SUCCEEDED,
        /** Enough probes failed that {@code successes-to-close} can no longer be reached. */
        PROBES_FAILED,
        /** {@link CircuitBreaker#forceOpen()}. */
        FORCE_OPEN,
        /** {@link CircuitBreaker#holdOpen()}. */
        HOLD_OPEN,
        /** {@link CircuitBreaker#forceClose()}. */
        FORCE_CLOSE,
        /** {@link CircuitBreaker#reset()}. */
        RESET,
        /** {@link CircuitBreaker#mode(Mode)} switched the breaker off while it was not closed. */
        MODE
    }

    /**
     * What the ended period had seen.
     *
     * @param rule the rule that decided, in words and with its threshold; empty where an operator or the time did
     * @param failures the failures that the rule counted: consecutive ones in CLOSED, failed probes in HALF_OPEN
     * @param topFailures class names of the exceptions that failed most often in the period, most frequent first, at most
     *     five; never their messages, which may hold secrets. While calls run in other threads a count may lag behind
     */
    public record Evidence(String rule, long failures, Map<String, Long> topFailures) {
        static final Evidence NONE = new Evidence("", 0, Map.of());
    }
}
