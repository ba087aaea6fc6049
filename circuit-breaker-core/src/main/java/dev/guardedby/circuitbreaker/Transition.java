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

    /** What became of the breaker and why, in words, such as {@code open after 3 consecutive failures}. */
    public String message() {
        return new Decision(cause, evidence.rule, evidence.calls, evidence.failures, evidence.slow, evidence.hung)
                .inWords();
    }

    /** Why a breaker changed its state. */
    public enum Cause {
        /** {@code failure-threshold} consecutive failures. */
        FAILURES,
        /** A {@code failure-rate-threshold} of failures in the window. */
        FAILURE_RATE,
        /** A {@code slow-call-rate-threshold} of slow calls in the window, hung ones included. */
        SLOW_CALL_RATE,
        /** One failure that {@code trip-exceptions}, a {@code tripIf} rule or {@code trip-on} takes as proof. */
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
     * @param calls the calls that the rule counted: the window, the consecutive failures, or the probes that reported
     * @param failures how many of them failed
     * @param slow how many of them were slow
     * @param hung calls that were still running and had been for {@code slow-call-duration}
     * @param topFailures class names of the exceptions that failed most often in the period, most frequent first, at most
     *     five; never their messages, which may hold secrets. While calls run in other threads a count may lag behind
     */
    public record Evidence(
            String rule, long calls, long failures, long slow, long hung, Map<String, Long> topFailures) {
        /** Failures among the calls, in percent; 0 without calls. */
        public double failureRate() {
            return percent(failures, calls);
        }

        /** Slow calls and hung ones among those that ended and those that hang, in percent; 0 without calls. */
        public double slowCallRate() {
            return percent(slow + hung, calls + hung);
        }

        private static double percent(long part, long whole) {
            return whole == 0 ? 0 : 100.0 * part / whole;
        }
    }
}
