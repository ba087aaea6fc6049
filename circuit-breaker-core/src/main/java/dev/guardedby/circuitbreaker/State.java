package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import org.jspecify.annotations.Nullable;

/**
 * What a breaker is at one instant: an immutable value.
 *
 * <p>A breaker is one volatile reference to its State. Each operation asks the State it has seen for the one that should
 * follow, puts that in place by a single compare-and-set, and starts over when somebody else was faster. So there is no
 * lock, no half-made change can be seen, and the time, an admission and a transition take effect together or not at all:
 * the caller that finds the wait over moves the breaker to HALF_OPEN and takes the probe in one step.
 *
 * <p>The methods are functions of their arguments: they change nothing and may be asked as often as needed, which is how
 * monitoring looks ahead without moving anything. A method that answers this same object says "nothing changes".
 */
abstract sealed class State permits Closed, Open, HalfOpen {
    final Period period;
    final Mode mode;
    /** Consecutive failures. Not per period: each new one inherits it. */
    final long streak;

    State(Period period, Mode mode, long streak) {
        this.period = period;
        this.mode = mode;
        this.streak = streak;
    }

    abstract CircuitState circuitState();

    /** What time alone makes of this State. */
    abstract State look(Engine engine, long now);

    /** The State with one more call admitted, or null if it is refused; the call's period is that of the answer. */
    abstract @Nullable State admit(boolean manual, long now);

    /** The State after the result of a call that this period admitted. */
    abstract State report(Engine engine, @Nullable Slot slot, Verdict verdict);

    /** Whether a failure of a call with that slot, or without one, is more than a count in the totals. */
    boolean heeds(@Nullable Slot slot) {
        return true;
    }

    /** The State after a result without a permit, or null if it is stale. */
    abstract @Nullable State reportManual(Engine engine, Verdict verdict);

    abstract State with(Mode newMode);

    /** Whether a call made now by this thread is part of a probe, so that its admission is settled already. */
    boolean ridesOnProbe() {
        return false;
    }

    /** Why {@link #admit} refuses. */
    abstract Reason reason();

    /** How long a refused caller should wait, in nanoseconds; negative if nobody can tell. */
    abstract long retryNanos(long now);

    final Refusal refusal(long now) {
        return Refusal.of(reason(), period.cause, period.failuresBefore, retryNanos(now));
    }

    final long streakAfter(Verdict verdict) {
        return switch (verdict) {
            case SUCCESS -> 0;
            case FAILURE, TRIP -> streak + 1;
            case IGNORED -> streak;
        };
    }

    final Closed closed(
            Engine engine, Mode nextMode, Cause cause, String rule, long failures, long nextStreak, long now) {
        Period next = period.successor(engine, circuitState(), CircuitState.CLOSED, cause, rule, failures, now);
        return new Closed(next, nextMode, nextStreak);
    }

    final Open open(Engine engine, Cause cause, String rule, long failures, long nextStreak, long now) {
        Period next = period.successor(engine, circuitState(), CircuitState.OPEN, cause, rule, failures, now);
        long wait = cause == Cause.HOLD_OPEN ? Open.HELD : engine.settings.recoveryTimeout.toNanos();
        return new Open(next, mode, nextStreak, wait);
    }

    // What an operator asks for. All four start a new period even where the state stays, so that what is in flight is
    // stale.

    final State forcedOpen(Engine engine) {
        return mode == Mode.DISABLED || this instanceof Open
                ? this
                : open(engine, Cause.FORCE_OPEN, "", 0, streak, engine.now());
    }

    final State heldOpen(Engine engine) {
        return mode == Mode.DISABLED ? this : open(engine, Cause.HOLD_OPEN, "", 0, streak, engine.now());
    }

    final State closedByOperator(Engine engine, Cause cause) {
        return closed(engine, mode, cause, "", 0, 0, engine.now());
    }

    final State switched(Engine engine, Mode newMode) {
        if (mode == newMode) {
            return this;
        }
        return mode == Mode.DISABLED || newMode == Mode.DISABLED
                ? closed(engine, newMode, Cause.MODE, "", 0, streak, engine.now())
                : with(newMode);
    }
}
