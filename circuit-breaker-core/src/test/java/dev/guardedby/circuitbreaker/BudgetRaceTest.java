package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/** Random calls of many threads, by every exit there is: in the end all adds up. */
class BudgetRaceTest {
    private static final int THREADS = 16;
    private static final int CALLS_A_THREAD = 62_500;
    private static final long LIMIT = 2_000_000;

    private final LongAdder expected = new LongAdder();
    private final LongAdder calls = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .failureThreshold(Integer.MAX_VALUE)
            .ignoreExceptions(IllegalStateException.class)
            .budget(Budget.tokens("daily", LIMIT)
                    .per(BudgetWindow.day(ZoneOffset.UTC))
                    .build())
            .budget(Budget.tokens("rolling", LIMIT)
                    .per(BudgetWindow.rolling(Duration.ofDays(1)))
                    .build())
            .budget(Budget.calls("calls", Long.MAX_VALUE)
                    .per(BudgetWindow.lifetime())
                    .build())
            .budget(Budget.tokens("run", LIMIT).per(BudgetWindow.call()).build())
            .clock(new FakeTime())
            .build();

    @Test
    void aMillionCalls_byEveryExit_addUp() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        try {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<?>> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                SplittableRandom random = new SplittableRandom(i);
                threads.add(pool.submit(() -> {
                    start.await();
                    for (int call = 0; call < CALLS_A_THREAD; call++) {
                        callOnce(random);
                    }
                    return null;
                }));
            }
            start.countDown();
            for (Future<?> thread : threads) {
                thread.get();
            }
        } finally {
            pool.shutdown();
        }

        List<BudgetStatus> budgets = breaker.budgets();
        assertThat(budgets).extracting(BudgetStatus::held).containsOnly(BigDecimal.ZERO);
        assertThat(budgets.get(0).spent().longValueExact())
                .isEqualTo(expected.sum())
                .isLessThanOrEqualTo(LIMIT);
        assertThat(budgets.get(1).spent().longValueExact()).isEqualTo(expected.sum());
        assertThat(budgets.get(2).spent().longValueExact()).isEqualTo(calls.sum());
        assertThat(refused.sum()).isPositive().isEqualTo(breaker.stats().totalRejected());
        CircuitBreakerStats stats = breaker.stats();
        assertThat(stats.totalSuccesses() + stats.totalFailures() + stats.totalIgnored() + refused.sum())
                .isEqualTo((long) THREADS * CALLS_A_THREAD);
    }

    private void callOnce(SplittableRandom random) {
        long hold = 1L + random.nextInt(9);
        long used = random.nextLong(hold + 1);
        if (random.nextInt(8) == 0) {
            async(random, hold, used);
            return;
        }
        Permit permit = breaker.tryAcquire(tokens(hold)).orElse(null);
        if (permit == null) {
            refused.increment();
            return;
        }
        boolean recorded = random.nextBoolean();
        if (recorded) {
            permit.recordCost(tokens(used));
        }
        boolean costsHold = end(permit, random.nextInt(8));
        permit.close();
        long charged = recorded ? used : costsHold ? hold : 0;
        if (costsHold && !recorded && random.nextBoolean()) {
            // A correction replaces a charge at the hold. Only down: what a call has not kept, another one may hold by
            // now.
            permit.recordCost(tokens(used));
            charged = used;
        }
        count(charged, recorded || costsHold);
    }

    private static boolean end(Permit permit, int exit) {
        switch (exit) {
            case 0 -> permit.failure(new IOException("down"));
            case 1 -> permit.failure(new IllegalStateException("ignored"));
            case 2 -> permit.ignore();
            case 3 -> permit.close();
            case 4 -> permit.failureAsync(new SocketTimeoutException("Read timed out"));
            case 5 -> permit.cancel();
            default -> permit.success();
        }
        return exit >= 4;
    }

    private void async(SplittableRandom random, long hold, long used) {
        boolean[] called = new boolean[1];
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = breaker.callAsync(tokens(hold), permit -> {
            called[0] = true;
            permit.recordCost(tokens(used));
            return stage;
        });
        if (!called[0]) {
            refused.increment();
            return;
        }
        switch (random.nextInt(3)) {
            case 0 -> stage.complete("answer");
            case 1 -> stage.completeExceptionally(new IOException("down"));
            default -> future.cancel(true);
        }
        count(used, true);
    }

    private void count(long charged, boolean isCall) {
        expected.add(charged);
        calls.add(isCall ? 1 : 0);
    }

    private static Cost tokens(long amount) {
        return new Cost(amount, 0, 0);
    }
}
