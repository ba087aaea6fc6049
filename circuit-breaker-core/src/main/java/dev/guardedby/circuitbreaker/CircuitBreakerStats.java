package dev.guardedby.circuitbreaker;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A breaker's counts at one instant: an immutable value.
 *
 * <p>The state, the counts of transitions, the time of the last one and the consecutive failures belong together: they come
 * from one period, read once. Totals only grow, over the whole life of the breaker; each is exact once the calls that it
 * counts have returned.
 */
public final class CircuitBreakerStats {
    private final State seen;
    private final long now;
    private final long totalSuccesses;
    private final long totalFailures;
    private final @Nullable Instant lastFailureAt;
    private final Cost totalCost;
    private final long totalIgnored;
    private final long totalRejected;
    private final long wouldReject;
    private final long stale;
    private final long late;
    private final long unreported;

    CircuitBreakerStats(State seen, Totals totals, long now) {
        this.seen = seen;
        this.now = now;
        totalSuccesses = totals.successes();
        totalFailures = totals.failures();
        lastFailureAt = totals.lastFailureAt;
        totalCost = totals.cost;
        totalIgnored = totals.ignored;
        totalRejected = totals.rejected();
        wouldReject = totals.wouldReject;
        stale = totals.stale;
        late = totals.late;
        unreported = totals.unreported;
    }

    /** Calls that counted as {@link Outcome#SUCCESS}. */
    public long totalSuccesses() {
        return totalSuccesses;
    }

    /** Calls that counted as {@link Outcome#FAILURE}. */
    public long totalFailures() {
        return totalFailures;
    }

    /** Transitions to OPEN. */
    public long timesOpened() {
        return seen.period.history.timesOpened;
    }

    /** Transitions to HALF_OPEN. */
    public long timesHalfOpened() {
        return seen.period.history.timesHalfOpened;
    }

    /** Transitions to CLOSED. */
    public long timesClosed() {
        return seen.period.history.timesClosed;
    }

    /** When a failure was last counted, whatever the state; null if never. */
    public @Nullable Instant lastFailureAt() {
        return lastFailureAt;
    }

    /** When the state last changed; null if never. */
    public @Nullable Instant lastStateChangeAt() {
        Transition last = seen.period.history.last();
        return last == null ? null : last.at();
    }

    /** Failures since the last success, over all periods. */
    public long consecutiveFailures() {
        return seen.streak;
    }

    /** Tokens sent, as recorded; stops at {@link Long#MAX_VALUE}. */
    public long totalInputTokens() {
        return totalCost.inputTokens();
    }

    /** Tokens received, as recorded; stops at {@link Long#MAX_VALUE}. */
    public long totalOutputTokens() {
        return totalCost.outputTokens();
    }

    /** US dollars as recorded, exact to the nano-USD; stops at 9,223,372,036.854775807. */
    public BigDecimal totalEstimatedCost() {
        return totalCost.usd();
    }

    /** The state; an OPEN whose wait is over is OPEN until somebody looks. */
    public CircuitState state() {
        return seen.circuitState();
    }

    /** Calls that counted as {@link Outcome#IGNORED}. */
    public long totalIgnored() {
        return totalIgnored;
    }

    /** Calls that were refused. */
    public long totalRejected() {
        return totalRejected;
    }

    /** Calls that {@link Mode#OBSERVE} let run where {@link Mode#ENFORCE} would have refused them. */
    public long wouldReject() {
        return wouldReject;
    }

    /** Results that came after their period had ended; the totals count them, too. */
    public long stale() {
        return stale;
    }

    /** Failures of probes that came after another caller had taken the slot over; the totals count them, too. */
    public long late() {
        return late;
    }

    /** Permits closed without a report; {@link #totalIgnored()} counts them, too. */
    public long unreported() {
        return unreported;
    }

    /** Time spent CLOSED, by the ticker, the present period included. */
    public Duration timeClosed() {
        return timeIn(CircuitState.CLOSED);
    }

    /** Time spent OPEN, by the ticker, the present period included. */
    public Duration timeOpen() {
        return timeIn(CircuitState.OPEN);
    }

    /** Time spent HALF_OPEN, by the ticker, the present period included. */
    public Duration timeHalfOpen() {
        return timeIn(CircuitState.HALF_OPEN);
    }

    private Duration timeIn(CircuitState state) {
        Period period = seen.period;
        long elapsed = Math.max(0, now - period.startedAt);
        return period.history.after(seen.circuitState(), elapsed).in(state);
    }

    /**
     * Every value under its accessor's name, in the order of the accessors, ready for JSON: numbers, text and null; instants
     * and durations in ISO-8601. Unmodifiable.
     */
    public Map<String, Object> toMap() {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("totalSuccesses", totalSuccesses());
        map.put("totalFailures", totalFailures());
        map.put("timesOpened", timesOpened());
        map.put("timesHalfOpened", timesHalfOpened());
        map.put("timesClosed", timesClosed());
        map.put("lastFailureAt", text(lastFailureAt()));
        map.put("lastStateChangeAt", text(lastStateChangeAt()));
        map.put("consecutiveFailures", consecutiveFailures());
        map.put("totalInputTokens", totalInputTokens());
        map.put("totalOutputTokens", totalOutputTokens());
        map.put("totalEstimatedCost", totalEstimatedCost());
        map.put("state", state().name());
        map.put("totalIgnored", totalIgnored());
        map.put("totalRejected", totalRejected());
        map.put("wouldReject", wouldReject());
        map.put("stale", stale());
        map.put("late", late());
        map.put("unreported", unreported());
        map.put("timeClosed", timeClosed().toString());
        map.put("timeOpen", timeOpen().toString());
        map.put("timeHalfOpen", timeHalfOpen().toString());
        return Collections.unmodifiableMap(map);
    }

    private static @Nullable String text(@Nullable Instant instant) {
        return instant == null ? null : instant.toString();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CircuitBreakerStats stats && toMap().equals(stats.toMap());
    }

    @Override
    public int hashCode() {
        return toMap().hashCode();
    }

    @Override
    public String toString() {
        return "CircuitBreakerStats" + toMap();
    }
}
