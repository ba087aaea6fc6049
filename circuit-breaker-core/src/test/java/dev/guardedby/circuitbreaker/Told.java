package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Transition.Cause;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a listener was told by one thread. */
final class Told implements CircuitBreakerListener {
    /** A transition without what differs between two breakers that do the same. */
    record Move(
            CircuitState from,
            CircuitState to,
            Cause cause,
            Instant at,
            long failures,
            Map<String, Long> failureClasses) {}

    final List<Move> moves = new ArrayList<>();
    final Map<Outcome, Long> results = new EnumMap<>(Outcome.class);
    long refusals;

    static Move moveOf(Transition transition) {
        return new Move(
                transition.from(),
                transition.to(),
                transition.cause(),
                transition.at(),
                transition.evidence().failures(),
                transition.evidence().topFailures());
    }

    @Override
    public void onTransition(Transition told) {
        moves.add(moveOf(told));
    }

    @Override
    public void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
        results.merge(outcome, 1L, Long::sum);
    }

    @Override
    public void onRefused(CircuitBreaker breaker, Refusal refusal) {
        refusals++;
    }
}
