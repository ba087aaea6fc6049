package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.run;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Budgets of other people that many calls at once have passed, named after where it was reported. */
@Timeout(120)
final class ReportedBudgetRacesTest {
    private static final int ROUNDS = 50;

    private final Story story = new Story();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stopThreads() {
        threads.shutdownNow();
    }

    /** What comes of asking, by so many threads at the same moment. */
    private <T> List<T> together(int count, Callable<T> asking) throws Exception {
        CyclicBarrier barrier = new CyclicBarrier(count);
        List<Future<T>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            futures.add(threads.submit(() -> {
                barrier.await(60, TimeUnit.SECONDS);
                return asking.call();
            }));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> future : futures) {
            results.add(future.get(60, TimeUnit.SECONDS));
        }
        return results;
    }

    private List<Permit> passed(int count, Callable<Optional<Permit>> asking) throws Exception {
        return together(count, asking).stream().flatMap(Optional::stream).toList();
    }

    /** The budget was looked at first and charged later: all of a burst passed. */
    @Test
    void litellm34732_budgetOfOneCall_oneOf32Passes() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            CircuitBreaker breaker = story.breaker().budget(calls(1)).build();

            List<Permit> passed = passed(32, breaker::tryAcquire);

            assertThat(passed).hasSize(1);
            passed.get(0).success();
            assertThat(shown(breaker)).isEqualTo("calls 1+0/1");
            assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=1 totalRejected=31");
        }
    }

    @Test
    void litellm34732_asManyPassAsFit_inAllBudgetsTogether() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            CircuitBreaker breaker =
                    story.breaker().budget(daily("10")).budget(calls(40)).build();

            List<Permit> passed = passed(64, () -> breaker.tryAcquire(usd("0.4")));

            assertThat(passed).hasSize(25);
            assertThat(shown(breaker)).isEqualTo("daily 0+10/10, calls 0+25/40");
            for (int i = 0; i < 5; i++) {
                passed.get(i).ignore();
            }
            assertThat(passed(64, () -> breaker.tryAcquire(usd("0.4")))).hasSize(5);
            assertThat(shown(breaker)).isEqualTo("daily 0+10/10, calls 0+25/40");
        }
    }

    /** The same inside one call, whose budget only this process knows. */
    @Test
    void litellm34732_budgetOfACall_asManyOfItsThreadsPassAsFit() throws Exception {
        CircuitBreaker agent = story.breaker().budget(run("1")).build();
        CircuitBreaker model = CircuitBreaker.of("model");
        for (int round = 0; round < ROUNDS; round++) {
            agent.<Exception>run(() -> {
                Scope inside = Scope.current().orElseThrow();

                List<Permit> passed = passed(64, () -> {
                    try (Scope scope = inside.attach()) {
                        assertThat(scope).isNotNull();
                        return model.tryAcquire(usd("0.1"));
                    }
                });

                assertThat(passed).hasSize(10);
                assertThat(shown(agent)).isEqualTo("run 0+1/1");
            });
        }
    }

    /** The first concurrent requests of an unknown user skipped the default budget. */
    @Test
    void litellm40095_newKey_hasItsBudgetFromTheFirstCallsOn() throws Exception {
        CircuitBreaker breaker = story.breaker().budget(calls(2)).build();
        breaker.keyedBy(new KeptInAMap(ROUNDS));
        for (int round = 0; round < ROUNDS; round++) {
            String key = "user " + round;

            assertThat(passed(8, () -> breaker.forKey(key).tryAcquire())).hasSize(2);
            assertThat(shown(breaker.forKey(key))).isEqualTo("calls 0+2/2");
        }
        assertThat(shown(breaker)).isEqualTo("calls 0+0/2");
    }

    /** Reserves ignored each other: 5.135 of 5 USD were spent. */
    @Test
    void gbrain4365_callsThatCostLessThanTheyHold_neverPassTheLimit() throws Exception {
        CircuitBreaker breaker = story.breaker().budget(daily("5")).build();

        together(16, () -> {
            for (int i = 0; i < 2_000; i++) {
                Permit permit = breaker.tryAcquire(usd("0.005")).orElse(null);
                if (permit != null) {
                    permit.recordCost(usd("0.0009"));
                    permit.success();
                }
                BudgetStatus seen = breaker.budgets().get(0);
                assertThat(seen.spent().add(seen.held())).isLessThanOrEqualTo(seen.limit());
            }
            return true;
        });

        // Each call leaves less than it held until not even the dearest one would fit any more.
        assertThat(breaker.budgets().get(0).held()).isZero();
        assertThat(breaker.budgets().get(0).spent()).isBetween(usd("4.995").usd(), usd("5").usd());
    }
}
