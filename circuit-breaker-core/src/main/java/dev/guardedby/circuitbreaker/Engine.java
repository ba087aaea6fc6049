package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Running.Slice;
import dev.guardedby.circuitbreaker.State.Result;
import dev.guardedby.circuitbreaker.Step.Said;
import java.time.Duration;
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

    private static final AtomicReferenceFieldUpdater<Engine, Settings> SETTINGS =
            AtomicReferenceFieldUpdater.newUpdater(Engine.class, Settings.class, "settings");

    private static final AtomicReferenceFieldUpdater<Engine, @Nullable Family> FAMILY =
            AtomicReferenceFieldUpdater.newUpdater(Engine.class, Family.class, "family");

    /** What a thread is about to change: a change within a change would always undo the other, and never end. */
    private static final ThreadLocal<@Nullable Engine> RECONFIGURING = new ThreadLocal<>();

    /** The start of a call that nobody times; a tick that no clock is likely to show. */
    static final long UNTIMED = 0x9E37_79B9_7F4A_7C15L;

    final CircuitBreaker breaker;
    /** The engine of the name, if this is the one of a key. */
    final @Nullable Engine parent;

    final Totals totals;
    final Purse purse;
    /** Null without listeners. */
    private final @Nullable Deliveries deliveries;

    volatile Settings settings;
    volatile State state;
    /** Null without keys. */
    volatile @Nullable Family family;

    Engine(CircuitBreaker breaker, Settings settings) {
        this(breaker, new Standing(settings, settings.mode, false), null);
    }

    Engine(CircuitBreaker breaker, Standing standing, @Nullable Engine parent) {
        this.breaker = breaker;
        this.parent = parent;
        this.totals = new Totals(parent == null ? null : parent.totals);
        this.settings = standing.settings();
        this.purse = new Purse(this);
        Period first = Period.first(settings.ticker.getAsLong());
        this.deliveries = settings.listeners.isEmpty() ? null : new Deliveries(settings.listeners, first);
        this.state = standing.held()
                ? new Open(first, standing.mode(), 0, Open.HELD)
                : Closed.fresh(this, first, standing.mode(), 0);
    }

    /** A permit, or null (or, if asked, an exception) for a refusal. */
    @Nullable Permit admit(boolean manual, boolean orThrow) {
        State seen = state;
        if (seen instanceof Closed closed && !settings.isTimed() && closed.isTimeless()) {
            return new Permit(this, closed.period, null, null, UNTIMED);
        }
        long now = now();
        for (; ; seen = state) {
            State looked = seen.lookAtAdmission(this, now);
            if (looked.ridesOnProbe()) {
                return outside(now);
            }
            State admitted = looked.admit(manual, now);
            if (!advance(seen, admitted == null ? looked : admitted)) {
                continue;
            }
            if (admitted != null) {
                return admitted(admitted, manual, now);
            }
            if (looked.mode == Mode.OBSERVE) {
                totals.countWouldReject();
                return outside(now);
            }
            countRefused(looked, now);
            if (orThrow) {
                throw new CallNotPermittedException(breaker, looked, now);
            }
            return null;
        }
    }

    /** Throws what {@link #admit} would; where that would let a call pass, nothing is taken, moved or counted. */
    void checkPermitted() {
        State seen = state;
        if (seen instanceof Closed closed && closed.isTimeless()) {
            checkBudgets();
            return;
        }
        long now = now();
        for (; ; seen = state) {
            State looked = seen.lookAtAdmission(this, now);
            if (looked.mode != Mode.ENFORCE || looked.ridesOnProbe() || !looked.refuses(now)) {
                checkBudgets();
                return;
            }
            if (advance(seen, looked)) {
                countRefused(looked, now);
                throw new CallNotPermittedException(breaker, looked, now);
            }
        }
    }

    private void countRefused(State by, long now) {
        totals.countRejected();
        if (deliveries != null) {
            deliveries.refused(breaker, by.refusal(now));
        }
    }

    void countRefused(BudgetRefusal by) {
        totals.countRejected();
        if (deliveries != null) {
            deliveries.refused(breaker, by.refusal());
        }
    }

    /** Throws if the state no longer lets a call that is under way go on to its next step. */
    void checkStep() {
        State seen = state;
        if (seen instanceof Open && seen.mode == Mode.ENFORCE) {
            long now = now();
            if (seen.refuses(now)) {
                countRefused(seen, now);
                throw new CallNotPermittedException(breaker, seen, now);
            }
        }
    }

    /**
     * Counts a cost.
     *
     * @throws IllegalArgumentException if no single record can say that; then nothing is counted
     */
    void count(Cost cost, Confidence confidence) {
        totals.add(confidence == Confidence.UNKNOWN ? cost.tokens() : cost);
        tellCost(cost, confidence);
    }

    /** Counts what a step was said to cost. */
    void count(Said said) {
        totals.addSum(said.recorded());
        tellCost(said.cost(), said.confidence());
    }

    void tellCost(Cost cost, Confidence confidence) {
        if (deliveries != null) {
            deliveries.cost(breaker, cost, confidence);
        }
    }

    void tellLevel(BudgetStatus budget, int percent) {
        if (deliveries != null) {
            deliveries.budget(breaker, budget, percent);
        }
    }

    private Permit admitted(State by, boolean manual, long now) {
        Slot slot = by instanceof HalfOpen probing ? probing.newestSlot() : null;
        // Nobody reports the end of a call without a permit, so it must not count as under way.
        return new Permit(this, by.period, slot, manual ? null : by.period.begin(), timed(now));
    }

    /** A permit whose result counts in the totals only. */
    private Permit outside(long now) {
        return new Permit(this, null, null, null, timed(now));
    }

    /** The permit of a call that a budget would refuse: it runs without slot or window. */
    Permit withoutPlace(Permit permit) {
        if (!permit.withdraw()) {
            return permit;
        }
        totals.countWouldReject();
        return outside(now());
    }

    /** Takes an admission back, as though it had never been asked for. */
    void withdraw(Period period, @Nullable Slot slot, @Nullable Slice slice) {
        if (slice != null) {
            slice.end();
        }
        Result nothing = new Result(Verdict.IGNORED, false, slot, null, Duration.ZERO, UNTIMED);
        State seen;
        do {
            seen = state;
        } while (slot != null && seen.period == period && !advance(seen, seen.report(this, nothing)));
    }

    private void checkBudgets() {
        BudgetRefusal refusal = purse.look();
        if (refusal != null) {
            countRefused(refusal);
            throw refusal.exception(breaker, state.circuitState());
        }
    }

    private long timed(long now) {
        return settings.isTimed() ? now : UNTIMED;
    }

    /**
     * Whether a success in a closed period without failures changes nothing: no window wants it, nobody times it and nobody
     * wants to hear of it.
     */
    boolean isCalm(Period period) {
        Settings present = settings;
        Window window = period.window();
        return !present.isTimed()
                && !present.hasBudgets()
                && !present.rules.judgesResults()
                && !tellsResults()
                && (window == null || (!window.readsClock() && !window.wants(UNTIMED)));
    }

    private boolean tellsResults() {
        return deliveries != null && deliveries.tellsResults();
    }

    /** The end of a call that threw on a breaker that was closed. */
    void threw(State admittedBy, @Nullable Slice slice, long startedAt, Throwable thrown) {
        if (slice != null) {
            // First of all: a call that is not taken out counts as hung for ever.
            slice.end();
        }
        report(admittedBy.period, null, null, startedAt, settings.rules.judge(thrown), thrown);
    }

    /** The end of a call that returned on a breaker that was closed. */
    void returned(State admittedBy, @Nullable Slice slice, long startedAt, Verdict verdict) {
        // The same immutable State as at the admission, without failures to forget: there is nothing to change.
        if (verdict == Verdict.SUCCESS
                && state == admittedBy
                && admittedBy.streak == 0
                && !tellsResults()
                && isUneventful(admittedBy.period, slice, startedAt)) {
            if (slice != null) {
                slice.end();
            }
            totals.countSuccess();
        } else {
            report(admittedBy.period, null, slice, startedAt, verdict, null);
        }
    }

    /** Whether a success can be left to the count: no window wants it, and it was not slow. */
    private boolean isUneventful(Period period, @Nullable Slice slice, long startedAt) {
        Window window = period.window();
        if (window == null) {
            return true;
        }
        long now = slice != null || window.readsClock() ? now() : 0;
        return !window.wants(now) && (slice == null || !settings.isSlow(now - startedAt));
    }

    /** Counts the result of an admitted call; a call without a period counts in the totals only. */
    void report(
            @Nullable Period period,
            @Nullable Slot slot,
            @Nullable Slice slice,
            long startedAt,
            Verdict verdict,
            @Nullable Throwable failure) {
        if (slice != null) {
            slice.end();
        }
        // Never below 0, for -1 says that nobody wanted to know: the ticker may step back a little.
        long duration = startedAt == UNTIMED ? -1 : Math.max(0, now() - startedAt);
        totals.count(verdict, settings.clock);
        boolean counted = period != null && settle(period, slot, duration, verdict, failure);
        if (!counted && verdict == Verdict.SUCCESS) {
            totals.setAside();
        }
        tell(verdict, duration, failure);
    }

    private void tell(Verdict verdict, long duration, @Nullable Throwable failure) {
        if (deliveries != null) {
            deliveries.result(breaker, verdict.outcome, duration, failure);
        }
    }

    /** Lets a result act on the period that admitted it; false if that has ended. */
    private boolean settle(
            Period period, @Nullable Slot slot, long duration, Verdict verdict, @Nullable Throwable failure) {
        State seen = state;
        Result result = null;
        while (seen.period == period) {
            result = timedFor(seen, result == null ? judged(seen, slot, verdict, duration, failure) : result);
            State next = seen.report(this, result);
            if (advance(seen, next)) {
                if (next == seen && slot != null && result.isFailedProbe()) {
                    totals.countLate();
                }
                if (next == seen && result.slow()) {
                    // It is in the window, though the State is the same.
                    tellKeeper();
                }
                return true;
            }
            seen = state;
        }
        totals.countStale();
        return false;
    }

    /** What there is to know of a result, asked once: it may enter a window, be counted and run rules of the user. */
    private Result judged(
            State seen, @Nullable Slot slot, Verdict verdict, long duration, @Nullable Throwable failure) {
        Settings present = settings;
        boolean slow = verdict != Verdict.IGNORED && duration >= 0 && present.isSlow(duration);
        Duration hint = Duration.ZERO;
        if (verdict.isFailure() && seen.heeds(slot)) {
            if (failure != null) {
                seen.period.countFailure(OutcomeRules.innermost(failure));
            }
            hint = present.hint(failure, verdict);
        }
        if (!(seen instanceof Closed closed) || verdict == Verdict.IGNORED) {
            return new Result(verdict, slow, slot, null, hint, UNTIMED);
        }
        long now = closed.readsClockToDecide() ? now() : UNTIMED;
        Decision decision = closed.decide(this, verdict, slow, now);
        return new Result(verdict, slow, slot, decision, hint, now);
    }

    /** The result with the time at which it moves the breaker, read once, and only if it does. */
    private Result timedFor(State seen, Result result) {
        return result.now() == UNTIMED && seen.isMovedBy(result, settings) ? result.at(now()) : result;
    }

    void recordManual(Verdict verdict) {
        totals.count(verdict, settings.clock);
        Result result = null;
        State judged = null;
        State next;
        State seen;
        do {
            seen = state;
            if (result == null || judged == null || judged.period != seen.period) {
                result = judged(seen, null, verdict, -1, null);
                judged = seen;
            }
            result = timedFor(seen, result);
            next = seen.reportManual(this, result);
            if (next == null) {
                totals.countStale();
                break;
            }
        } while (!advance(seen, next));
        tell(verdict, -1, null);
    }

    State look(long now) {
        return move(now, (engine, seen, at) -> seen.look(engine, at));
    }

    /** Does what an operator asks for, to all keys as well. */
    void operate(Change change) {
        Settings present = settings;
        State next = move(now(), change);
        Family keys = family;
        if (keys != null) {
            keys.operate(Standing.of(present, next), change);
        }
    }

    State move(long now, Change change) {
        State seen;
        State next;
        do {
            seen = state;
            next = change.of(this, seen, now);
        } while (!advance(seen, next));
        return next;
    }

    void keyedBy(KeyedBreakers keeper) {
        if (parent != null || !FAMILY.compareAndSet(this, null, new Family(this, keeper))) {
            throw new IllegalStateException(
                    breaker + (parent == null ? " has its keys already" : " is itself the breaker of a key"));
        }
    }

    /** Whether nothing that may still matter is lost with this breaker, which nobody has called for so long. */
    boolean isForgettable(long uncalledNanos) {
        State seen = state;
        Settings present = settings;
        if (parent != null) {
            if (purse.isLimited()) {
                return false;
            }
            Standing there = Standing.of(parent);
            if (present != there.settings() || seen.mode != there.mode()) {
                return false;
            }
            if (there.held()) {
                // The next one with that key begins held, too.
                return Standing.isHeld(seen) && (seen.streak == 0 || uncalledNanos >= present.memoryNanos());
            }
        }
        return seen.isForgettable(uncalledNanos, present.memoryNanos(), now());
    }

    private void tellKeeper() {
        Family keys = parent == null ? null : parent.family;
        if (keys != null) {
            keys.changed(breaker);
        }
    }

    /** Takes over the settings of the name, unless those here are made from these or from later ones. */
    void adopt(Settings ofName) {
        Settings seen;
        do {
            seen = settings;
            if (seen.edition >= ofName.edition) {
                return;
            }
        } while (!SETTINGS.compareAndSet(this, seen, ofName));
    }

    /**
     * Puts other settings in place. They judge nothing at once: windows whose kind or size stays are kept, and the next
     * result decides.
     */
    void reconfigure(UnaryOperator<Settings> change) {
        Engine outer = RECONFIGURING.get();
        if (outer != null) {
            throw new IllegalStateException("a change of the settings of circuit breaker '" + outer.breaker.name()
                    + "' cannot make another one of '" + breaker.name() + "'");
        }
        Settings seen;
        Settings next;
        RECONFIGURING.set(this);
        try {
            do {
                seen = settings;
                next = change.apply(seen);
                next.requireSameLife(seen);
                next.edition = parent == null ? seen.edition + 1 : seen.edition;
            } while (!SETTINGS.compareAndSet(this, seen, next));
        } finally {
            RECONFIGURING.remove();
        }
        Mode mode = next.modeWritten ? next.mode : null;
        Change derived = (engine, present, now) -> present.reconfigured(engine, mode, now);
        State derivedHere = move(now(), derived);
        Family keys = family;
        if (keys != null) {
            keys.reconfigure(next, Standing.of(next, derivedHere), derived);
        }
    }

    /** Puts the next State in place of the one seen, unless somebody was faster; a new period is made known. */
    private boolean advance(State seen, State next) {
        if (next == seen) {
            return true;
        }
        if (!STATE.compareAndSet(this, seen, next)) {
            return false;
        }
        // First, so that nobody can forget what is told.
        tellKeeper();
        if (deliveries != null && next.period != seen.period) {
            seen.period.followedBy(next.period);
            deliveries.transitions();
        }
        return true;
    }

    long now() {
        return settings.ticker.getAsLong();
    }

    long startTime() {
        return settings.isTimed() ? now() : UNTIMED;
    }

    Instant wallTime() {
        return settings.clock.instant();
    }

    /** What should follow a State of a breaker at a time. */
    interface Change {
        State of(Engine engine, State seen, long now);
    }
}
