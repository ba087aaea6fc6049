package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.HalfOpen.Slot;
import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Running.Slice;
import java.math.BigDecimal;
import java.util.Objects;
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
        engine.totals.add(cost);
        if (charge != null) {
            charge.record(cost);
        }
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
        if (charge != null) {
            charge.settle(costsHold);
        }
        engine.report(period, slot, slice, startedAt, verdict, failure);
        return true;
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

    /** Whether calls made inside must know that they are. */
    boolean isToAttach() {
        return isProbe() || charge != null;
    }

    boolean isProbeOf(Period candidate) {
        return slot != null && period == candidate && reported == 0;
    }
}
