package dev.guardedby.spring.keys;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.ClassUtils;

/** The breakers of the application that have keys. It is public for the annotation, which gives them, and for the metrics. */
public final class Keys {
    /**
     * A breaker that has keys, and what is counted beside its stats.
     *
     * @param breaker the breaker of the name
     * @param invalid calls that were not made, because their key was none
     * @param overflow calls that went through the breaker of the name, because no more keys could be kept
     */
    public record Keyed(CircuitBreaker breaker, LongAdder invalid, LongAdder overflow) {
        /** How many keys are kept now. */
        public int size() {
            return breaker.keys().map(keys -> keys.size()).orElse(0);
        }
    }

    private final ObjectProvider<ConfiguredBreakers> configuration;
    private final ObjectProvider<LongSupplier> ticker;
    private final boolean canBeKept;
    private final Map<CircuitBreaker, Keyed> keyed = new ConcurrentHashMap<>();
    private final List<Consumer<Keyed>> listeners = new CopyOnWriteArrayList<>();

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

    /** The breaker with its keys; it is given them if it has none. */
    public Keyed of(CircuitBreaker breaker) {
        Keyed known = keyed.get(breaker);
        if (known != null) {
            return known;
        }
        ConfiguredBreakers configured = configuration.getIfAvailable();
        int most = configured == null ? ConfiguredBreakers.DEFAULT_MAX_KEYS : configured.maxKeys(breaker.name());
        LongAdder overflow = new LongAdder();
        CaffeineKeys keeper = new CaffeineKeys(breaker, most, ticker.getIfAvailable(() -> System::nanoTime), overflow);
        Keyed made = new Keyed(breaker, new LongAdder(), overflow);
        synchronized (this) {
            Keyed earlier = keyed.get(breaker);
            if (earlier != null) {
                return earlier;
            }
            // Whoever built the breaker may have given it a keeper of their own.
            if (breaker.keys().isEmpty()) {
                breaker.keyedBy(keeper);
            }
            // Last: who finds it here takes no lock, and asks for keys at once.
            keyed.put(breaker, made);
        }
        listeners.forEach(listener -> listener.accept(made));
        return made;
    }

    /** Tells the listener of each breaker that has keys, at least once. */
    public void onKeyed(Consumer<Keyed> listener) {
        listeners.add(listener);
        keyed.values().forEach(listener);
    }
}
