package dev.guardedby.spring.aop;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.concurrent.atomic.LongAdder;

/** Publishes the lost costs, as {@code guardedby.cost.lost}. */
final class LostCostMeters implements MeterBinder {
    private final LostCosts lost;

    LostCostMeters(LostCosts lost) {
        this.lost = lost;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        publish(registry, "none", "outside", lost.outside());
        lost.onExpression((breaker, count) -> publish(registry, breaker, "expression", count));
    }

    private static void publish(MeterRegistry registry, String breaker, String reason, LongAdder count) {
        FunctionCounter.builder("guardedby.cost.lost", count, LongAdder::sum)
                .description(
                        "Costs that could not be booked: the expression failed, or they came from outside every call")
                .tag("name", breaker)
                .tag("reason", reason)
                .register(registry);
    }
}
