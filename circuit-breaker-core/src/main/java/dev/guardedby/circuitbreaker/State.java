package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a breaker is at one instant: an immutable value.
 *
 * <p>A breaker is one volatile reference to its State. Each operation asks the State it has seen for the one that should
 * follow, puts that in place by a single compare-and-set, and starts over when somebody else was faster. So there is no
 * lock, no half-made change can be seen, and the time, an admission and a transition take effect together or not at all:
 * the caller that finds the wait over moves the breaker to HALF_OPEN and takes the probe in one step.
 *
 * <p>The methods answer the next State and put nothing in place, so they may be asked again after a lost race. Looking ahead
 * with {@link #lookAtAdmission} and {@link #wouldAdmit} moves nothing, which is how monitoring works (it may begin a new slice
 * of time, which decides nothing); {@link #admit} counts as an attempt of a ramp-up, and so does {@link #refuses} where it does
 * refuse. A method that answers this same object says "nothing changes".
 */
abstract sealed class State permits Closed, Open, HalfOpen {
    final Period period;
    final Mode mode;
    /** Consecutive failures. Not per period: each new one inherits it. */
    final long streak;
    /** Whether a call passes without more ado, and is a mere count if it returns while the breaker is still in this State. */
    final boolean calm;

    State(Period period, Mode mode, long streak, boolean calm) {
        this.period = period;
        this.mode = mode;
        this.streak = streak;
        this.calm = calm;
    }

    abstract CircuitState circuitState();

    /** What time alone makes of this State. */
    abstract State look(Engine engine, long now);

    /** What time makes of this State when a call asks to be admitted: hung calls are judged there and nowhere else. */
    State lookAtAdmission(Engine engine, long now) {
        return look(engine, now);
    }

    /** The State with one more call admitted, or null if it is refused; the call's period is that of the answer. */
    abstract @Nullable State admit(boolean manual, long now);

    /** Whether {@link #admit} would admit a call. */
    boolean wouldAdmit(long now) {
        return admit(false, now) != null;
    }

    /** Whether a call is refused that asks for no admission; one that {@link #admit} would let pass has taken nothing. */
    boolean refuses(long now) {
        return !wouldAdmit(now);
    }

    /** Whether a result may begin a period, so that it needs the time. */
    abstract boolean isMovedBy(Result result, Settings settings);

    /** The State after the result of a call that this period admitted. */
    abstract State report(Engine engine, Result result);

    /** Whether a failure of a call with that slot, or without one, is more than a count in the totals. */
    boolean heeds(@Nullable Slot slot) {
        return true;
    }

    /** The State after a result without a permit, or null if it is stale. */
    abstract @Nullable State reportManual(Engine engine, Result result);

    abstract State with(Mode newMode);

    /** Whether a call made now by this thread is part of a probe, so that its admission is settled already. */
    boolean ridesOnProbe() {
        return false;
    }

    /**
     * Whether nothing that may still matter is lost with this State.
     *
     * @param uncalled for how long the breaker has not been called
     * @param memory for how long after a call it may matter what that has left behind
     */
    abstract boolean isForgettable(long uncalled, long memory, long now);

    /** Why {@link #admit} refuses. */
    abstract Reason reason();

    /** How long a refused caller should wait, in nanoseconds; negative if nobody can tell. */
    abstract long retryNanos(long now);

    final Refusal refusal(long now) {
        return Refusal.of(reason(), period.decision, retryNanos(now));
    }

    final long streakAfter(Verdict verdict) {
        return switch (verdict.outcome) {
            case SUCCESS -> 0;
            case FAILURE -> streak + 1;
            case IGNORED -> streak;
        };
    }

    final Closed closed(Engine engine, Mode nextMode, Decision decision, long nextStreak, long now) {
        Period next = period.successor(engine, circuitState(), CircuitState.CLOSED, decision, 0, now);
        return Closed.fresh(engine, next, nextMode, nextStreak);
    }

    final Open open(Engine engine, Decision decision, int failedRecoveries, Duration hint, long nextStreak, long now) {
        Period next = period.successor(engine, circuitState(), CircuitState.OPEN, decision, failedRecoveries, now);
        long wait = decision.cause() == Cause.HOLD_OPEN
                ? Open.HELD
                : engine.settings.waitNanos(
                        failedRecoveries, hint, ThreadLocalRandom.current().nextDouble());
        return new Open(next, mode, nextStreak, wait);
    }

    // What an operator asks for. All four start a new period even where the state stays: what is in flight is stale.

    final State forcedOpen(Engine engine, long now) {
        return mode == Mode.DISABLED || this instanceof Open ? this : openedByOperator(engine, Cause.FORCE_OPEN, now);
    }

    final State heldOpen(Engine engine, long now) {
        return mode == Mode.DISABLED ? this : openedByOperator(engine, Cause.HOLD_OPEN, now);
    }

    private State openedByOperator(Engine engine, Cause cause, long now) {
        // An operator's opening is no failed recovery, and no recovery either.
        return open(engine, Decision.of(cause), period.failedRecoveries, Duration.ZERO, streak, now);
    }

    final State closedByOperator(Engine engine, Cause cause, long now) {
        return closed(engine, mode, Decision.of(cause), 0, now);
    }

    /** The State under other settings, which judge nothing at once. */
    final State reconfigured(Engine engine, @Nullable Mode newMode, long now) {
        State next = newMode == null ? this : switched(engine, newMode, now);
        return next.period == period ? next.under(engine, now) : next;
    }

    /**
     * This State, with what it had derived from the settings derived anew. Always another object, even if nothing differs:
     * whoever has judged by the old settings, or begins a period under them, must not put its answer in place.
     */
    State under(Engine engine, long now) {
        return with(mode);
    }

    final State switched(Engine engine, Mode newMode, long now) {
        if (mode == newMode) {
            return this;
        }
        return mode == Mode.DISABLED || newMode == Mode.DISABLED
                ? closed(engine, newMode, Decision.of(Cause.MODE), streak, now)
                : with(newMode);
    }

    /**
     * How a call ended.
     *
     * @param slow it ran for {@code slow-call-duration}
     * @param slot the probe's slot, if it was one
     * @param decision what the rate rules make of it, if anything
     * @param hint how long the remote asked to be left alone; zero if it did not
     * @param now when it was reported, by the ticker; {@link Engine#UNTIMED} where it moves nothing
     */
    record Result(
            Verdict verdict,
            boolean slow,
            @Nullable Slot slot,
            @Nullable Decision decision,
            Duration hint,
            long now) {
        Result at(long time) {
            return new Result(verdict, slow, slot, decision, hint, time);
        }

        /** Whether it speaks against a recovery. */
        boolean isFailedProbe() {
            return verdict.isFailure() || (slow && verdict == Verdict.SUCCESS);
        }
    }
}
