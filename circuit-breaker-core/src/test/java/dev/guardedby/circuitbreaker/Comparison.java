package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Difference.same;

import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares all that a breaker shows and tells with what the naive one does. */
final class Comparison {
    private final CircuitBreaker breaker;
    private final NaiveBreaker naive;
    private final @Nullable Told told;
    /** The causes, reasons and rarities that came up. */
    final Set<Enum<?>> seen = new HashSet<>();

    Comparison(CircuitBreaker breaker, NaiveBreaker naive, @Nullable Told told) {
        this.breaker = breaker;
        this.naive = naive;
        this.told = told;
    }

    void compareRefusal(CallNotPermittedException refusal) {
        same("state() of the refusal", naive.state, refusal.state());
        same("reason of the refusal", naive.refusedBecause, refusal.refusal().reason());
        same("retryAfter() of the refusal", positive(naive.untilRetry()), refusal.retryAfter());
    }

    void compare() {
        CircuitBreakerStats stats = breaker.stats();
        same("state", naive.state, stats.state());
        same("totalSuccesses", naive.successes, stats.totalSuccesses());
        same("totalFailures", naive.failures, stats.totalFailures());
        same("timesOpened", naive.opened, stats.timesOpened());
        same("timesHalfOpened", naive.halfOpened, stats.timesHalfOpened());
        same("timesClosed", naive.closed, stats.timesClosed());
        same("lastFailureAt", naive.lastFailureAt, stats.lastFailureAt());
        same("lastStateChangeAt", naive.lastChangeAt, stats.lastStateChangeAt());
        same("consecutiveFailures", naive.streak, stats.consecutiveFailures());
        same("totalInputTokens", naive.inputTokens, stats.totalInputTokens());
        same("totalOutputTokens", naive.outputTokens, stats.totalOutputTokens());
        same("totalEstimatedCost", 0, naive.usd.compareTo(stats.totalEstimatedCost()));
        same("totalIgnored", naive.ignored, stats.totalIgnored());
        same("totalRejected", naive.rejected, stats.totalRejected());
        same("wouldReject", naive.wouldReject, stats.wouldReject());
        same("stale", naive.stale, stats.stale());
        same("late", naive.late, stats.late());
        same("unreported", naive.unreported, stats.unreported());
        same("timeClosed", naive.timeIn(CircuitState.CLOSED), stats.timeClosed());
        same("timeOpen", naive.timeIn(CircuitState.OPEN), stats.timeOpen());
        same("timeHalfOpen", naive.timeIn(CircuitState.HALF_OPEN), stats.timeHalfOpen());
        same("mode()", naive.mode, breaker.mode());

        Refusal refusal = breaker.refusal().orElse(null);
        same("refusal()", naive.refusal(), refusal == null ? null : refusal.reason());
        if (refusal != null) {
            seen.add(refusal.reason());
            same("retryAfter() of refusal()", positive(naive.retryAfter()), refusal.retryAfter());
        }
        if (!naive.moves.isEmpty()) {
            Transition last = breaker.lastTransition().orElseThrow();
            same("lastTransition()", naive.moves.get(naive.moves.size() - 1), Told.moveOf(last));
        }
        if (told != null) {
            same("transitions told", naive.moves, told.moves);
            told.moves.clear();
            same("successes told", naive.successes, told.results.getOrDefault(Outcome.SUCCESS, 0L));
            same("failures told", naive.failures, told.results.getOrDefault(Outcome.FAILURE, 0L));
            same("ignored told", naive.ignored, told.results.getOrDefault(Outcome.IGNORED, 0L));
            same("refusals told", naive.rejected, told.refusals);
        }
        naive.moves.forEach(move -> seen.add(move.cause()));
        naive.moves.clear();
        seen.addAll(naive.rarities);
    }

    static Optional<Duration> positive(long nanos) {
        return nanos == 0 ? Optional.empty() : Optional.of(Duration.ofNanos(nanos));
    }
}
