package dev.guardedby.benchmarks;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Settlement;
import dev.guardedby.circuitbreaker.Permit;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A call that reserves what it may cost, records what it did cost, and settles; all in memory. */
@Warmup(iterations = 3, time = 700, timeUnit = TimeUnit.MILLISECONDS)
public class Budgeted extends Measured {
    private static final Cost HOLD = Cost.usd("0.000002");
    private static final Cost COST = Cost.usd("0.000001");

    @Benchmark
    public Object withoutBudget(NoBudget state, Work work) {
        return call(state.breaker, work);
    }

    @Benchmark
    public Object oneLifetime(OneLifetime state, Work work) {
        return call(state.breaker, work);
    }

    @Benchmark
    public Object oneDaily(OneDaily state, Work work) {
        return call(state.breaker, work);
    }

    @Benchmark
    public Object three(Three state, Work work) {
        return call(state.breaker, work);
    }

    /** What of that the ledger does, which is given the time. */
    @Benchmark
    public Object ledgerAlone(Alone state) {
        Object unused = state.ledger.reserve(state.hold);
        return state.ledger.settle(state.settlement);
    }

    private static Object call(CircuitBreaker breaker, Work work) {
        Permit permit = breaker.acquire(HOLD);
        Object answer = work.call.call();
        permit.recordCost(COST);
        permit.success();
        return answer;
    }

    /** A breaker whose budgets are never spent. */
    abstract static class Budgets {
        final CircuitBreaker breaker;

        Budgets(Budget... budgets) {
            CircuitBreaker.Builder builder = CircuitBreaker.builder("budgeted");
            for (Budget budget : budgets) {
                builder.budget(budget);
            }
            breaker = builder.build();
        }

        static Budget usd(String name, BudgetWindow window) {
            return Budget.usd(name, BigDecimal.valueOf(1_000_000_000))
                    .per(window)
                    .build();
        }

        @TearDown
        public void check() {
            long calls = breaker.stats().totalSuccesses();
            Check.that(calls > 0, "calls are counted, but " + calls);
            for (BudgetStatus budget : breaker.budgets()) {
                Check.that(budget.held().signum() == 0, "nothing is held, but " + budget);
                Check.that(
                        budget.spent().compareTo(breaker.stats().totalEstimatedCost()) == 0,
                        "what was recorded is spent, but " + budget);
            }
        }
    }

    @State(Scope.Benchmark)
    public static class NoBudget extends Budgets {}

    @State(Scope.Benchmark)
    public static class OneLifetime extends Budgets {
        public OneLifetime() {
            super(usd("all", BudgetWindow.lifetime()));
        }
    }

    /** A ledger in memory, with what a call asks of it: nobody but a breaker can make that, and one call at a time can have it. */
    @State(Scope.Thread)
    public static class Alone {
        final Ledger ledger = Ledger.inMemory();
        final Hold hold;
        final Settlement settlement;

        public Alone() {
            List<Object> asked = new ArrayList<>();
            Ledger overheard = (Ledger) Proxy.newProxyInstance(
                    Ledger.class.getClassLoader(), new Class<?>[] {Ledger.class}, (proxy, method, arguments) -> {
                        if (arguments != null) {
                            asked.add(arguments[0]);
                        }
                        return method.invoke(ledger, arguments);
                    });
            CircuitBreaker breaker = CircuitBreaker.builder("budgeted")
                    .budget(Budgets.usd("all", BudgetWindow.lifetime()))
                    .ledger(overheard)
                    .build();
            call(breaker, new Work());
            hold = (Hold) asked.get(0);
            settlement = (Settlement) asked.get(1);
        }

        @TearDown
        public void check() throws Exception {
            Balance balance = ledger.look(hold.lines(), hold.made())
                    .toCompletableFuture()
                    .get()
                    .get(0);
            Check.that(balance.held() == 0, "nothing is held, but " + balance);
            Check.that(balance.spent() > 2 * COST.nanoUsd(), "each call is charged, but " + balance);
        }
    }

    @State(Scope.Benchmark)
    public static class OneDaily extends Budgets {
        public OneDaily() {
            super(usd("daily", BudgetWindow.day(ZoneOffset.UTC)));
        }
    }

    @State(Scope.Benchmark)
    public static class Three extends Budgets {
        public Three() {
            super(
                    usd("all", BudgetWindow.lifetime()),
                    usd("daily", BudgetWindow.day(ZoneOffset.UTC)),
                    usd("monthly", BudgetWindow.month(ZoneOffset.UTC)));
        }
    }
}
