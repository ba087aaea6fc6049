package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Estimate;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Learns what the calls of a method cost as a rule, to hold that much of budgets where nobody can tell more.
 *
 * <p>It is the 95th percentile of the last 100 calls, told from the tenth on. Thread-safe, without a lock; calls that end at the same time
 * may be learnt in any order.
 */
final class LearntCost {
    /** How many calls are remembered. */
    static final int SAMPLES = 100;
    /** After how many calls it is computed anew; the first samples suffice by then. */
    static final int RECOMPUTE_EVERY = 10;

    private final AtomicReferenceArray<@Nullable Cost> last = new AtomicReferenceArray<>(SAMPLES);
    private final AtomicLong calls = new AtomicLong();
    private volatile Estimate likely = Estimate.UNKNOWN;

    /** What the next call is likely to cost; unknown at first. */
    Estimate likely() {
        return likely;
    }

    /** A call has cost so much. */
    void add(Cost cost) {
        long before = calls.getAndIncrement();
        last.set((int) (before % SAMPLES), cost);
        if ((before + 1) % RECOMPUTE_EVERY == 0) {
            likely = recomputed();
        }
    }

    private Estimate recomputed() {
        Cost[] known = new Cost[SAMPLES];
        int count = 0;
        for (int i = 0; i < SAMPLES; i++) {
            Cost cost = last.get(i);
            if (cost != null) {
                known[count++] = cost;
            }
        }
        Cost[] costs = Arrays.copyOf(known, count);
        return Estimate.likely(new Cost(
                quantile(Arrays.stream(costs).mapToLong(Cost::inputTokens).toArray()),
                quantile(Arrays.stream(costs).mapToLong(Cost::outputTokens).toArray()),
                quantile(Arrays.stream(costs).mapToLong(Cost::nanoUsd).toArray())));
    }

    /** The 95th percentile: the least that 19 of 20 do not pass. */
    private static long quantile(long[] amounts) {
        Arrays.sort(amounts);
        return amounts[(amounts.length * 19 + 19) / 20 - 1];
    }
}
