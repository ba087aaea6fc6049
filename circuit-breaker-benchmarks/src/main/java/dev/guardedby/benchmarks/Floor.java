package dev.guardedby.benchmarks;

import dev.guardedby.circuitbreaker.Call;
import java.util.concurrent.atomic.LongAdder;

/** The least that a breaker can do: look whether it is closed, make the call, count how it ended. It never trips. */
class Floor {
    private volatile boolean open;
    final LongAdder successes = new LongAdder();
    final LongAdder failures = new LongAdder();

    <T, X extends Throwable> T call(Call<T, X> call) throws X {
        check();
        T result;
        try {
            result = call.call();
        } catch (Throwable thrown) {
            failures.increment();
            throw thrown;
        }
        successes.increment();
        return result;
    }

    final void check() {
        if (open) {
            throw new IllegalStateException("open");
        }
    }

    /** One clock read more: which part of the window is it? */
    static final class WithOneClockRead extends Floor {
        private static final long HOUR_NANOS = Policy.WAIT.toNanos();
        private final long startedAt = System.nanoTime();
        private final LongAdder later = new LongAdder();

        @Override
        <T, X extends Throwable> T call(Call<T, X> call) throws X {
            check();
            T result;
            try {
                result = call.call();
            } catch (Throwable thrown) {
                failures.increment();
                throw thrown;
            }
            boolean inWindow = System.nanoTime() - startedAt < HOUR_NANOS;
            (inWindow ? successes : later).increment();
            return result;
        }
    }

    /** Two clock reads more: how long did the call take? */
    static final class WithTwoClockReads extends Floor {
        private static final long SLOW_NANOS = Policy.SLOW.toNanos();
        private final LongAdder slow = new LongAdder();

        @Override
        <T, X extends Throwable> T call(Call<T, X> call) throws X {
            check();
            long startedAt = System.nanoTime();
            T result;
            try {
                result = call.call();
            } catch (Throwable thrown) {
                failures.increment();
                throw thrown;
            }
            boolean inTime = System.nanoTime() - startedAt < SLOW_NANOS;
            (inTime ? successes : slow).increment();
            return result;
        }
    }
}
