package dev.guardedby.spring.metrics;

import dev.guardedby.spring.keys.Keys;
import dev.guardedby.spring.keys.Keys.Keyed;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.concurrent.atomic.LongAdder;

/** Publishes how many keys each breaker keeps, and the calls for whose keys there was no room or no use. */
final class KeptKeyMeters implements MeterBinder {
    private final Keys keys;

    KeptKeyMeters(Keys keys) {
        this.keys = keys;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        keys.onKeyed(keyed -> bind(keyed, registry));
    }

    private static void bind(Keyed keyed, MeterRegistry registry) {
        String name = keyed.breaker().name();
        Gauge.builder("guardedby.keys", keyed::size)
                .description("Keys that are kept")
                .tag("name", name)
                .register(registry);
        FunctionCounter.builder("guardedby.keys.overflow", keyed.overflow(), LongAdder::sum)
                .description("Calls that shared the breaker of the name, because no more keys could be kept")
                .tag("name", name)
                .register(registry);
        FunctionCounter.builder("guardedby.keys.invalid", keyed.invalid(), LongAdder::sum)
                .description("Calls that were not made, because their key was none")
                .tag("name", name)
                .register(registry);
    }
}
