package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Charge.IfUnknown;
import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Running.Slice;
import dev.guardedby.circuitbreaker.Step.Said;
import java.math.BigDecimal;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * Leave to make one call.
 *
 * <p>Whoever holds one makes the call and reports how it ended, once: a second report of any kind is a no-op. Reports may
 * come from any thread. Report every exception, and do so inside the try-with-resources: it closes the permit before a
 * {@code catch} of its own would run, and a permit closed without a report counts as ignored.
 *
 * <pre>{@code
 * try (Permit permit = breaker.acquire()) {
 *     try {
 *         permit.success(client.ask(question));
 *     } catch (Throwable failure) {
 *         permit.failure(failure);
 *         throw failure;
 *     }
 * }
 * }</pre>
 *
 * <p>Thread-safe.
 */
public final class Permit implements AutoCloseable {
    private static final AtomicIntegerFieldUpdater<Permit> REPORTED =
            AtomicIntegerFieldUpdater.newUpdater(Permit.class, "reported");

    private final Engine engine;
    /** The period whose result this is; null for a call that only counts in the totals. */
    private final @Nullable Period period;

    private final @Nullable Slot slot;
    private final @Nullable Slice slice;
    private final long startedAt;
    private volatile int reported;
    private volatile boolean costRecorded;
    /** By this object's lock. */
    private boolean wouldBeRejected;
    /** Null as long as the call has taken no step. */
    private volatile @Nullable Steps steps;
    /** Null where no budget concerns the call; written once, before anybody else has the permit. */
    private @Nullable Charge charge;

    Permit(Engine engine, @Nullable Period period, @Nullable Slot slot, @Nullable Slice slice, long startedAt) {
        this.engine = engine;
        this.period = period;
        this.slot = slot;
        this.slice = slice;
        this.startedAt = startedAt;
    }

    /** Reports that the remote answered. */
    public void success() {
        report(Verdict.SUCCESS, null, true);
    }

    /** Reports a result, which {@code failOnResult} rules judge as {@link CircuitBreaker#call(Call)} does. */
    public void success(@Nullable Object result) {
        if (reported == 0) {
            Verdict verdict = engine.settings.rules.judgeResult(result);
            report(verdict, null, verdict == Verdict.SUCCESS);
        }
    }

    /**
     * Reports an exception, which the outcome rules judge as {@link CircuitBreaker#call(Call)} does: it may turn out to be
     * ignored, or a success.
     */
    public void failure(Throwable cause) {
        Objects.requireNonNull(cause, "cause");
        if (reported == 0) {
            Verdict verdict = engine.settings.rules.judge(cause);
            report(verdict, cause, costsHold(verdict, cause) || (verdict == Verdict.IGNORED && isGivenUp(cause)));
        }
    }

    /** Reports that the call says nothing about the remote; a probe's slot is given back. */
    public void ignore() {
        report(Verdict.IGNORED, null, false);
    }

    /**
     * Reports that the caller gave the call up after it began: like {@link #ignore()} for the state, but in budgets it costs what
     * it holds, unless a cost was recorded.
     */
    public void cancel() {
        report(Verdict.IGNORED, null, true);
    }

    /**
     * Records what the call costs, on top of what was recorded before; allowed after the report, too, as a correction.
     *
     * @param inputTokens tokens sent, 0 to 10^12
     * @param outputTokens tokens received, 0 to 10^12
     * @param costUsd US dollars, 0 to 1,000,000; a fraction of a nano-USD is rounded up
     * @throws IllegalArgumentException if an amount is out of range; then nothing is recorded
     */
    public void recordCost(long inputTokens, long outputTokens, BigDecimal costUsd) {
        recordCost(Cost.of(inputTokens, outputTokens, costUsd));
    }

    /**
     * Records what the call costs, on top of what was recorded before; allowed after the report, too, as a correction.
     *
     * @throws IllegalArgumentException if an amount is above 10^12 tokens or 1,000,000 USD; then nothing is recorded
     */
    public void recordCost(Cost cost) {
        recordCost(cost, Confidence.REPORTED);
    }

    /**
     * Records what the call costs, on top of what was recorded before; allowed after the report, too, as a correction. What is recorded
     * while the call runs counts in place of what its {@linkplain #step steps} cost.
     *
     * @param confidence how far that can be trusted; the dollars of what is {@link Confidence#UNKNOWN} are charged to budgets, and do not
     *     count as recorded
     * @throws IllegalArgumentException if it is above 10^12 tokens or 1,000,000 USD; then nothing is recorded
     */
    public void recordCost(Cost cost, Confidence confidence) {
        engine.count(cost, Objects.requireNonNull(confidence, "confidence"));
        costRecorded = true;
        Steps taken = steps;
        if (taken != null) {
            taken.overrule();
        }
        if (charge != null) {
            charge.record(cost);
        }
    }

    /**
     * What the call costs if it ends well and nobody knows what it cost: what it holds from its beginning on, or what its {@link Estimate} said
     * is likely, if that is less; nothing where no budget concerns it.
     */
    public Cost costIfUnknown() {
        return charge == null ? Cost.ZERO : charge.usual();
    }

    /**
     * Why the call should spend less, as the budgets stood when it or its last step was admitted; empty if there is no need, and where the
     * breaker does not enforce anything.
     */
    public Optional<Advice> advice() {
        return charge == null || engine.state.mode != Mode.ENFORCE ? Optional.empty() : charge.advice();
    }

    /**
     * Leave to make one more step within the call, such as one call of a model in a loop of tools; waits for a ledger that is far
     * away.
     *
     * <p>It is refused while the breaker is open, and where a budget of the call has no room for what its steps have cost and may cost;
     * of the whole of that no more is reserved than what the call does not hold already. The step is no call: only its cost counts.
     * A step after the call's report is not refused.
     *
     * @param estimate what the step may cost; of what it leaves unknown there must be something left in the budgets
     * @throws CallNotPermittedException if it is refused
     */
    public Step step(Estimate estimate) {
        CompletableFuture<Step> asked = new CompletableFuture<>();
        Step step = askForStep(estimate, asked);
        try {
            return Stages.await(asked);
        } catch (RuntimeException refused) {
            throw refused;
        } catch (ExecutionException broken) {
            // What is no exception stays what it is.
            if (broken.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(broken.getCause());
        } catch (Exception interrupted) {
            Charge charge = Objects.requireNonNull(this.charge);
            BudgetRefusal refusal = charge.withoutAnswer(interrupted);
            if (engine.state.mode != Mode.ENFORCE) {
                // The answer will not be waited for, whatever it is.
                answer(step, refusal, asked);
                return step;
            }
            // Whatever comes of it, nobody makes the step.
            CompletionStage<Void> unused = asked.thenAccept(charge::takeBack);
            engine.countRefused(refusal);
            throw refusal.exception(engine.breaker, engine.state.circuitState());
        }
    }

    /**
     * Leave to make one more step within the call, as by {@link #step}; never blocks.
     *
     * @return a stage of the step; it fails with {@link CallNotPermittedException} if the step is refused
     */
    public CompletionStage<Step> stepAsync(Estimate estimate) {
        CompletableFuture<Step> asked = new CompletableFuture<>();
        Step unused = askForStep(estimate, asked);
        return asked;
    }

    /** Whether a budget that concerns the call counts US dollars, so that what its steps cost must be known. */
    public boolean countsDollars() {
        return charge != null && charge.countsDollars();
    }

    /** Asks for a step, which is to be made if the result says so. */
    private Step askForStep(Estimate estimate, CompletableFuture<Step> result) {
        Reserved reserved = Reserved.of(estimate, engine.settings.estimatePerCall);
        Step step = new Step(this, reserved, reported == 0);
        try {
            if (step.isWithinCall()) {
                engine.checkStep();
            }
            begin();
            if (charge == null || !step.isWithinCall()) {
                result.complete(step);
                return step;
            }
            CompletionStage<?> unused = charge.step(step).whenComplete((refusal, failure) -> {
                try {
                    if (refusal == null) {
                        notMade(step, Stages.cause(failure), result);
                    } else {
                        answer(step, refusal.orElse(null), result);
                    }
                } catch (Throwable broken) {
                    // Nobody else would tell who waits.
                    notMade(step, broken, result);
                }
            });
        } catch (Throwable refused) {
            notMade(step, refused, result);
        }
        return step;
    }

    private void notMade(Step step, Throwable why, CompletableFuture<Step> result) {
        if (charge != null) {
            charge.takeBack(step);
        }
        result.completeExceptionally(why);
    }

    private void answer(Step step, @Nullable BudgetRefusal refusal, CompletableFuture<Step> result) {
        Mode mode = engine.state.mode;
        if (refusal != null && mode == Mode.ENFORCE) {
            engine.countRefused(refusal);
            // Though it was claimed, if the mode has changed since.
            notMade(step, refusal.exception(engine.breaker, engine.state.circuitState()), result);
            return;
        }
        if (refusal != null && mode == Mode.OBSERVE) {
            countWouldReject();
        }
        if (!result.complete(step) && result.isCompletedExceptionally()) {
            // Nobody waits for it any more, so nobody makes the step.
            Objects.requireNonNull(charge).takeBack(step);
        }
    }

    /** Counts the call once, however many of its steps would be refused; without a place it is counted already. */
    private synchronized void countWouldReject() {
        if (!wouldBeRejected && period != null) {
            engine.totals.countWouldReject();
        }
        wouldBeRejected = true;
    }

    private synchronized void begin() {
        if (steps == null) {
            Steps made = new Steps();
            steps = made;
            if (costRecorded) {
                made.overrule();
            }
            if (reported != 0) {
                // Whoever reported may have come too early to see it.
                made.end().forEach(engine::count);
            }
        }
    }

    /** A step was said to have cost something, for the first time or in place of something else. */
    void ended(Step step) {
        Said more = Objects.requireNonNull(steps).take(step);
        if (more != null) {
            engine.count(more);
        }
        if (charge != null) {
            charge.stepEnded(step);
        }
    }

    /** Whether a step that failed so costs what it holds: the remote may have done its work. */
    boolean isCharged(Throwable failure) {
        return engine.settings.chargeOnFailure.include(failure) || OutcomeRules.isGivenUp(failure);
    }

    /** Whether the call decides about a recovery. */
    public boolean isProbe() {
        return slot != null;
    }

    /** Makes the permit current for this thread, until the scope is closed. */
    public Scope attach() {
        return Scope.of(this);
    }

    /** Reports an unreported permit as {@link Outcome#IGNORED} and counts it as unreported; a no-op on a reported one. */
    @Override
    public void close() {
        if (report(Verdict.IGNORED, null, false)) {
            engine.totals.countUnreported();
        }
    }

    /**
     * Reports the exception that a future or a reactive stream ended with, which the outcome rules judge as
     * {@link CircuitBreaker#callAsync} does. Unlike {@link #failure}, which takes an interruption or a cancellation for the
     * caller's own: what such a caller gives up is reported by {@link #cancel}.
     */
    public void failureAsync(Throwable cause) {
        Objects.requireNonNull(cause, "cause");
        if (reported == 0) {
            Verdict verdict = engine.settings.rules.judgeAsync(cause);
            report(verdict, cause, costsHold(verdict, cause));
        }
    }

    /** Reports that the caller's patience ended: never an answer, whatever the record rules make of the exception. */
    void timedOut(TimeoutException timeout) {
        if (reported == 0) {
            Verdict verdict = engine.settings.rules.judgeAsync(timeout);
            report(verdict == Verdict.SUCCESS ? Verdict.FAILURE : verdict, timeout, true);
        }
    }

    private boolean costsHold(Verdict verdict, Throwable cause) {
        return charge != null
                && (verdict == Verdict.SUCCESS
                        || (verdict.isFailure() && engine.settings.chargeOnFailure.include(cause)));
    }

    /** Whether the caller gave up a call that may go on at the remote. */
    private boolean isGivenUp(Throwable cause) {
        return charge != null && OutcomeRules.isGivenUp(cause);
    }

    /**
     * Reports; true if this was the first report.
     *
     * @param costsHold whether a call of which no cost was recorded costs what it holds, and else nothing
     */
    boolean report(Verdict verdict, @Nullable Throwable failure, boolean costsHold) {
        if (!REPORTED.compareAndSet(this, 0, 1)) {
            return false;
        }
        Steps taken = steps;
        if (taken != null) {
            taken.end().forEach(engine::count);
        }
        if (charge != null) {
            charge.settle(ifUnknown(verdict, costsHold));
        }
        engine.report(period, slot, slice, startedAt, verdict, failure);
        return true;
    }

    private static IfUnknown ifUnknown(Verdict verdict, boolean costsHold) {
        return !costsHold ? IfUnknown.NOTHING : verdict == Verdict.SUCCESS ? IfUnknown.USUAL : IfUnknown.HOLD;
    }

    /** Gives back what the state gave, as though it had never been asked; false if it gave nothing. */
    boolean withdraw() {
        if (period == null || !REPORTED.compareAndSet(this, 0, 1)) {
            return false;
        }
        engine.withdraw(period, slot, slice);
        return true;
    }

    /** Whether the period that gave it has ended. */
    boolean isOutdated() {
        return period != null && engine.state.period != period;
    }

    void charge(Charge made) {
        charge = made;
    }

    @Nullable Charge charge() {
        return charge;
    }

    /** Whether calls made inside must know that they are: to ride on a probe, or to be charged to its budgets. */
    public boolean isToAttach() {
        return isProbe() || charge != null;
    }

    boolean isProbeOf(Period candidate) {
        return slot != null && period == candidate && reported == 0;
    }
}
