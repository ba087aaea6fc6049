package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.reason;
import static dev.guardedby.circuitbreaker.Spending.refusal;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.spend;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.net.ConnectException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What went wrong with other people's budgets, named after where it was reported. */
class ReportedBudgetBugsTest {
    private static final Cost TWENTIETH = usd("0.05");

    private final Story story = new Story();

    /** Reserves ignored outstanding holds: 5.135 of 5 USD were spent. */
    @Test
    void gbrain4365_fourCallsAt95Percent_onePasses() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "0.95");

        List<String> seen = new ArrayList<>();
        List<Permit> open = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            breaker.tryAcquire(TWENTIETH).ifPresent(open::add);
            seen.add(shown(breaker) + " " + reason(breaker));
        }

        assertThat(open).hasSize(1);
        assertThat(seen).containsOnly("daily 0.95+0.05/1 BUDGET");
        open.get(0).success();
        assertThat(shown(breaker)).isEqualTo("daily 1+0/1");
    }

    @Test
    void accountsOfAKey_outliveItsBreaker_andWithoutRoomCallsAreChargedToTheName() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        KeptInAMap kept = new KeptInAMap(1);
        breaker.keyedBy(kept);
        spend(breaker.forKey("acme"), "1");
        kept.kept.clear();
        assertThat(refusal(breaker.forKey("acme"), Cost.ZERO)).isEqualTo("daily EXHAUSTED");

        spend(breaker.forKey("no room"), "0.25");
        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1");

        breaker.limit("daily", new BigDecimal("2"));
        assertThat(shown(breaker.forKey("acme"))).isEqualTo("daily 1+0/2");
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
    }

    /** A cancelled stream leaked its reservation: refused at 280 of 800 USD. */
    @Test
    void litellm30522_cancelledCall_holdsNothing_andCostsWhatWasSeen() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();

        CompletableFuture<String> stream = breaker.callAsync(usd("0.8"), permit -> {
            permit.recordCost(usd("0.1"));
            return new CompletableFuture<>();
        });
        assertThat(shown(breaker)).isEqualTo("daily 0+0.8/1");
        stream.cancel(true);

        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1");
    }

    /** Worst-case holds filled a budget of which nothing was spent, at "25.000000000000004". */
    @Test
    void litellm38647_smallAmounts_doNotDrift() {
        CircuitBreaker breaker = story.breaker().budget(daily("25")).build();

        for (int i = 0; i < 250; i++) {
            assertThat(refusal(breaker, usd("0.1"))).isEqualTo("passes");
            spend(breaker, "0.1");
        }

        assertThat(shown(breaker)).isEqualTo("daily 25+0/25");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
    }

    @Test
    void litellm38647_holdsThatStarveOthers_saySo_andAreBackWhenTheyEnd() {
        CircuitBreaker breaker = story.breaker().budget(daily("25")).build();
        Permit worstCase = breaker.acquire(usd("25"));

        assertThat(refusal(breaker, usd("0.01"))).isEqualTo("daily RESERVED");
        worstCase.recordCost(usd("0.02"));
        worstCase.success();

        assertThat(refusal(breaker, usd("0.01"))).isEqualTo("passes");
    }

    /** A refused session never released its hold. */
    @Test
    void litellm39851_exceptionBeforeDispatch_freesAll() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).budget(calls(1)).build();
        CircuitBreaker inner = CircuitBreaker.of("inner");
        inner.holdOpen();

        for (int i = 0; i < 10; i++) {
            CompletableFuture<String> refused = breaker.callAsync(usd("1"), permit -> {
                throw new CancelledBeforeDispatch();
            });
            assertThat(refused).isCompletedExceptionally();
            CompletableFuture<String> innerRefused =
                    breaker.callAsync(usd("1"), permit -> inner.callAsync(() -> new CompletableFuture<>()));
            assertThat(innerRefused).isCompletedExceptionally();
            breaker.reset();
        }

        assertThat(shown(breaker)).isEqualTo("daily 0+0/1, calls 0+0/1");
    }

    /** A stale counter refused on after the reset, and rejected retries kept it alive. */
    @Test
    void litellm29576_and39726_firstCallOfTheNextWindowPasses_howeverManyWereRefused() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "1");
        List<String> seen = new ArrayList<>();

        for (int hour = 0; hour < 26; hour++) {
            String refused = refusal(breaker, Cost.ZERO);
            if (!seen.contains(refused)) {
                seen.add(hour + "h");
                seen.add(refused);
            }
            story.time.advance(Duration.ofHours(1));
        }

        assertThat(seen).containsExactly("0h", "daily EXHAUSTED", "24h", "passes");
    }

    /** After midnight every call reset the window until 24 hours had passed. */
    @Test
    void aiproxy640_callsAfterMidnight_resetTheWindowOnce() {
        CircuitBreaker breaker = story.breaker().budget(daily("100")).build();
        story.time.advance(Duration.ofHours(15));
        spend(breaker, "1");
        story.time.advance(Duration.ofHours(9).plusMinutes(1));

        for (int i = 0; i < 90; i++) {
            spend(breaker, "1");
            story.time.advance(Duration.ofMinutes(10));
        }

        assertThat(shown(breaker)).isEqualTo("daily 90+0/100");
    }

    /** The counter was cleared before the reset was written down, and began again at zero: a second full limit. */
    @Test
    void litellm36941_and37555_windowThatStepsBackWithTheClock_givesNoSecondLimit() {
        Instant[] wall = {Instant.parse("2026-01-01T23:59:59Z")};
        CircuitBreaker breaker =
                story.breaker().clock(() -> wall[0]).budget(daily("1")).build();
        spend(breaker, "1");
        wall[0] = Instant.parse("2026-01-02T00:00:00Z");
        spend(breaker, "1");

        wall[0] = Instant.parse("2026-01-01T23:59:59Z");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
        wall[0] = Instant.parse("2026-01-02T00:00:00Z");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
        wall[0] = Instant.parse("2026-01-03T00:00:00Z");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("passes");
    }

    /** The zone's offset was dropped: reset nine hours late. */
    @Test
    void litellm34896_dayOfTheZone_resetsAtItsMidnight() {
        CircuitBreaker breaker = story.breaker()
                .budget(Budget.usd("tokyo", BigDecimal.ONE)
                        .per(BudgetWindow.day(ZoneId.of("Asia/Tokyo")))
                        .build())
                .build();
        spend(breaker, "1");

        story.time.advance(Duration.ofHours(15).minusMillis(1));
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("tokyo EXHAUSTED");
        story.time.advance(Duration.ofMillis(1));
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("passes");
    }

    /** Budget rejections counted as failures of the provider, and tripped the breaker. */
    @Test
    void litellmRs720_aHundredRefusalsOfABudget_areNoFailures() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .failureRateThreshold(10)
                .minimumCalls(2)
                .build();
        spend(breaker, "1");
        CircuitBreaker around =
                CircuitBreaker.builder("around").failureThreshold(1).build();

        for (int i = 0; i < 100; i++) {
            assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
            try {
                around.run(() -> breaker.run(() -> {}));
            } catch (BudgetExceededException refused) {
                assertThat(around.outcomeOf(refused)).isEqualTo(Outcome.IGNORED);
            }
        }

        assertThat(story.history()).isEmpty();
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=1 totalRejected=200");
        assertThat(Story.counts(around)).isEqualTo("totalIgnored=100");
        story.time.advance(Duration.ofDays(1));
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("passes");
    }

    /** The unknown cost of a failed attempt blocked the retry. */
    @Test
    void tardigrade447_refusedConnection_costsNothing_soTheRetryPasses() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();

        breaker.acquire(usd("1")).failure(new ConnectException("Connection refused"));

        assertThat(refusal(breaker, usd("1"))).isEqualTo("passes");
    }

    /** Costs were added up behind the calls' back: 110 calls later nothing was spent. */
    @Test
    void langwatch6141_settlementIsThereWhenTheCallHasReturned() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        List<String> seen = new ArrayList<>();

        for (int i = 0; i < 3; i++) {
            breaker.<Boolean, RuntimeException>call(usd("0.4"), permit -> {
                permit.recordCost(usd("0.3"));
                return true;
            });
            seen.add(shown(breaker));
        }

        assertThat(seen).containsExactly("daily 0.3+0/1", "daily 0.6+0/1", "daily 0.9+0/1");
    }

    /** A success without a price released its hold to nothing: endless free calls. */
    @Test
    void litellm35525_successWithoutUsage_costsItsHold() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).estimatePerCall(usd("0.5")).build();

        breaker.run(() -> {});
        breaker.run(() -> {});

        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
    }

    /** A price entered per token instead of per million: users were blocked until rows were deleted by hand. */
    @Test
    void litellm20615_mistakenCharge_isCorrectedByTheOperator() {
        CircuitBreaker breaker = story.breaker().budget(daily("25")).build();
        spend(breaker, "30000");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");

        breaker.adjust("daily", new BigDecimal("-29999.97"), "price was per million");

        assertThat(shown(breaker)).isEqualTo("daily 0.03+0/25");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("passes");
    }

    /** A budget as a bucket that refills: 60 percent twice within a window passed. */
    @Test
    void apiPlatform2936_rollingBudget_isNoRate() {
        CircuitBreaker breaker = story.breaker()
                .budget(Budget.usd("hourly", BigDecimal.TEN)
                        .per(BudgetWindow.rolling(Duration.ofHours(1)))
                        .build())
                .build();
        spend(breaker, "6");
        story.time.advance(Duration.ofMinutes(30));

        assertThat(refusal(breaker, usd("6"))).isEqualTo("hourly EXHAUSTED");
        assertThat(refusal(breaker, usd("4"))).isEqualTo("passes");
        story.time.advance(Duration.ofMinutes(31));
        assertThat(refusal(breaker, usd("6"))).isEqualTo("passes");
    }

    /** A stream that crosses the limit is not cut off: how far it can go beyond is known. */
    @Test
    void envoyAiGateway2394_callsThatCostMoreThanTheyHold_goBeyondByThatMuch_andTheNextIsRefused() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        List<Permit> streams = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            streams.add(breaker.acquire(usd("0.25")));
        }

        for (Permit stream : streams) {
            stream.recordCost(usd("0.3"));
            stream.success();
        }

        assertThat(shown(breaker)).isEqualTo("daily 1.2+0/1");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
        story.time.advance(Duration.ofDays(1));
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
    }

    private static final class CancelledBeforeDispatch extends RuntimeException {
        private static final long serialVersionUID = 1;
    }
}
