package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What went wrong where other people's budgets are kept, named after where it was reported. */
class ReportedLedgerBugsTest {
    private static final int NEVER = -1;

    private final Story story = new Story();
    private final Stores stores = new Stores();
    private final CircuitBreaker breaker = story.breaker()
            .ledger(stores)
            .budget(daily("1"))
            .budget(calls(10))
            .chargeTo(Budget.usd("team", BigDecimal.TEN)
                    .per(BudgetWindow.month(ZoneOffset.UTC))
                    .build())
            .holdTimeout(Duration.ofMinutes(15))
            .build();

    /** The reserve was charged and the cost as well, and some of the budgets only. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void litellm35569_storeThatFailsHalfway_chargesEachBudgetOnce_whenItIsToldAgain(int failing) {
        Permit permit = breaker.acquire(usd("0.5"));
        permit.recordCost(usd("0.25"));
        stores.failing = failing;
        permit.success();
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(1);

        stores.failing = NEVER;
        stores.tellAgain();
        stores.tellAgain();
        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1, calls 1+0/10, team 0.25+0/10");

        stores.failing = failing;
        permit.recordCost(usd("0.125"));
        stores.failing = NEVER;
        permit.recordCost(usd("0.125"));
        stores.tellAgain();
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/1, calls 1+0/10, team 0.5+0/10");
    }

    @Test
    void litellm35569_settlementThatIsLost_costsTheHoldOnce_whenItsTimeIsOver() {
        Permit permit = breaker.acquire(usd("0.5"));
        permit.recordCost(usd("0.25"));
        stores.failing = 0;
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0+0.5/1, calls 0+1/10, team 0+0.5/10");

        story.time.advance(Duration.ofMinutes(15));
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/1, calls 1+0/10, team 0.5+0/10");

        stores.failing = NEVER;
        stores.tellAgain();
        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1, calls 1+0/10, team 0.25+0/10");
    }

    /** A store for each account, of which one can fail to be told what a call cost. */
    private static final class Stores extends ForwardingLedger {
        private final Map<Hold, List<Hold>> parts = new HashMap<>();
        private final List<Settlement> told = new ArrayList<>();
        private int failing = NEVER;

        @Override
        public CompletionStage<Answer> reserve(Hold hold) {
            List<Hold> apart = hold.lines().stream()
                    .map(line -> new Hold(List.of(line), hold.timeout(), hold.isForced(), hold.made()))
                    .toList();
            parts.put(hold, apart);
            List<Balance> balances = new ArrayList<>();
            for (Hold part : apart) {
                Answer answer = memory.reserve(part).toCompletableFuture().join();
                assertThat(answer.kind()).isNull();
                balances.addAll(answer.balances());
            }
            return CompletableFuture.completedFuture(Answer.granted(balances));
        }

        @Override
        public CompletionStage<Answer> extend(Extension extension) {
            throw new UnsupportedOperationException("no call here takes steps");
        }

        @Override
        public CompletionStage<List<Balance>> settle(Settlement settlement) {
            told.add(settlement);
            List<Balance> balances = new ArrayList<>();
            List<Hold> apart = parts.getOrDefault(settlement.hold(), List.of());
            for (int i = 0; i < apart.size(); i++) {
                if (i == failing) {
                    return CompletableFuture.failedFuture(new IllegalStateException("connection reset"));
                }
                long[] amount = {settlement.amount(i)};
                balances.addAll(memory.settle(new Settlement(apart.get(i), settlement.revision(), amount, Set.of()))
                        .toCompletableFuture()
                        .join());
            }
            return CompletableFuture.completedFuture(balances);
        }

        void tellAgain() {
            List.copyOf(told).forEach(this::settle);
        }
    }
}
