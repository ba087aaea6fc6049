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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The meters that show a breaker's stats: reading them moves nothing and costs the calls nothing. */
final class StatsMeters {
    private static final String STATS = "guardedby.stats.";

    /**
     * A number of the stats.
     *
     * @param name what comes after {@code guardedby.stats.}
     */
    private record Amount(String name, String description, ToDoubleFunction<CircuitBreakerStats> value) {}

    /** A time of the stats, which is shown in seconds. */
    private record Time(String name, String description, Function<CircuitBreakerStats, Duration> value) {}

    /** An instant of the stats, which is shown as the seconds since then. */
    private record Age(String name, String description, Function<CircuitBreakerStats, @Nullable Instant> value) {}

    private static final List<Amount> NUMBERS = List.of(
            new Amount("total.successes", "Calls that succeeded", CircuitBreakerStats::totalSuccesses),
            new Amount("total.failures", "Calls that failed", CircuitBreakerStats::totalFailures),
            new Amount("times.opened", "How often the breaker has opened", CircuitBreakerStats::timesOpened),
            new Amount(
                    "times.half.opened",
                    "How often the breaker has begun to probe",
                    CircuitBreakerStats::timesHalfOpened),
            new Amount("times.closed", "How often the breaker has closed", CircuitBreakerStats::timesClosed),
            new Amount(
                    "consecutive.failures",
                    "Failures since the last success",
                    CircuitBreakerStats::consecutiveFailures),
            new Amount("total.input.tokens", "Tokens sent, as recorded", CircuitBreakerStats::totalInputTokens),
            new Amount("total.output.tokens", "Tokens received, as recorded", CircuitBreakerStats::totalOutputTokens),
            new Amount("total.estimated.cost", "US dollars, as recorded", StatsMeters::usd),
            new Amount("total.ignored", "Calls that say nothing about the remote", CircuitBreakerStats::totalIgnored),
            new Amount("total.rejected", "Calls that were refused", CircuitBreakerStats::totalRejected),
            new Amount("would.reject", "Calls that enforcing would have refused", CircuitBreakerStats::wouldReject),
            new Amount("stale", "Results of a period that had ended", CircuitBreakerStats::stale),
            new Amount("late", "Results of probes that were overtaken", CircuitBreakerStats::late),
            new Amount("unreported", "Permits closed without a report", CircuitBreakerStats::unreported));
    private static final List<Time> TIMES = List.of(
            new Time("time.closed", "Time spent closed", CircuitBreakerStats::timeClosed),
            new Time("time.open", "Time spent open", CircuitBreakerStats::timeOpen),
            new Time("time.half.open", "Time spent half-open", CircuitBreakerStats::timeHalfOpen));
    private static final List<Age> AGES = List.of(
            new Age("last.failure.age", "Time since the last failure", CircuitBreakerStats::lastFailureAt),
            new Age(
                    "last.state.change.age",
                    "Time since the state last changed",
                    CircuitBreakerStats::lastStateChangeAt));

    private final CircuitBreaker breaker;
    private final Tags tags;
    private final MeterRegistry registry;
    private final List<Meter> meters = new ArrayList<>();

    private StatsMeters(CircuitBreaker breaker, Tags tags, MeterRegistry registry) {
        this.breaker = breaker;
        this.tags = tags;
        this.registry = registry;
    }

    /**
     * Registers the meters.
     *
     * @param reading run whenever somebody reads the state, which every scrape does
     */
    static List<Meter> register(
            CircuitBreaker breaker, Tags tags, MeterRegistry registry, InstantSource clock, Runnable reading) {
        StatsMeters stats = new StatsMeters(breaker, tags, registry);
        NUMBERS.forEach(stats::number);
        TIMES.forEach(time -> stats.seconds(time.name, time.description, seen -> seconds(time.value.apply(seen))));
        AGES.forEach(age -> stats.seconds(age.name, age.description, seen -> age(age.value.apply(seen), clock)));
        for (CircuitState state : CircuitState.values()) {
            stats.state(state, reading);
        }
        stats.counter("guardedby.stale", "Results of a period that had ended", tags, CircuitBreakerStats::stale);
        String tokens = "Tokens as recorded";
        stats.counter(
                "guardedby.tokens", tokens, tags.and("direction", "input"), CircuitBreakerStats::totalInputTokens);
        stats.counter(
                "guardedby.tokens", tokens, tags.and("direction", "output"), CircuitBreakerStats::totalOutputTokens);
        return stats.meters;
    }

    private void number(Amount number) {
        meters.add(Gauge.builder(STATS + number.name, () -> number.value.applyAsDouble(breaker.stats()))
                .description(number.description)
                .tags(tags)
                .register(registry));
    }

    private void seconds(String name, String description, ToDoubleFunction<CircuitBreakerStats> value) {
        meters.add(TimeGauge.builder(STATS + name, () -> value.applyAsDouble(breaker.stats()), TimeUnit.SECONDS)
                .description(description)
                .tags(tags)
                .register(registry));
    }

    private void state(CircuitState state, Runnable reading) {
        Supplier<Number> value = () -> {
            reading.run();
            return breaker.stats().state() == state ? 1 : 0;
        };
        meters.add(Gauge.builder("guardedby.state", value)
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
