package dev.guardedby.spring.aop;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** Time that a test moves by hand; it starts near overflow, so that a comparison other than by difference fails. */
final class FakeTicker implements LongSupplier {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000_000);

    private volatile RuntimeException broken;

    void advance(Duration step) {
        now.addAndGet(step.toNanos());
    }

    /** Throws from now on. */
    void breaks(RuntimeException exception) {
        broken = exception;
    }

    @Override
    public long getAsLong() {
        if (broken != null) {
            throw broken;
        }
        return now.get();
    }
}
