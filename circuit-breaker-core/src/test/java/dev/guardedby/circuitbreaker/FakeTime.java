package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** Time that a test moves by hand: the ticker starts near overflow, so that a comparison other than by difference fails. */
final class FakeTime implements LongSupplier, InstantSource {
    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final long origin;
    private final AtomicLong elapsed = new AtomicLong();
    private final LongAdder tickerReads = new LongAdder();

    FakeTime() {
        this(Long.MAX_VALUE - 1_000_000);
    }

    FakeTime(long origin) {
        this.origin = origin;
    }

    FakeTime advance(Duration step) {
        elapsed.addAndGet(step.toNanos());
        return this;
    }

    FakeTime advance(String step) {
        return advance(Duration.parse(step));
    }

    Duration elapsed() {
        return Duration.ofNanos(elapsed.get());
    }

    long tickerReads() {
        return tickerReads.sum();
    }

    @Override
    public long getAsLong() {
        tickerReads.increment();
        return origin + elapsed.get();
    }

    @Override
    public Instant instant() {
        return START.plusNanos(elapsed.get());
    }
}
