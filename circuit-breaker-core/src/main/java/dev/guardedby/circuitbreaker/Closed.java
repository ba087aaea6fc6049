package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.circuitbreaker.Window.Counts;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Calls pass, and each result decides whether to trip. */
final class Closed extends State {
    /** After a recovery, until all calls pass. */
    private final @Nullable RampUp rampUp;

    private Closed(Period period, Mode mode, long streak, @Nullable RampUp rampUp, boolean calm) {
        super(period, mode, streak, calm);
        this.rampUp = rampUp;
    }

    private static Closed of(Engine engine, Period period, Mode mode, long streak, @Nullable RampUp rampUp) {
        return new Closed(period, mode, streak, rampUp, isCalm(engine, period, streak, rampUp));
    }

    private static boolean isCalm(Engine engine, Period period, long streak, @Nullable RampUp rampUp) {
        return streak == 0 && rampUp == null && engine.isCalm(period);
    }

    static Closed fresh(Engine engine, Period period, Mode mode, long streak) {
        Settings settings = engine.settings;
        if (mode != Mode.DISABLED) {
            period.watch(engine, period.startedAt);
        }
        Decision decision = period.decision;
        boolean recovered = decision != null && decision.cause() == Cause.PROBES_SUCCEEDED;
        RampUp rampUp =
                recovered && settings.rampUp != null ? new RampUp(period.startedAt, settings.rampUp.toNanos()) : null;
        return of(engine, period, mode, streak, rampUp);
    }

    @Override
    CircuitState circuitState() {
        return CircuitState.CLOSED;
    }

    /** Whether calls pass whatever the time. */
    boolean isTimeless() {
        return rampUp == null && period.running() == null;
    }

    /** Whether a call passes without more ado: nobody ramps up, and no hung calls are to be looked for. */
    boolean passes(long now) {
        Running running = period.running();
        return rampUp == null && (running == null || !running.isDue(now));
    }

    @Override
    boolean isForgettable(long uncalled, long memory, long now) {
        if (rampUp != null && !rampUp.isOver(now)) {
            return false;
        }
        return uncalled >= memory || (streak == 0 && isFlawless(now));
    }

    private boolean isFlawless(long now) {
        Window window = period.window();
        return window == null || window.look(now).isFlawless();
    }

    @Override
    State look(Engine engine, long now) {
        return this;
    }

    @Override
    State lookAtAdmission(Engine engine, long now) {
        if (rampUp != null && rampUp.isOver(now)) {
            return of(engine, period, mode, streak, null).lookAtAdmission(engine, now);
        }
        Running running = period.running();
        if (running == null || !running.isDue(now)) {
            return this;
        }
        Window window = period.window();
        Counts counts = window == null ? null : window.look(now);
        // After the window: a call that returns in between is missed by both, and judged by its own result.
        long hung = running.hung(now);
        // Without hung calls there is nothing new since the last result.
        Decision decision = counts == null || hung == 0 ? null : slowDecision(engine.settings, counts, hung);
        if (decision != null) {
            // The slice stays due: who only looks ahead, or loses the race to trip, must not hide it from the next
            // call.
            return trip(engine, decision, Duration.ZERO, streak, now);
        }
        running.turnTo(now);
        running.press(hung > 0 && window != null && window.readsClock());
        return this;
    }

    @Override
    @Nullable State admit(boolean manual, long now) {
        return rampUp == null || rampUp.admit(now) ? this : null;
    }

    @Override
    boolean wouldAdmit(long now) {
        return rampUp == null || rampUp.wouldAdmit(now);
    }

    @Override
    boolean refuses(long now) {
        return rampUp != null && rampUp.refuse(now);
    }

    /** Whether {@link #decide} needs the time. */
    boolean readsClockToDecide() {
        Window window = period.window();
        return window != null && (window.readsClock() || period.running() != null);
    }

    /** Enters a result into the window, once, if it wants it, and answers what the rate rules make of it. */
    @Nullable Decision decide(Engine engine, Verdict verdict, boolean slow, long now) {
        Window window = period.window();
        if (window == null || (verdict == Verdict.SUCCESS && !slow && !window.wants(now))) {
            return null;
        }
        Settings settings = engine.settings;
        Running running = period.running();
        Counts counts = window.enter(verdict.isFailure(), slow, now, settings);
        if (!window.fits(settings)) {
            // The settings are new and the window is about to be: it means nothing under them.
            return null;
        }
        if (settings.isFailureRate(counts.failures(), counts.calls())) {
            return decision(Cause.FAILURE_RATE, "failure-rate-threshold " + settings.failureRateThreshold, counts, 0);
        }
        return slowDecision(settings, counts, running == null ? 0 : running.hung(now));
    }

    private static @Nullable Decision slowDecision(Settings settings, Counts counts, long hung) {
        return settings.isSlowCallRate(counts.slow() + hung, counts.calls() + hung)
                ? decision(
                        Cause.SLOW_CALL_RATE,
                        "slow-call-rate-threshold " + settings.slowCallRateThreshold,
                        counts,
                        hung)
                : null;
    }

    private static Decision decision(Cause cause, String rule, Counts counts, long hung) {
        return new Decision(cause, rule, counts.calls(), counts.failures(), counts.slow(), hung);
    }

    @Override
    boolean isMovedBy(Result result, Settings settings) {
        return mode != Mode.DISABLED && decisionOn(settings, result, streakAfter(result.verdict())) != null;
    }

    @Override
    State report(Engine engine, Result result) {
        long next = streakAfter(result.verdict());
        // Settings that changed since the result was judged act on the next one: this one has no time to open at.
        boolean mayMove = mode != Mode.DISABLED && result.now() != Engine.UNTIMED;
        Decision decision = mayMove ? decisionOn(engine.settings, result, next) : null;
        if (decision != null) {
            return trip(engine, decision, result.hint(), next, result.now());
        }
        boolean nextCalm = isCalm(engine, period, next, rampUp);
        return next == streak && nextCalm == calm ? this : new Closed(period, mode, next, rampUp, nextCalm);
    }

    private static @Nullable Decision decisionOn(Settings settings, Result result, long nextStreak) {
        String proof = result.verdict().proof;
        if (proof != null) {
            return Decision.of(Cause.TRIP, proof, 1, 1);
        }
        int threshold = settings.failureThreshold();
        return result.verdict().isFailure() && threshold > 0 && nextStreak >= threshold
                ? Decision.of(Cause.FAILURES, "failure-threshold " + threshold, nextStreak, nextStreak)
                : result.decision();
    }

    private Open trip(Engine engine, Decision decision, Duration hint, long nextStreak, long now) {
        return open(engine, decision, 0, hint, nextStreak, now);
    }

    @Override
    State reportManual(Engine engine, Result result) {
        return report(engine, result);
    }

    @Override
    State with(Mode newMode) {
        return new Closed(period, newMode, streak, rampUp, calm);
    }

    @Override
    State under(Engine engine, long now) {
        if (mode != Mode.DISABLED) {
            period.watch(engine, now);
        }
        return of(engine, period, mode, streak, rampUp);
    }

    @Override
    Reason reason() {
        return Reason.RAMP_UP;
    }

    @Override
    long retryNanos(long now) {
        return -1;
    }
}
