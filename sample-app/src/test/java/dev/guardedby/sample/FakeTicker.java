package dev.guardedby.sample;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;

/** Time that passes when a test says so; it begins shortly before the nanoseconds overflow, as real ones may. */
final class FakeTicker implements LongSupplier {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000);

    @Override
    public long getAsLong() {
        return now.get();
    }

    void advance(Duration step) {
        now.addAndGet(step.toNanos());
    }

    /** Makes it the time of an application. */
    @TestConfiguration(proxyBeanMethods = false)
    static class Config {
        @Bean
        FakeTicker guardedByTicker() {
            return new FakeTicker();
        }
    }
}
