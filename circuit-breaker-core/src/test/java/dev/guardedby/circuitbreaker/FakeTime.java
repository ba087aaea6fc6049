package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** Time that a test moves by hand: the ticker starts near overflow, so that a comparison other than by difference fails. */
final class FakeTime implements LongSupplier, InstantSource {
    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final long origin;
    private volatile long elapsed;
    private volatile long tickerReads;

    FakeTime() {
        this(Long.MAX_VALUE - 1_000_000);
    }

    FakeTime(long origin) {
        this.origin = origin;
    }

    FakeTime advance(Duration step) {
        elapsed += step.toNanos();
        return this;
    }

    FakeTime advance(String step) {
        return advance(Duration.parse(step));
    }

    Duration elapsed() {
        return Duration.ofNanos(elapsed);
    }

    long tickerReads() {
        return tickerReads;
    }

    @Override
    @SuppressWarnings("NonAtomicOperationOnVolatileField") // counted by single-threaded tests only
    public long getAsLong() {
        tickerReads++;
        return origin + elapsed;
    }

    @Override
    public Instant instant() {
        return START.plusNanos(elapsed);
    }
}
