package dev.guardedby.spring.keys;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.ClassUtils;

/** The breakers of the application that have keys. It is public for the annotation, which gives them, and for the metrics. */
public final class Keys {
    /**
     * What is counted of a breaker that has keys, beside its stats.
     *
     * @param invalid calls that were not made, because their key was none
     * @param overflow calls that went through the breaker of the name, because no more keys could be kept
     */
    public record Counts(LongAdder invalid, LongAdder overflow) {}

    private final ObjectProvider<ConfiguredBreakers> configuration;
    private final ObjectProvider<LongSupplier> ticker;
    private final boolean canBeKept;
    // Weak, and no value holds its breaker: one that has left the registry goes, with its keys, once nobody guards by
    // it
    // any more. Until then, and if it comes back, it counts on.
    private final Map<CircuitBreaker, Counts> counts = new WeakHashMap<>();
    private final List<BiConsumer<CircuitBreaker, Counts>> listeners = new CopyOnWriteArrayList<>();

    /**
     * No keys yet.
     *
     * @param configuration says how many keys a breaker keeps
     * @param ticker the time by which idle keys are forgotten; without one, the system's
     * @param classes where Caffeine is looked for
     */
    public Keys(
            ObjectProvider<ConfiguredBreakers> configuration,
            ObjectProvider<LongSupplier> ticker,
            @Nullable ClassLoader classes) {
        this.configuration = configuration;
        this.ticker = ticker;
        this.canBeKept = ClassUtils.isPresent("com.github.benmanes.caffeine.cache.Caffeine", classes);
    }

    /** Whether there is anything that can keep them. */
    public boolean canBeKept() {
        return canBeKept;
    }

    /** What is counted of a breaker and its keys, which it is given if it has none. */
    public Counts of(CircuitBreaker breaker) {
        ConfiguredBreakers configured = configuration.getIfAvailable();
        int most = configured == null ? ConfiguredBreakers.DEFAULT_MAX_KEYS : configured.maxKeys(breaker.name());
        LongSupplier time = ticker.getIfAvailable(() -> System::nanoTime);
        Counts made = new Counts(new LongAdder(), new LongAdder());
        synchronized (counts) {
            Counts earlier = counts.get(breaker);
            if (earlier != null) {
                return earlier;
            }
            // Whoever built the breaker may have given it a keeper of their own.
            if (breaker.keys().isEmpty()) {
                breaker.keyedBy(new CaffeineKeys(breaker, most, time, made.overflow()));
            }
            counts.put(breaker, made);
        }
        listeners.forEach(listener -> listener.accept(breaker, made));
        return made;
    }

    /** Tells the listener of each breaker that has keys, at least once. */
    public void onKeyed(BiConsumer<CircuitBreaker, Counts> listener) {
        listeners.add(listener);
        Map<CircuitBreaker, Counts> present;
        synchronized (counts) {
            present = Map.copyOf(counts);
        }
        present.forEach(listener);
    }
}
