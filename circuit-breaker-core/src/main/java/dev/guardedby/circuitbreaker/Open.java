package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import org.jspecify.annotations.Nullable;

/** Calls are refused until the wait is over. */
final class Open extends State {
    /** A wait that no time ends. */
    static final long HELD = -1;

    private final long waitNanos;

    Open(Period period, Mode mode, long streak, long waitNanos) {
        super(period, mode, streak, false);
        this.waitNanos = waitNanos;
    }

    boolean isHeld() {
        return waitNanos == HELD;
    }

    @Override
    CircuitState circuitState() {
        return CircuitState.OPEN;
    }

    @Override
    State look(Engine engine, long now) {
        // By difference: the ticker may be negative, wrap, or step back a little.
        if (isHeld() || now - period.startedAt < waitNanos) {
            return this;
        }
        Decision decision = Decision.of(Cause.WAIT_OVER, "recovery-timeout", 0, 0);
        Period next = period.successor(
                engine, CircuitState.OPEN, CircuitState.HALF_OPEN, decision, period.failedRecoveries, now);
        return HalfOpen.fresh(next, mode, streak, engine.settings);
    }

    @Override
    boolean isForgettable(long uncalled, long memory, long now) {
        return !isHeld() && uncalled >= memory && now - period.startedAt - waitNanos >= memory;
    }

    @Override
    @Nullable State admit(boolean manual, long now) {
        return null;
    }

    @Override
    boolean isMovedBy(Result result, Settings settings) {
        return false;
    }

    @Override
    State report(Engine engine, Result result) {
        throw new IllegalStateException("an open breaker admits nothing");
    }

    @Override
    State reportManual(Engine engine, Result result) {
        // The deadline stays: what still comes in says nothing about the remote after the wait.
        long next = streakAfter(result.verdict());
        return next == streak ? this : new Open(period, mode, next, waitNanos);
    }

    @Override
    State with(Mode newMode) {
        return new Open(period, newMode, streak, waitNanos);
    }

    @Override
    Reason reason() {
        return isHeld() ? Reason.HELD_OPEN : Reason.OPEN;
    }

    @Override
    long retryNanos(long now) {
        return isHeld() ? -1 : waitNanos - (now - period.startedAt);
    }
}
