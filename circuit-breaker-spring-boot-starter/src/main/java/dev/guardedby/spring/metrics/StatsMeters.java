package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.CircuitState;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The meters that show a breaker's stats: reading them moves nothing and costs the calls nothing. */
final class StatsMeters {
    private static final Map<String, ToDoubleFunction<CircuitBreakerStats>> NUMBERS = new LinkedHashMap<>();
    private static final Map<String, Function<CircuitBreakerStats, Duration>> TIMES = new LinkedHashMap<>();
    private static final Map<String, Function<CircuitBreakerStats, @Nullable Instant>> AGES = new LinkedHashMap<>();

    static {
        NUMBERS.put("total.successes", CircuitBreakerStats::totalSuccesses);
        NUMBERS.put("total.failures", CircuitBreakerStats::totalFailures);
        NUMBERS.put("times.opened", CircuitBreakerStats::timesOpened);
        NUMBERS.put("times.half.opened", CircuitBreakerStats::timesHalfOpened);
        NUMBERS.put("times.closed", CircuitBreakerStats::timesClosed);
        NUMBERS.put("consecutive.failures", CircuitBreakerStats::consecutiveFailures);
        NUMBERS.put("total.input.tokens", CircuitBreakerStats::totalInputTokens);
        NUMBERS.put("total.output.tokens", CircuitBreakerStats::totalOutputTokens);
        NUMBERS.put("total.estimated.cost", StatsMeters::usd);
        NUMBERS.put("total.ignored", CircuitBreakerStats::totalIgnored);
        NUMBERS.put("total.rejected", CircuitBreakerStats::totalRejected);
        NUMBERS.put("would.reject", CircuitBreakerStats::wouldReject);
        NUMBERS.put("stale", CircuitBreakerStats::stale);
        NUMBERS.put("late", CircuitBreakerStats::late);
        NUMBERS.put("unreported", CircuitBreakerStats::unreported);
        TIMES.put("time.closed", CircuitBreakerStats::timeClosed);
        TIMES.put("time.open", CircuitBreakerStats::timeOpen);
        TIMES.put("time.half.open", CircuitBreakerStats::timeHalfOpen);
        AGES.put("last.failure.age", CircuitBreakerStats::lastFailureAt);
        AGES.put("last.state.change.age", CircuitBreakerStats::lastStateChangeAt);
    }

    private final CircuitBreaker breaker;
    private final Tags tags;
    private final MeterRegistry registry;
    private final List<Meter> meters = new ArrayList<>();

    private StatsMeters(CircuitBreaker breaker, Tags tags, MeterRegistry registry) {
        this.breaker = breaker;
        this.tags = tags;
        this.registry = registry;
    }

    static List<Meter> register(CircuitBreaker breaker, Tags tags, MeterRegistry registry, InstantSource clock) {
        StatsMeters stats = new StatsMeters(breaker, tags, registry);
        NUMBERS.forEach(stats::number);
        TIMES.forEach((name, time) -> stats.seconds(name, seen -> seconds(time.apply(seen))));
        AGES.forEach((name, instant) -> stats.seconds(name, seen -> age(instant.apply(seen), clock)));
        for (CircuitState state : CircuitState.values()) {
            stats.state(state);
        }
        stats.counter("guardedby.stale", "Results of a period that had ended", tags, CircuitBreakerStats::stale);
        String tokens = "Tokens as recorded";
        stats.counter(
                "guardedby.tokens", tokens, tags.and("direction", "input"), CircuitBreakerStats::totalInputTokens);
        stats.counter(
                "guardedby.tokens", tokens, tags.and("direction", "output"), CircuitBreakerStats::totalOutputTokens);
        stats.cost();
        return stats.meters;
    }

    private void number(String name, ToDoubleFunction<CircuitBreakerStats> value) {
        meters.add(Gauge.builder("guardedby.stats." + name, () -> value.applyAsDouble(breaker.stats()))
                .tags(tags)
                .register(registry));
    }

    private void seconds(String name, ToDoubleFunction<CircuitBreakerStats> value) {
        meters.add(TimeGauge.builder(
                        "guardedby.stats." + name, () -> value.applyAsDouble(breaker.stats()), TimeUnit.SECONDS)
                .tags(tags)
                .register(registry));
    }

    private void state(CircuitState state) {
        meters.add(Gauge.builder("guardedby.state", () -> breaker.stats().state() == state ? 1 : 0)
                .description("1 for the state that the breaker is in, else 0")
                .tags(tags.and("state", BreakerMeters.word(state)))
                .register(registry));
    }

    private void counter(String name, String description, Tags with, ToDoubleFunction<CircuitBreakerStats> value) {
        meters.add(FunctionCounter.builder(name, breaker, counted -> value.applyAsDouble(counted.stats()))
                .description(description)
                .tags(with)
                .register(registry));
    }

    private void cost() {
        meters.add(FunctionCounter.builder("guardedby.cost", breaker, counted -> usd(counted.stats()))
                .description("Cost in US dollars")
                .baseUnit("usd")
                .tags(tags.and("confidence", "reported"))
                .register(registry));
    }

    private static double usd(CircuitBreakerStats stats) {
        return stats.totalEstimatedCost().doubleValue();
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    /** Seconds since then, NaN for never; the wall clock may have been set back, which is no negative age. */
    private static double age(@Nullable Instant instant, InstantSource clock) {
        return instant == null ? Double.NaN : Math.max(0, seconds(Duration.between(instant, clock.instant())));
    }
}
