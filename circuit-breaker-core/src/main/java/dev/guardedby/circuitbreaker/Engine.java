package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A breaker at work: holds its {@link State}, and puts the next one in its place.
 *
 * <p>This is where a call is admitted, its result settled and counted, and a transition made known. What follows from what
 * is decided by the States.
 */
final class Engine {
    private static final AtomicReferenceFieldUpdater<Engine, State> STATE =
            AtomicReferenceFieldUpdater.newUpdater(Engine.class, State.class, "state");

    final CircuitBreaker breaker;
    final Settings settings;
    final Totals totals = new Totals();
    private final Deliveries deliveries;
    private final boolean timed;
    volatile State state;

    Engine(CircuitBreaker breaker, Settings settings) {
        this.breaker = breaker;
        this.settings = settings;
        this.timed = settings.listeners.stream().anyMatch(CircuitBreakerListener::wantsDurations);
        Period first = Period.first(settings.ticker.getAsLong());
        this.deliveries = new Deliveries(settings.listeners, first);
        this.state = new Closed(first, settings.mode, 0);
    }

    /** A permit, or null (or, if asked, an exception) for a refusal. */
    @Nullable Permit admit(boolean manual, boolean orThrow) {
        State seen = state;
        if (seen instanceof Closed) {
            return new Permit(this, seen.period, null);
        }
        long now = now();
        for (; ; seen = state) {
            State looked = seen.look(this, now);
            if (looked.ridesOnProbe()) {
                return new Permit(this, null, null);
            }
            State admitted = looked.admit(manual, now);
            if (!advance(seen, admitted == null ? looked : admitted)) {
                continue;
            }
            if (admitted != null) {
                return new Permit(
                        this, admitted.period, admitted instanceof HalfOpen probing ? probing.newestSlot() : null);
            }
            if (looked.mode == Mode.OBSERVE) {
                totals.countWouldReject();
                return new Permit(this, null, null);
            }
            totals.rejected.increment();
            deliveries.refused(breaker, looked, now);
            if (orThrow) {
                throw new CallNotPermittedException(breaker.name(), looked, now);
            }
            return null;
        }
    }

    /** The end of a call that threw on a breaker that was closed. */
    void threw(State admittedBy, long startedAt, Throwable thrown) {
        report(admittedBy.period, null, startedAt, settings.rules.judge(thrown), thrown);
    }

    /** The end of a call that returned on a breaker that was closed: in the usual case, one count. */
    void returned(State admittedBy, long startedAt, Verdict verdict) {
        // The same immutable State as at the admission, without failures to forget: there is nothing to change.
        if (verdict == Verdict.SUCCESS
                && state == admittedBy
                && admittedBy.streak == 0
                && settings.listeners.isEmpty()) {
            totals.successes.increment();
        } else {
            report(admittedBy.period, null, startedAt, verdict, null);
        }
    }

    /** Counts the result of an admitted call; a call without a period counts in the totals only. */
    void report(
            @Nullable Period period,
            @Nullable Slot slot,
            long startedAt,
            Verdict verdict,
            @Nullable Throwable failure) {
        // Never below 0, for -1 says that nobody wanted to know: the ticker may step back a little.
        long duration = timed ? Math.max(0, now() - startedAt) : -1;
        totals.count(verdict, settings.clock);
        if (period != null) {
            settle(period, slot, verdict, failure);
        }
        deliveries.result(breaker, verdict.outcome, duration, failure);
    }

    private void settle(Period period, @Nullable Slot slot, Verdict verdict, @Nullable Throwable failure) {
        State seen = state;
        if (failure != null && verdict.isFailure() && seen.period == period && seen.heeds(slot)) {
            period.countFailure(OutcomeRules.innermost(failure));
        }
        State next;
        do {
            seen = state;
            if (seen.period != period) {
                totals.countStale();
                return;
            }
            next = seen.report(this, slot, verdict);
        } while (!advance(seen, next));
        if (next == seen && slot != null && verdict.isFailure()) {
            totals.countLate();
        }
    }

    void recordManual(Verdict verdict) {
        totals.count(verdict, settings.clock);
        State seen;
        State next;
        do {
            seen = state;
            next = seen.reportManual(this, verdict);
            if (next == null) {
                totals.countStale();
                break;
            }
        } while (!advance(seen, next));
        deliveries.result(breaker, verdict.outcome, -1, null);
    }

    State look(long now) {
        return move(seen -> seen.look(this, now));
    }

    State move(UnaryOperator<State> change) {
        State seen;
        State next;
        do {
            seen = state;
            next = change.apply(seen);
        } while (!advance(seen, next));
        return next;
    }

    /** Puts the next State in place of the one seen, unless somebody was faster; a new period is made known. */
    private boolean advance(State seen, State next) {
        if (next == seen) {
            return true;
        }
        if (!STATE.compareAndSet(this, seen, next)) {
            return false;
        }
        if (next.period != seen.period) {
            seen.period.followedBy(next.period);
            deliveries.transitions();
        }
        return true;
    }

    long now() {
        return settings.ticker.getAsLong();
    }

    long startTime() {
        return timed ? now() : 0;
    }

    Instant wallTime() {
        return settings.clock.instant();
    }
}
