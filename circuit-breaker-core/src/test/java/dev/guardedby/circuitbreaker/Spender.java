package dev.guardedby.circuitbreaker;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** A breaker whose calls cost tokens, and what these know to have cost in all and on each day. */
final class Spender {
    final CircuitBreaker breaker;
    /** What a call holds that does not say. */
    final long estimate;

    final LongAdder tokens = new LongAdder();
    final LongAdder calls = new LongAdder();
    final LongAdder ended = new LongAdder();
    final LongAdder refused = new LongAdder();
    /** Those of which nobody knows whether they would have been refused. */
    final LongAdder givenUp = new LongAdder();

    private final List<LongAdder> tokensOfDays = new ArrayList<>();

    Spender(CircuitBreaker.Builder builder, long estimate, int days) {
        this.breaker = builder.estimatePerCall(tokens(estimate)).build();
        this.estimate = estimate;
        for (int day = 0; day < days; day++) {
            tokensOfDays.add(new LongAdder());
        }
    }

    static Cost tokens(long amount) {
        return new Cost(amount / 2, amount - amount / 2, 0);
    }

    long tokensOf(int day) {
        return tokensOfDays.get(day).sum();
    }

    /** A call has ended. */
    void ended(int day, long cost, boolean isCall) {
        ended.increment();
        calls.add(isCall ? 1 : 0);
        add(day, cost);
    }

    void add(int day, long cost) {
        tokens.add(cost);
        tokensOfDays.get(day).add(cost);
    }
}
