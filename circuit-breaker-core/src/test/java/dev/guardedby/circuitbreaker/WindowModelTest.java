package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rates, compared over random results and time steps with a list of all results. */
class WindowModelTest {
    private static final int OPERATIONS = Integer.getInteger("random.operations", 1_000_000);
    private static final int SLICES_OF_A_TIME_WINDOW = 50;

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MAX_VALUE - 1_000_000, Long.MIN_VALUE + 5})
    void countWindow_tripsWhereTheListDoes(long origin) {
        Random random = new Random(origin + 1);
        for (int operations = 0; operations < OPERATIONS; ) {
            int size = 1 + random.nextInt(30);
            operations += compare(random, origin, size, null, 1 + random.nextInt(size));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MAX_VALUE - 1_000_000, Long.MIN_VALUE + 5})
    void timeWindow_tripsWhereTheListDoes(long origin) {
        Random random = new Random(origin + 2);
        for (int operations = 0; operations < OPERATIONS; ) {
            Duration length = Duration.ofNanos(50 + random.nextInt(100_000));
            operations += compare(random, origin, 0, length, 1 + random.nextInt(20));
        }
    }

    /** Runs one breaker until it trips, or for long enough. */
    private static int compare(Random random, long origin, int size, Duration length, int minimum) {
        FakeTime time = new FakeTime(origin);
        int percent = 1 + random.nextInt(100);
        boolean slowRule = random.nextBoolean();
        Duration slow = Duration.ofNanos(1_000);
        CircuitBreaker.Builder builder = CircuitBreaker.builder("model")
                .failureRateThreshold(percent)
                .minimumCalls(minimum)
                .ticker(time)
                .clock(time);
        if (length == null) {
            builder.window(size);
        } else {
            builder.window(length);
        }
        if (slowRule) {
            builder.slowCallDuration(slow).slowCallRateThreshold(percent);
        }
        CircuitBreaker breaker = builder.build();
        double failing = random.nextDouble() * 1.2 * percent / 100;
        IllegalStateException down = new IllegalStateException();
        NaiveRate naive = new NaiveRate(size);
        for (int operation = 1; operation <= 1_000; operation++) {
            if (random.nextInt(4) == 0) {
                time.advance(Duration.ofNanos(
                        length == null ? random.nextInt(10) : random.nextInt(1 + (int) length.toNanos() / 5)));
            } else if (random.nextInt(50) == 0) {
                // Back by less than a twentieth of the window, and not before the breaker was built.
                long back = random.nextInt(length == null ? 10 : 2 + (int) length.toNanos() / 20);
                time.advance(Duration.ofNanos(-Math.min(back, time.elapsed().toNanos())));
            }
            boolean failed = random.nextDouble() < failing;
            boolean isSlow = slowRule && random.nextDouble() < failing;
            Permit permit = breaker.acquire();
            if (isSlow) {
                time.advance(slow);
            }
            naive.add(length == null ? 0 : sliceAt(time, length), failed, isSlow);
            if (failed) {
                permit.failure(down);
            } else {
                permit.success();
            }
            boolean trips = naive.results.size() >= minimum
                    && (naive.reaches(percent, naive.failures) || (slowRule && naive.reaches(percent, naive.slow)));
            if (trips != (breaker.state() == CircuitState.OPEN)) {
                fail(
                        "window %s/%s, %s %%, minimum %s, slow %s should %s after %s",
                        size, length, percent, minimum, slowRule, trips ? "trip" : "not trip", naive.results);
            }
            if (trips) {
                Transition.Evidence evidence =
                        breaker.lastTransition().orElseThrow().evidence();
                assertThat(List.of(evidence.calls(), evidence.failures(), evidence.slow()))
                        .as("calls, failures and slow calls of the evidence")
                        .containsExactly((long) naive.results.size(), naive.failures, naive.slow);
                return operation;
            }
        }
        return 1_000;
    }

    private static long sliceAt(FakeTime time, Duration length) {
        long slice = Math.max(1, (length.toNanos() + SLICES_OF_A_TIME_WINDOW - 1) / SLICES_OF_A_TIME_WINDOW);
        return Math.floorDiv(time.elapsed().toNanos(), slice);
    }

    private record Result(long slice, boolean failed, boolean slow) {}

    /** All results in a list; those that leave are taken out. */
    private static final class NaiveRate {
        private final int size;
        private final Deque<Result> results = new ArrayDeque<>();
        private long failures;
        private long slow;

        /** A window of time has no size. */
        NaiveRate(int size) {
            this.size = size;
        }

        void add(long slice, boolean failed, boolean isSlow) {
            // A step back stays in the present slice.
            long present = results.isEmpty() ? slice : Math.max(slice, results.getLast().slice);
            results.add(new Result(present, failed, isSlow));
            failures += failed ? 1 : 0;
            slow += isSlow ? 1 : 0;
            while (size > 0 ? results.size() > size : results.getFirst().slice < present - SLICES_OF_A_TIME_WINDOW) {
                Result left = results.removeFirst();
                failures -= left.failed ? 1 : 0;
                slow -= left.slow ? 1 : 0;
            }
        }

        boolean reaches(int percent, long part) {
            return part * 100 >= (long) percent * results.size();
        }
    }
}
