package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import org.jspecify.annotations.Nullable;

/** Calls pass, and each failure decides whether to trip. */
final class Closed extends State {
    Closed(Period period, Mode mode, long streak) {
        super(period, mode, streak);
    }

    @Override
    CircuitState circuitState() {
        return CircuitState.CLOSED;
    }

    @Override
    State look(CircuitBreaker breaker, long now) {
        return this;
    }

    @Override
    State admit(boolean manual, long now) {
        return this;
    }

    @Override
    State report(CircuitBreaker breaker, @Nullable Slot slot, Verdict verdict) {
        long next = streakAfter(verdict);
        if (verdict.isFailure() && mode != Mode.DISABLED) {
            int threshold = breaker.settings().failureThreshold;
            if (verdict == Verdict.TRIP) {
                return open(breaker, Cause.TRIP, "trip-if", 1, next, breaker.now());
            }
            if (next >= threshold) {
                return open(breaker, Cause.FAILURES, "failure-threshold " + threshold, next, next, breaker.now());
            }
        }
        return next == streak ? this : new Closed(period, mode, next);
    }

    @Override
    State reportManual(CircuitBreaker breaker, Verdict verdict) {
        return report(breaker, null, verdict);
    }

    @Override
    State with(Mode newMode) {
        return new Closed(period, newMode, streak);
    }

    @Override
    Reason reason() {
        throw new IllegalStateException("a closed breaker refuses nothing");
    }

    @Override
    long retryNanos(long now) {
        return -1;
    }
}
