package dev.guardedby.spring.aop;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts the costs that could not be booked: nobody sees them in the totals, so somebody has to see that they are missing. */
final class LostCosts {
    private final Map<String, LongAdder> byExpression = new ConcurrentHashMap<>();
    private final LongAdder outside = new LongAdder();

    /** A call has succeeded and its cost expression has failed. */
    void byExpression(String breaker) {
        byExpression.computeIfAbsent(breaker, name -> new LongAdder()).increment();
    }

    /** A cost was recorded outside every guarded call. */
    void outside() {
        outside.increment();
    }

    long countByExpression(String breaker) {
        LongAdder count = byExpression.get(breaker);
        return count == null ? 0 : count.sum();
    }

    long countOutside() {
        return outside.sum();
    }
}
