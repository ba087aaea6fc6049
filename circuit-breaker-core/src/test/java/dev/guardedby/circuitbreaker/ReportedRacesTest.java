package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Races that users reported against other circuit breakers, each under the name of its report. */
@Timeout(120)
final class ReportedRacesTest {
    private final Story story = new Story();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stopThreads() {
        threads.shutdownNow();
    }

    private <T> List<Future<T>> together(int count, Callable<T> work) {
        CyclicBarrier barrier = new CyclicBarrier(count);
        List<Future<T>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            futures.add(threads.submit(() -> {
                barrier.await(60, TimeUnit.SECONDS);
                return work.call();
            }));
        }
        return futures;
    }

    private static <T> List<T> results(List<Future<T>> futures) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> future : futures) {
            results.add(future.get(60, TimeUnit.SECONDS));
        }
        return results;
    }

    @Test
    void openliberty7080_smallrye323_polly216_halfOpen_letsNobodyThroughButTheProbes() throws Exception {
        for (int probes : new int[] {1, 3}) {
            CircuitBreaker breaker = story.open(story.breaker().probes(probes));
            story.time.advance(WAIT);
            AtomicInteger entered = new AtomicInteger();
            AtomicInteger refused = new AtomicInteger();
            CompletableFuture<Void> answer = new CompletableFuture<>();

            List<Future<Boolean>> callers = together(200, () -> {
                try {
                    breaker.run(() -> {
                        entered.incrementAndGet();
                        answer.join();
                    });
                    return true;
                } catch (CallNotPermittedException e) {
                    if (refused.incrementAndGet() == 200 - probes) {
                        answer.complete(null);
                    }
                    return false;
                }
            });

            assertThat(results(callers).stream().filter(passed -> passed)).hasSize(probes);
            assertThat(entered).hasValue(probes);
            assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
            assertThat(breaker.stats().totalRejected()).isEqualTo(200 - probes);
        }
    }

    @Test
    void resilience4j1432_losersOfTheRaceToHalfOpen_areRefused() throws Exception {
        CircuitBreaker breaker = story.open(story.breaker());
        for (int round = 0; round < 200; round++) {
            story.time.advance(WAIT);

            List<Boolean> admitted = results(together(16, () -> {
                try (Permit permit = breaker.tryAcquire().orElse(null)) {
                    if (permit == null) {
                        return false;
                    }
                    permit.failure(new IOException("still down"));
                    return true;
                }
            }));

            assertThat(admitted.stream().filter(one -> one))
                    .as("round %d", round)
                    .hasSize(1);
        }
        assertThat(breaker.stats().timesHalfOpened()).isEqualTo(200);
        assertThat(breaker.stats().timesOpened()).isEqualTo(201);
    }

    @Test
    void resilience4j562_racingTransitions_throwNothingIntoCalls() throws Exception {
        CircuitBreaker breaker = story.breaker().failureThreshold(2).build();
        AtomicInteger next = new AtomicInteger();

        List<Integer> done = results(together(16, () -> {
            int rounds = 0;
            for (; rounds < 1_000; rounds++) {
                switch (next.getAndIncrement() % 8) {
                    case 0 -> breaker.reset();
                    case 1 -> breaker.forceOpen();
                    case 2 -> breaker.forceClose();
                    case 3 -> breaker.recordFailure();
                    case 4 -> story.time.advance("PT1S");
                    case 5 -> breaker.holdOpen();
                    default -> breaker.tryAcquire().ifPresent(permit -> permit.failure(new IOException("down")));
                }
            }
            return rounds;
        }));

        assertThat(done).hasSize(16).containsOnly(1_000);
        assertThat(story.history())
                .as("each transition begins where the one before ended")
                .satisfies(lines -> {
                    CircuitState state = CircuitState.CLOSED;
                    for (String line : lines) {
                        String[] move = line.split("[ >]", -1);
                        assertThat(move[1]).isEqualTo(state.name());
                        state = CircuitState.valueOf(move[2]);
                    }
                    assertThat(state).isEqualTo(breaker.stats().state());
                });
        CircuitBreakerStats stats = breaker.stats();
        assertThat(stats.timesOpened() + stats.timesHalfOpened() + stats.timesClosed())
                .isEqualTo(story.history().size());
    }

    @Test
    void resilience4j2038_contentionAtTheDeadline_recursesNowhere_andTellsEachTransitionOnce() throws Exception {
        for (int round = 1; round <= 100; round++) {
            CircuitBreaker breaker = story.open(story.breaker());
            story.time.advance(WAIT);

            List<CircuitState> seen = results(together(16, breaker::state));

            assertThat(seen).containsOnly(CircuitState.HALF_OPEN);
            assertThat(story.history()).hasSize(1).first().asString().endsWith("s OPEN>HALF_OPEN WAIT_OVER");
            assertThat(breaker.stats().timesHalfOpened()).isOne();
        }
    }
}
