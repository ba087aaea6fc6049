package dev.guardedby.spring.aop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/**
 * Counts the costs that could not be booked: the totals cannot show what is missing from them. It is public for the metrics,
 * which publish it.
 */
public final class LostCosts {
    private final LongAdder outside = new LongAdder();
    private final Map<String, LongAdder> byExpression = new ConcurrentHashMap<>();
    private final List<BiConsumer<String, LongAdder>> listeners = new CopyOnWriteArrayList<>();

    LostCosts() {}

    /** Records made outside every guarded call. */
    LongAdder outside() {
        return outside;
    }

    /** Calls of a breaker that have succeeded and whose cost expression has failed. */
    LongAdder byExpression(String breaker) {
        LongAdder present = byExpression.get(breaker);
        if (present != null) {
            return present;
        }
        LongAdder made = new LongAdder();
        LongAdder earlier = byExpression.putIfAbsent(breaker, made);
        if (earlier != null) {
            return earlier;
        }
        listeners.forEach(listener -> listener.accept(breaker, made));
        return made;
    }

    /** Tells the listener of each breaker with a cost expression, at least once. */
    public void onExpression(BiConsumer<String, LongAdder> listener) {
        listeners.add(listener);
        byExpression.forEach(listener);
    }
}
