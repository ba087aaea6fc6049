package dev.guardedby.spring.aop;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the costs that could not be booked, or not be foreseen: the totals cannot show what is missing from them. It is public for the
 * metrics, which publish it.
 */
public final class LostCosts {
    private final LongAdder outside = new LongAdder();
    private final Map<Loss, LongAdder> counts = new ConcurrentHashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    /** Why the cost of a call could not be booked. */
    public enum Reason {
        /** The {@code cost} expression failed. */
        EXPRESSION,
        /** What reads usages from results threw. */
        EXTRACTOR,
        /** The result does not tell what was used. */
        USAGE,
        /** There is no price for what was used: the tokens are booked, the dollars are not. */
        PRICE,
        /** What reads from arguments what a model will be asked for threw: what the call may cost was not known before. */
        REQUEST;

        /** The reason as the metrics have it, {@code expression}. */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Is told of what is counted. */
    public interface Listener {
        /** Takes the count of a breaker's costs that were lost for one reason; it goes on counting. */
        void counting(String breaker, Reason reason, LongAdder count);
    }

    private record Loss(String breaker, Reason reason) {}

    LostCosts() {}

    /** Records made outside every guarded call. */
    LongAdder outside() {
        return outside;
    }

    /** Calls of a breaker whose cost was lost for a reason. */
    LongAdder of(String breaker, Reason reason) {
        Loss loss = new Loss(breaker, reason);
        LongAdder present = counts.get(loss);
        if (present != null) {
            return present;
        }
        LongAdder made = new LongAdder();
        LongAdder earlier = counts.putIfAbsent(loss, made);
        if (earlier != null) {
            return earlier;
        }
        listeners.forEach(listener -> listener.counting(breaker, reason, made));
        return made;
    }

    /** Tells the listener of each count that there is, and of each that is begun later, at least once. */
    public void onCount(Listener listener) {
        listeners.add(listener);
        counts.forEach((loss, count) -> listener.counting(loss.breaker, loss.reason, count));
    }
}
