package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
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
    State look(Engine engine, long now) {
        return this;
    }

    @Override
    State admit(boolean manual, long now) {
        return this;
    }

    @Override
    State report(Engine engine, @Nullable Slot slot, Verdict verdict) {
        long next = streakAfter(verdict);
        if (verdict.isFailure() && mode != Mode.DISABLED) {
            int threshold = engine.settings.failureThreshold;
            if (verdict == Verdict.TRIP) {
                return open(engine, Cause.TRIP, "trip-if", 1, next, engine.now());
            }
            if (next >= threshold) {
                return open(engine, Cause.FAILURES, "failure-threshold " + threshold, next, next, engine.now());
            }
        }
        return next == streak ? this : new Closed(period, mode, next);
    }

    @Override
    State reportManual(Engine engine, Verdict verdict) {
        return report(engine, null, verdict);
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
