package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The gauges of the budgets of one breaker, or of one of its keys. They come and go with these: nobody tells of a change of
 * settings, so whoever reads meters looks.
 */
final class BudgetMeters {
    private static final String OF_BREAKER = "guardedby.budget.";

    /** A budget as its tags tell it. */
    private record Series(String budget, Unit unit) {}

    private final String prefix;
    private final Supplier<Stream<CircuitBreaker>> breakers;
    private final Predicate<String> isAddedUp;
    private final Predicate<String> isLeftOut;
    private final Tags tags;
    private final MeterRegistry registry;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Series, List<Meter>> published = new HashMap<>();
    private @Nullable Meter degraded;
    private boolean withdrawn;

    private BudgetMeters(
            String prefix,
            Supplier<Stream<CircuitBreaker>> breakers,
            Predicate<String> isAddedUp,
            Predicate<String> isLeftOut,
            Tags tags,
            MeterRegistry registry) {
        this.prefix = prefix;
        this.breakers = breakers;
        this.isAddedUp = isAddedUp;
        this.isLeftOut = isLeftOut;
        this.tags = tags;
        this.registry = registry;
    }

    /**
     * The gauges of a breaker, none yet. With keys, each of which has the budgets for itself, what is spent and held is that of all
     * keys that are kept, together.
     *
     * @param isShared whether other breakers charge to a budget of that name, too; then so do all keys
     */
    static BudgetMeters of(CircuitBreaker breaker, Predicate<String> isShared, Tags tags, MeterRegistry registry) {
        return new BudgetMeters(
                OF_BREAKER,
                () -> Stream.concat(Stream.of(breaker), breaker.keys().stream().flatMap(keys -> keys.all().stream())),
                isShared.negate(),
                budget -> false,
                tags,
                registry);
    }

    /** The gauges of what a key has for itself, none yet; they show nothing while no breaker is kept for the key. */
    static BudgetMeters ofKey(
            CircuitBreaker breaker, String key, Predicate<String> isShared, Tags tags, MeterRegistry registry) {
        return new BudgetMeters(
                "guardedby.key.budget.",
                () -> breaker.keys().flatMap(keys -> keys.find(key)).stream(),
                budget -> false,
                isShared,
                tags,
                registry);
    }

    /** Registers the gauges of budgets that are new, and removes those of budgets that are replaced. */
    void follow() {
        CircuitBreaker breaker = breakers.get().findFirst().orElse(null);
        if (breaker == null || !breaker.hasBudgets()) {
            return;
        }
        Map<String, Unit> present = new HashMap<>();
        breaker.budgets().stream()
                .filter(budget -> !isLeftOut.test(budget.name()))
                .forEach(budget -> present.put(budget.name(), budget.unit()));
        // Whoever reads meters waits for nobody who does the same.
        if (lock.tryLock()) {
            try {
                if (!withdrawn) {
                    follow(present);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void follow(Map<String, Unit> present) {
        published.entrySet().removeIf(series -> {
            Unit unit = present.get(series.getKey().budget);
            // One that is missing is not gone: its store does not answer, and nothing takes a budget away.
            boolean replaced = unit != null && unit != series.getKey().unit;
            if (replaced) {
                series.getValue().forEach(registry::remove);
            }
            return replaced;
        });
        present.forEach((name, unit) -> published.computeIfAbsent(new Series(name, unit), this::register));
        if (degraded == null && prefix.equals(OF_BREAKER)) {
            degraded = Gauge.builder("guardedby.degraded", () -> isToDegrade() ? 1 : 0)
                    .description("1 while a budget advises a cheaper model, else 0")
                    .tags(tags)
                    .register(registry);
        }
    }

    private boolean isToDegrade() {
        return breakers.get().limit(1).anyMatch(breaker -> breaker.advice().isPresent());
    }

    private List<Meter> register(Series series) {
        String budget = series.budget;
        Tags with = tags.and("budget", budget, "unit", BreakerMeters.word(series.unit));
        return List.of(
                gauge("limit", "What may be spent in a window", () -> value(budget, BudgetStatus::limit, false), with),
                gauge(
                        "spent",
                        "What is spent in the present window",
                        () -> value(budget, BudgetStatus::spent, isAddedUp.test(budget)),
                        with),
                gauge(
                        "held",
                        "What calls under way hold",
                        () -> value(budget, BudgetStatus::held, isAddedUp.test(budget)),
                        with));
    }

    private Meter gauge(String what, String description, Supplier<Number> value, Tags with) {
        return Gauge.builder(prefix + what, value)
                .description(description)
                .tags(with)
                .register(registry);
    }

    /** The amount of the first, or of all together; NaN where nobody tells. */
    private double value(String budget, Function<BudgetStatus, BigDecimal> amount, boolean together) {
        Stream<CircuitBreaker> asked =
                together ? breakers.get() : breakers.get().limit(1);
        return asked.flatMap(breaker -> status(breaker, budget).stream())
                .map(amount)
                .reduce(BigDecimal::add)
                .map(BigDecimal::doubleValue)
                .orElse(Double.NaN);
    }

    private static Optional<BudgetStatus> status(CircuitBreaker breaker, String budget) {
        return breaker.budgets().stream()
                .filter(status -> status.name().equals(budget))
                .findFirst();
    }

    /** Removes the gauges, for good. */
    void withdraw() {
        lock.lock();
        try {
            withdrawn = true;
            published.values().forEach(meters -> meters.forEach(registry::remove));
            published.clear();
            if (degraded != null) {
                registry.remove(degraded);
            }
        } finally {
            lock.unlock();
        }
    }
}
