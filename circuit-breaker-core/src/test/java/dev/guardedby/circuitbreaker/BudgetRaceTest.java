package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongBiFunction;
import org.junit.jupiter.api.Test;

/**
 * Random calls of many threads over some days, by every exit there is: whenever all stand still, all adds up.
 *
 * <p>A failure prints its seed, for {@code -Dtest=BudgetRaceTest -Dbudget.seed=...}; more calls are made with {@code
 * -Dbudget.calls=1000000}.
 */
class BudgetRaceTest {
    private static final int THREADS = 16;
    private static final int DAYS = 5;
    private static final int ALL_DAYS = -1;
    private static final long CALLS = Long.getLong("budget.calls", 200_000);
    private static final long CALLS_A_DAY = CALLS / DAYS;
    private static final Duration HOLD_TIMEOUT = Duration.ofMinutes(15);

    private final long seed = Long.getLong("budget.seed", System.nanoTime());
    private final FakeTime time = new FakeTime();
    private final AuditedLedger ledger = new AuditedLedger();
    private final Budget team =
            Budget.tokens("team", Long.MAX_VALUE).per(BudgetWindow.lifetime()).build();
    // A share of what would be spent without limits, so that each day ends with refusals.
    private final Spender agent = spender(
            breaker("agent")
                    .budget(daily(CALLS_A_DAY * 9 / 10))
                    .budget(Budget.tokens("rolling", CALLS_A_DAY * 9 / 10 + 1)
                            .per(BudgetWindow.rolling(Duration.ofDays(1)))
                            .build())
                    .budget(calls(Long.MAX_VALUE))
                    .budget(Budget.tokens("run", 20).per(BudgetWindow.call()).build())
                    .chargeTo(team),
            5);
    private final Spender model =
            spender(breaker("model").budget(daily(CALLS_A_DAY / 2)).chargeTo(team), 3);
    private final Spender observed =
            spender(breaker("observed").budget(daily(100)).budget(calls(100)).mode(Mode.OBSERVE), 5);
    private final Spender manual =
            spender(breaker("manual").budget(calls(CALLS / 50)).budget(daily(Long.MAX_VALUE)), 1);
    private final List<Spender> spenders = List.of(agent, model, observed, manual);
    private final List<SpendingThread> threads = new ArrayList<>();

    private CircuitBreaker.Builder breaker(String name) {
        return CircuitBreaker.builder(name)
                .failureThreshold(Integer.MAX_VALUE)
                .ignoreExceptions(IllegalStateException.class)
                .holdTimeout(HOLD_TIMEOUT)
                .ledger(ledger)
                .ticker(time)
                .clock(time);
    }

    private static Spender spender(CircuitBreaker.Builder builder, long estimate) {
        return new Spender(builder, estimate, DAYS);
    }

    private static Budget daily(long limit) {
        return Budget.tokens("daily", limit)
                .per(BudgetWindow.day(ZoneOffset.UTC))
                .build();
    }

    private static Budget calls(long limit) {
        return Budget.calls("calls", limit).per(BudgetWindow.lifetime()).build();
    }

    /** What was spent was not what was recorded: 111 USD against 55. */
    @Test
    void litellm40050_randomCallsByEveryExit_addUp() throws Exception {
        System.out.println("Random calls with budgets, seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < THREADS; i++) {
            threads.add(new SpendingThread(random.split(), spenders));
        }
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        try (ledger) {
            for (int day = 0; day < DAYS; day++) {
                spend(pool, day);
                assertSums(day, false);
                // What is late is lost.
                time.advance(HOLD_TIMEOUT);
                assertSums(day, true);
                spend(pool, day);
                assertSums(day, false);
                // The windows of the next day, those that roll included.
                time.advance(Duration.ofHours(25));
            }
            threads.forEach(SpendingThread::endLate);
        } finally {
            pool.shutdownNow();
        }
        assertNothingIsHeld();
    }

    private void spend(ExecutorService pool, int day) throws Exception {
        List<Future<?>> spending = new ArrayList<>();
        for (SpendingThread thread : threads) {
            spending.add(pool.submit(() -> {
                thread.spend(CALLS_A_DAY / 2 / THREADS, day);
                return null;
            }));
        }
        for (Future<?> future : spending) {
            try {
                future.get();
            } catch (Exception failed) {
                throw new AssertionError("seed " + seed, failed);
            }
        }
        ledger.finish();
    }

    private void assertSums(int day, boolean areLost) {
        for (Spender spender : spenders) {
            for (BudgetStatus budget : spender.breaker.budgets()) {
                long late = late(spender, budget.name(), day);
                String which = "seed " + seed + ", day " + day + ", " + spender.breaker.name() + " " + budget;
                assertThat(budget.held().longValueExact()).as(which).isEqualTo(areLost ? 0 : late);
                assertThat(budget.spent().longValueExact())
                        .as(which)
                        .isEqualTo(spent(spender, budget.name(), day) + (areLost ? late : 0));
            }
        }
        assertThat(ledger.audit(sum((thread, spender) -> thread.unsettled(spender), spenders)))
                .as("seed %d, day %d", seed, day)
                .isEmpty();
    }

    /** What the calls say that they have spent, of what a budget counts. */
    private long spent(Spender spender, String budget, int day) {
        return switch (budget) {
            case "calls" -> spender.calls.sum();
            case "team" -> agent.tokens.sum() + model.tokens.sum();
            case "run" -> 0;
            default -> spender.tokensOf(day);
        };
    }

    /** What is held by calls that end too late. */
    private long late(Spender spender, String budget, int day) {
        return switch (budget) {
            case "calls" -> sum(SpendingThread::unsettled, List.of(spender));
            case "team" -> sum((thread, each) -> thread.held(each, ALL_DAYS), List.of(agent, model));
            case "run" -> 0;
            default -> sum((thread, each) -> thread.held(each, day), List.of(spender));
        };
    }

    private long sum(ToLongBiFunction<SpendingThread, Spender> amount, List<Spender> of) {
        return of.stream()
                .mapToLong(spender -> threads.stream()
                        .mapToLong(thread -> amount.applyAsLong(thread, spender))
                        .sum())
                .sum();
    }

    private void assertNothingIsHeld() {
        for (Spender spender : spenders) {
            for (BudgetStatus budget : spender.breaker.budgets()) {
                assertThat(budget.held()).as("seed %d, %s", seed, budget).isZero();
            }
            CircuitBreakerStats stats = spender.breaker.stats();
            assertThat(stats.totalSuccesses() + stats.totalFailures() + stats.totalIgnored())
                    .as("seed %d, %s", seed, spender.breaker.name())
                    .isEqualTo(spender.ended.sum());
            // Nobody knows of those that were given up.
            assertThat(stats.totalRejected())
                    .as("seed %d, %s", seed, spender.breaker.name())
                    .isBetween(spender.refused.sum(), spender.refused.sum() + spender.givenUp.sum());
        }
        assertThat(ledger.audit(0)).as("seed %d", seed).isEmpty();
        assertThat(List.of(agent.refused.sum(), model.refused.sum(), manual.refused.sum(), ledger.corrections()))
                .allMatch(count -> count > 0);
        assertThat(observed.refused.sum()).isZero();
        assertThat(observed.breaker.stats().wouldReject()).isPositive();
        for (Spender spender : List.of(agent, model)) {
            assertThat(spent(spender, "team", ALL_DAYS))
                    .isEqualTo(statusOf(spender, "team").spent().longValueExact());
        }
    }

    private static BudgetStatus statusOf(Spender spender, String budget) {
        return spender.breaker.budgets().stream()
                .filter(status -> status.name().equals(budget))
                .findFirst()
                .orElseThrow();
    }
}
