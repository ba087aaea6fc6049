package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import dev.guardedby.spring.keys.Keys.Counts;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * The meters of all keys of one breaker together: how many are kept and how many of them are open, and the calls for whose keys
 * there was no room or no use.
 */
final class KeptKeyMeters {
    // Not the breaker, which would hold itself: its meters are kept as long as it is.
    private final Counts counts;

    KeptKeyMeters(Counts counts) {
        this.counts = counts;
    }

    List<Meter> register(CircuitBreaker breaker, Tags tags, MeterRegistry registry) {
        return List.of(
                gauge("guardedby.keys", "Keys that are kept", breaker, KeyedBreakers::size, tags, registry),
                gauge("guardedby.keys.open", "Keys that are open", breaker, KeptKeyMeters::open, tags, registry),
                BreakerMeters.counter(
                        "guardedby.keys.overflow",
                        "Calls that shared the breaker of the name, because no more keys could be kept",
                        tags,
                        counts.overflow(),
                        registry),
                BreakerMeters.counter(
                        "guardedby.keys.invalid",
                        "Calls that were not made, because their key was none",
                        tags,
                        counts.invalid(),
                        registry));
    }

    private static Meter gauge(
            String name,
            String description,
            CircuitBreaker breaker,
            ToIntFunction<KeyedBreakers> count,
            Tags tags,
            MeterRegistry registry) {
        return Gauge.builder(name, () -> breaker.keys().map(count::applyAsInt).orElse(0))
                .description(description)
                .tags(tags)
                .register(registry);
    }

    private static int open(KeyedBreakers keys) {
        return keys.states().getOrDefault(CircuitState.OPEN, 0);
    }
}
