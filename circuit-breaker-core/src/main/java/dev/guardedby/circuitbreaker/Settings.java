package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a breaker was told: the one home of each setting and its default.
 *
 * <p>A builder writes to its own; the breaker gets a checked copy, which nobody writes to any more.
 */
final class Settings implements Cloneable {
    private static final int DEFAULT_FAILURE_THRESHOLD = 5;
    private static final int DEFAULT_MINIMUM_CALLS = 20;
    // With one wait for everybody, instances that tripped together would probe together.
    private static final double DEFAULT_JITTER_OF_GROWING_WAITS = 0.2;
    private static final int DEFAULT_MOST_WAITS = 10;
    private static final Duration DEFAULT_RECOVERY_TIMEOUT = Duration.ofMinutes(5);
    private static final Duration DEFAULT_PROBE_TIMEOUT = Duration.ofMinutes(1);
    private static final Duration DEFAULT_HOLD_TIMEOUT = Duration.ofMinutes(15);
    private static final Duration SHORTEST_MEMORY = Duration.ofMinutes(10);
    /** All defaults, shared by the breakers that nobody told anything; not to be written to. */
    static final Settings DEFAULT = new Settings();

    @Nullable Integer failureThreshold;

    @Nullable Double failureRateThreshold;

    @Nullable Duration slowCallDuration;

    @Nullable Double slowCallRateThreshold;

    int windowCalls = 100;

    @Nullable Duration windowLength;

    @Nullable Integer minimumCalls;

    Duration recoveryTimeout = DEFAULT_RECOVERY_TIMEOUT;
    double recoveryBackoffMultiplier = 1;

    @Nullable Duration maxRecoveryTimeout;

    @Nullable Double recoveryJitter;

    List<Function<? super Throwable, Optional<Duration>>> retryAfter = List.of();

    @Nullable Duration rampUp;

    int probes = 1;

    @Nullable Integer successesToClose;

    Duration probeTimeout = DEFAULT_PROBE_TIMEOUT;
    OutcomeRules rules = OutcomeRules.DEFAULT;
    /** Those of the breaker itself, or of each of its keys. */
    List<Budget> budgets = List.of();
    /** Those that breakers share. */
    List<Budget> chargeTo = List.of();

    /** Null for one that the breaker has for itself. */
    @Nullable Ledger ledger;

    Cost estimatePerCall = Cost.ZERO;
    Duration holdTimeout = DEFAULT_HOLD_TIMEOUT;
    ChargedFailures chargeOnFailure = ChargedFailures.READ_TIMEOUTS;
    Mode mode = Mode.ENFORCE;
    /** Whether a change of a live breaker is one of the mode, too. */
    boolean modeWritten;

    List<CircuitBreakerListener> listeners = List.of();
    LongSupplier ticker = System::nanoTime;
    InstantSource clock = InstantSource.system();
    private boolean wantsDurations;
    /** How often the settings of the name had been changed: what was changed for one key alone is of the edition it was made from. */
    long edition;

    /** Consecutive failures that trip, or 0 for no such rule: a rate rule replaces the default, never what was written. */
    int failureThreshold() {
        if (failureThreshold != null) {
            return failureThreshold;
        }
        return failureRateThreshold == null ? DEFAULT_FAILURE_THRESHOLD : 0;
    }

    boolean hasBudgets() {
        return !budgets.isEmpty() || !chargeTo.isEmpty();
    }

    /** The first there is, where it matters to nobody which. */
    Budget anyBudget() {
        return budgets.isEmpty() ? chargeTo.get(0) : budgets.get(0);
    }

    boolean hasRateRule() {
        return failureRateThreshold != null || slowCallRateThreshold != null;
    }

    int minimumCalls() {
        if (minimumCalls != null) {
            return minimumCalls;
        }
        return windowLength == null ? Math.min(DEFAULT_MINIMUM_CALLS, windowCalls) : DEFAULT_MINIMUM_CALLS;
    }

    boolean isFailureRate(long failures, long calls) {
        return failureRateThreshold != null
                && calls >= minimumCalls()
                && failures * 100.0 >= failureRateThreshold * calls;
    }

    boolean isSlowCallRate(long slow, long calls) {
        return slowCallRateThreshold != null
                && calls >= minimumCalls()
                && slow * 100.0 >= slowCallRateThreshold * calls;
    }

    /** Whether calls are to be timed. */
    boolean isTimed() {
        return slowCallDuration != null || wantsDurations;
    }

    boolean isSlow(long durationNanos) {
        return slowCallDuration != null && durationNanos >= slowCallDuration.toNanos();
    }

    Duration maxRecoveryTimeout() {
        if (maxRecoveryTimeout != null) {
            return maxRecoveryTimeout;
        }
        return recoveryTimeout.compareTo(Require.LONGEST.dividedBy(DEFAULT_MOST_WAITS)) > 0
                ? Require.LONGEST
                : recoveryTimeout.multipliedBy(DEFAULT_MOST_WAITS);
    }

    double recoveryJitter() {
        if (recoveryJitter != null) {
            return recoveryJitter;
        }
        return recoveryBackoffMultiplier > 1 ? DEFAULT_JITTER_OF_GROWING_WAITS : 0;
    }

    /**
     * The wait of one OPEN period, in nanoseconds.
     *
     * @param failedRecoveries how many recoveries have failed in a row
     * @param hint what the remote asked for; 0 if nothing
     * @param chance from 0 to below 1, drawn for this period
     */
    long waitNanos(int failedRecoveries, Duration hint, double chance) {
        long base = recoveryTimeout.toNanos();
        long cap = maxRecoveryTimeout().toNanos();
        // In floating point, which grows to infinity where a long would wrap, and becomes the largest long again.
        long grown = failedRecoveries == 0 || recoveryBackoffMultiplier == 1
                ? base
                : Math.min(cap, (long) (base * Math.pow(recoveryBackoffMultiplier, failedRecoveries)));
        double spread = recoveryJitter() * chance;
        long wait = spread == 0 ? grown : Math.max(1, (long) (grown * (1 - spread)));
        if (hint.isZero()) {
            return wait;
        }
        // Later than asked for, never earlier.
        long asked = hint.compareTo(Require.LONGEST) > 0 ? cap : hint.toNanos();
        long late = Math.max(asked, (long) Math.ceil(asked * (1 + spread)));
        return Math.max(wait, Math.min(cap, late));
    }

    /**
     * How long after the last call it may still matter what calls have left behind. Who lets a breaker wait or measure for longer
     * than the ten minutes thinks in longer times.
     */
    long memoryNanos() {
        long memory = Math.max(SHORTEST_MEMORY.toNanos(), Math.max(recoveryTimeout.toNanos(), probeTimeout.toNanos()));
        return windowLength == null ? memory : Math.max(memory, windowLength.toNanos());
    }

    /** How long the remote asked to be left alone; zero if it did not. A hint that throws is no hint. */
    Duration hint(@Nullable Throwable failure, Verdict verdict) {
        // What somebody wrote for their remote knows more than the header that all have.
        for (Throwable layer : failure == null ? List.<Throwable>of() : OutcomeRules.layers(failure)) {
            for (Function<? super Throwable, Optional<Duration>> source : retryAfter) {
                try {
                    Optional<Duration> hint = source.apply(layer);
                    if (hint.isPresent() && !hint.get().isNegative()) {
                        return hint.get();
                    }
                } catch (Throwable broken) {
                    Deliveries.warn("A retry-after hint threw; the wait does without it", broken);
                }
            }
        }
        return verdict.retryAfter == null ? Duration.ZERO : verdict.retryAfter.from(clock);
    }

    int successesToClose() {
        return successesToClose == null ? probes : successesToClose;
    }

    /** What has a value, by the name of its key in {@code application.yml}; the mode is the one that the breaker is in. */
    Map<String, Object> shown(Mode present) {
        Map<String, Object> shown = new LinkedHashMap<>();
        put(shown, "failure-threshold", failureThreshold() == 0 ? null : failureThreshold());
        put(shown, "failure-rate-threshold", failureRateThreshold);
        put(shown, "slow-call-duration", slowCallDuration);
        put(shown, "slow-call-rate-threshold", slowCallRateThreshold);
        put(shown, "window", windowLength == null ? windowCalls : windowLength);
        put(shown, "minimum-calls", minimumCalls());
        put(shown, "recovery-timeout", recoveryTimeout);
        put(shown, "recovery-backoff-multiplier", recoveryBackoffMultiplier);
        put(shown, "max-recovery-timeout", maxRecoveryTimeout());
        put(shown, "recovery-jitter", recoveryJitter());
        put(shown, "ramp-up", rampUp);
        put(shown, "probes", probes);
        put(shown, "successes-to-close", successesToClose());
        put(shown, "probe-timeout", probeTimeout);
        put(shown, "hold-timeout", hasBudgets() ? holdTimeout : null);
        put(shown, "mode", present);
        return Collections.unmodifiableMap(shown);
    }

    private static void put(Map<String, Object> shown, String key, @Nullable Object value) {
        if (value != null) {
            shown.put(key, value);
        }
    }

    void add(CircuitBreakerListener listener) {
        listeners = OutcomeRules.with(listeners, listener);
        wantsDurations |= listener.wantsDurations();
    }

    /** Adds a budget, or puts it in place of the one of that name. */
    static List<Budget> with(List<Budget> budgets, Budget budget) {
        List<Budget> others = budgets.stream()
                .filter(present -> !present.name().equals(budget.name()))
                .toList();
        return OutcomeRules.with(others, budget);
    }

    void add(Function<? super Throwable, Optional<Duration>> hint) {
        retryAfter = OutcomeRules.with(retryAfter, hint);
    }

    /** Refuses a change of what a breaker keeps for its whole life. */
    void requireSameLife(Settings earlier) {
        Require.same("ticker", ticker, earlier.ticker);
        Require.same("clock", clock, earlier.clock);
        Require.same("listener", listeners, earlier.listeners);
        Require.same("ledger", ledger, earlier.ledger);
    }

    /** A copy that holds together, or an exception that names what does not. */
    Settings checked() {
        if (failureThreshold != null) {
            Require.atLeast(1, "failure-threshold", failureThreshold);
        }
        Require.percent("failure-rate-threshold", failureRateThreshold);
        Require.percent("slow-call-rate-threshold", slowCallRateThreshold);
        Require.positive("slow-call-duration", slowCallDuration);
        Require.together("slow-call-rate-threshold", slowCallRateThreshold, "slow-call-duration", slowCallDuration);
        Require.together("slow-call-duration", slowCallDuration, "slow-call-rate-threshold", slowCallRateThreshold);
        if (windowLength == null) {
            Require.atLeast(1, "window", windowCalls);
        }
        Require.positive("window", windowLength);
        Require.atLeast(1, "minimum-calls", minimumCalls());
        if (windowLength == null) {
            Require.atMost("minimum-calls", minimumCalls(), "window", windowCalls);
        }
        Require.positive("recovery-timeout", recoveryTimeout);
        Require.factor("recovery-backoff-multiplier", recoveryBackoffMultiplier);
        Require.positive("max-recovery-timeout", maxRecoveryTimeout());
        Require.atLeast("max-recovery-timeout", maxRecoveryTimeout(), "recovery-timeout", recoveryTimeout);
        Require.share("recovery-jitter", recoveryJitter());
        Require.positive("ramp-up", rampUp);
        Require.atLeast(1, "probes", probes);
        Require.atLeast(1, "successes-to-close", successesToClose());
        Require.atMost("successes-to-close", successesToClose(), "probes", probes);
        Require.positive("probe-timeout", probeTimeout);
        Require.positive("hold-timeout", holdTimeout);
        checkBudgets();
        return this == DEFAULT ? this : copy();
    }

    private void checkBudgets() {
        List<String> shared = chargeTo.stream().map(Budget::name).toList();
        Require.together("charge-to", shared.isEmpty() ? null : shared, "ledger", ledger);
        for (Budget budget : chargeTo) {
            if (Gate.isOfCalls(budget)) {
                throw new IllegalArgumentException(
                        "charge-to must name budgets with a window that breakers can share, but '" + budget.name()
                                + "' was per call");
            }
            if (budgets.stream().anyMatch(own -> own.name().equals(budget.name()))) {
                throw new IllegalArgumentException(
                        "charge-to must name other budgets than those of the breaker itself, but both have '"
                                + budget.name() + "'");
            }
        }
        if (hasBudgets()) {
            Gate.rehearsed();
        }
    }

    Settings copy() {
        try {
            return (Settings) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
