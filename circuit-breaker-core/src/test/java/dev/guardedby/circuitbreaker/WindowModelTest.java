package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rates, compared over random results and time steps with a list of all results. */
class WindowModelTest {
    private static final int OPERATIONS = Integer.getInteger("random.operations", 250_000);
    private static final int SLICES_OF_A_TIME_WINDOW = 50;

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MAX_VALUE - 1_000_000, Long.MIN_VALUE})
    void countWindow_tripsWhereTheListDoes(long origin) {
        Random random = new Random(origin + 1);
        for (int operations = 0; operations < OPERATIONS; ) {
            int size = 1 + random.nextInt(30);
            operations += compare(random, origin, size, null, 1 + random.nextInt(size));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MAX_VALUE - 1_000_000, Long.MIN_VALUE})
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
        Deque<Result> results = new ArrayDeque<>();
        for (int operation = 1; operation <= 1_000; operation++) {
            if (random.nextInt(4) == 0) {
                time.advance(Duration.ofNanos(
                        length == null ? random.nextInt(10) : random.nextInt(1 + (int) length.toNanos() / 5)));
            } else if (random.nextInt(50) == 0 && time.elapsed().toNanos() > 3) {
                // Less than a slice, so that it stays a small step.
                time.advance(Duration.ofNanos(-random.nextInt(2)));
            }
            boolean failed = random.nextDouble() < failing;
            boolean isSlow = slowRule && random.nextDouble() < failing;
            Permit permit = breaker.acquire();
            if (isSlow) {
                time.advance(slow);
            }
            long slice = length == null ? 0 : sliceAt(time, length);
            results.add(new Result(Math.max(slice, results.isEmpty() ? 0 : results.getLast().slice), failed, isSlow));
            if (failed) {
                permit.failure(new IllegalStateException());
            } else {
                permit.success();
            }
            long newest = results.getLast().slice;
            while (length == null
                    ? results.size() > size
                    : results.getFirst().slice < newest - SLICES_OF_A_TIME_WINDOW) {
                results.removeFirst();
            }
            long failures = results.stream().filter(Result::failed).count();
            long slows = results.stream().filter(Result::slow).count();
            boolean trips = results.size() >= minimum
                    && (failures * 100 >= (long) percent * results.size()
                            || (slowRule && slows * 100 >= (long) percent * results.size()));
            assertThat(breaker.state() == CircuitState.OPEN)
                    .as(
                            "window %s/%s, %s %%, minimum %s, slow %s, after %s",
                            size, length, percent, minimum, slowRule, results)
                    .isEqualTo(trips);
            if (trips) {
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
}
