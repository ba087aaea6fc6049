package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The gauges of the budgets that a breaker has when its meters are published; those of keys have none. */
final class BudgetMeters {

    private BudgetMeters() {}

    static List<Meter> register(CircuitBreaker breaker, Tags tags, MeterRegistry registry) {
        List<Meter> meters = new ArrayList<>();
        for (BudgetStatus budget : breaker.budgets()) {
            String name = budget.name();
            Tags with = tags.and("budget", name, "unit", BreakerMeters.word(budget.unit()));
            meters.add(gauge(
                    "limit", "What may be spent in a window", breaker, name, BudgetStatus::limit, with, registry));
            meters.add(gauge(
                    "spent",
                    "What is spent in the present window",
                    breaker,
                    name,
                    BudgetStatus::spent,
                    with,
                    registry));
            meters.add(
                    gauge("held", "What calls under way may cost", breaker, name, BudgetStatus::held, with, registry));
        }
        return meters;
    }

    private static Gauge gauge(
            String what,
            String description,
            CircuitBreaker breaker,
            String budget,
            Function<BudgetStatus, BigDecimal> amount,
            Tags tags,
            MeterRegistry registry) {
        return Gauge.builder("guardedby.budget." + what, () -> value(breaker, budget, amount))
                .description(description)
                .tags(tags)
                .register(registry);
    }

    /** NaN where the store does not tell, or the budget is there no more. */
    private static double value(CircuitBreaker breaker, String budget, Function<BudgetStatus, BigDecimal> amount) {
        return breaker.budgets().stream()
                .filter(status -> status.name().equals(budget))
                .mapToDouble(status -> amount.apply(status).doubleValue())
                .findFirst()
                .orElse(Double.NaN);
    }
}
