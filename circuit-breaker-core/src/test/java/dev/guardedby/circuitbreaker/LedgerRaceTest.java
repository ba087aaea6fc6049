package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Ledger.Account;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Moment;
import dev.guardedby.circuitbreaker.Ledger.Settlement;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;

/** Many threads on few accounts: what is spent is exact, and with holds that are upper bounds never above the limit. */
class LedgerRaceTest {
    private static final int THREADS = 16;
    private static final int CALLS_A_THREAD = 62_500;
    private static final Moment NOW = new Moment(FakeTime.START, Long.MAX_VALUE);
    private static final List<Account> ACCOUNTS = List.of(
            account("daily", BudgetWindow.hour(ZoneOffset.UTC)),
            account("burst", BudgetWindow.rolling(Duration.ofMinutes(1))),
            account("life", BudgetWindow.lifetime()));
    private static final long[] LIMITS = {40_000_000, 50_000_000, 30_000_000};

    private final MemoryLedger ledger = new MemoryLedger();
    private final AtomicLongArray charged = new AtomicLongArray(ACCOUNTS.size());

    private static Account account(String budget, BudgetWindow window) {
        return new Account("llm", null, budget, Unit.TOKENS, window);
    }

    @Test
    void aMillionRandomCalls_addUp_andNeverPassTheLimit() throws Exception {
        long passed = 0;
        for (long calls : inThreads(THREADS, seed -> randomCalls(new SplittableRandom(seed)))) {
            passed += calls;
        }

        assertThat(passed).isBetween(1L, (long) THREADS * CALLS_A_THREAD - 1);
        for (int i = 0; i < ACCOUNTS.size(); i++) {
            Balance balance = balance(i);
            assertThat(balance.held()).isZero();
            assertThat(balance.spent()).isEqualTo(charged.get(i)).isLessThanOrEqualTo(LIMITS[i]);
        }
    }

    private long randomCalls(SplittableRandom random) {
        long passed = 0;
        List<Integer> order = new ArrayList<>(List.of(0, 1, 2));
        for (int i = 0; i < CALLS_A_THREAD; i++) {
            Collections.shuffle(order, new Random(random.nextLong()));
            List<Integer> asked = List.copyOf(order.subList(0, 1 + random.nextInt(3)));
            List<Line> lines = asked.stream()
                    .map(account -> new Line(ACCOUNTS.get(account), LIMITS[account], 1 + random.nextInt(200), false))
                    .toList();
            Hold hold = new Hold(lines, Duration.ofHours(1), false, NOW);
            if (ledger.reserve(hold).toCompletableFuture().join().kind() == null) {
                passed++;
                settle(hold, asked, random);
            }
            if (i % 100 == 0) {
                Balance seen = balance(asked.get(0));
                assertThat(seen.spent() + seen.held()).isLessThanOrEqualTo(LIMITS[asked.get(0)]);
            }
        }
        return passed;
    }

    private void settle(Hold hold, List<Integer> asked, SplittableRandom random) {
        long[] amounts = hold.lines().stream()
                .mapToLong(line -> random.nextLong(line.amount() + 1))
                .toArray();
        // Some are reported twice, some corrected afterwards, and the correction may come first.
        int kind = random.nextInt(4);
        // Down from the hold: who reports too little first and more later has given the rest away in between.
        long[] first = kind == 1 ? hold.lines().stream().mapToLong(Line::amount).toArray() : amounts;
        ledger.settle(new Settlement(hold, kind == 2 ? 2 : 1, first, Set.of()));
        ledger.settle(new Settlement(hold, kind == 1 ? 2 : 1, amounts, Set.of()));
        for (int line = 0; line < amounts.length; line++) {
            charged.addAndGet(asked.get(line), amounts[line]);
        }
    }

    /** cost.md 1: with check-then-charge, all would pass. */
    @Test
    void sixtyFourThreadsOnABudgetOfTenCalls_tenPass() throws Exception {
        for (int round = 0; round < 50; round++) {
            Account calls = new Account("llm", "round " + round, "calls", Unit.CALLS, BudgetWindow.lifetime());
            long passed = 0;
            for (long one : inThreads(64, seed -> {
                Hold hold = new Hold(List.of(new Line(calls, 10, 1, false)), Duration.ofHours(1), false, NOW);
                return ledger.reserve(hold).toCompletableFuture().join().kind() == null ? 1L : 0L;
            })) {
                passed += one;
            }
            assertThat(passed).isEqualTo(10);
        }
    }

    private static List<Long> inThreads(int threads, Task task) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<Long>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long seed = i;
                Callable<Long> waiting = () -> {
                    start.await();
                    return task.run(seed);
                };
                results.add(pool.submit(waiting));
            }
            start.countDown();
            List<Long> answers = new ArrayList<>();
            for (Future<Long> result : results) {
                answers.add(result.get());
            }
            return answers;
        } finally {
            pool.shutdown();
        }
    }

    private Balance balance(int account) {
        return ledger.look(List.of(new Line(ACCOUNTS.get(account), LIMITS[account], 0, false)), NOW)
                .toCompletableFuture()
                .join()
                .get(0);
    }

    private interface Task {
        long run(long seed) throws Exception;
    }
}
