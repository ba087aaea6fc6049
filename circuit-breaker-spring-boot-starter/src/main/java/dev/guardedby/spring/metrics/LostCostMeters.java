package dev.guardedby.spring.metrics;

import dev.guardedby.spring.aop.LostCosts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.concurrent.atomic.LongAdder;

/**
 * Publishes the lost costs of each breaker, as {@code guardedby.cost.lost}. Records outside every guarded call are not among
 * them: they belong to no breaker.
 */
final class LostCostMeters implements MeterBinder {
    private final LostCosts lost;

    LostCostMeters(LostCosts lost) {
        this.lost = lost;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        lost.onCount((breaker, reason, count) -> FunctionCounter.builder("guardedby.cost.lost", count, LongAdder::sum)
                .description("Costs that could not be booked, or only the tokens of them")
                .tag("name", breaker)
                .tag("reason", reason.key())
                .register(registry));
    }
}
