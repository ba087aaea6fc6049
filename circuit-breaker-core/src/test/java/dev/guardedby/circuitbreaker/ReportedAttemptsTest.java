package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.refusal;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.spend;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What retries, hedges and fallbacks cost other people, named after where it was reported. */
class ReportedAttemptsTest {
    private final Story story = new Story();

    /** The loser of a hedged request was billed in full after it had been given up. */
    @Test
    void sub2api4408_twoAttempts_eachIsSettledOnce() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).budget(calls(9)).build();
        Permit winner = breaker.acquire(usd("0.4"));
        Permit loser = breaker.acquire(usd("0.4"));

        winner.recordCost(usd("0.2"));
        winner.success();
        loser.recordCost(usd("0.05"));
        loser.cancel();
        loser.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1, calls 2+0/9");
    }

    /** The retry overwrote the first attempt's cost. */
    @Test
    void pdd509_threeAttempts_costAllThree() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("10")).budget(calls(9)).build();
        for (String cost : List.of("1", "2")) {
            Permit failed = breaker.acquire();
            failed.recordCost(usd(cost));
            Story.fail(failed);
        }
        spend(breaker, "3");

        assertThat(shown(breaker)).isEqualTo("daily 6+0/10, calls 3+0/9");
    }

    /** The budget was asked for the cheap model, and the dear one that stood in for it was charged. */
    @Test
    void litellm41344_fallbackToADearerModel_reservesAnew() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        Cost cheap = usd("0.1");
        Cost dear = usd("0.8");
        spend(breaker, "0.3");

        Permit first = breaker.acquire(cheap);
        Story.fail(first);
        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1");
        assertThat(refusal(breaker, dear)).isEqualTo("daily EXHAUSTED");

        // Nor does what was held for the first attempt help the second, as long as that goes on.
        breaker.limit("daily", new BigDecimal("1.1"));
        Permit hedged = breaker.acquire(cheap);
        assertThat(refusal(breaker, dear)).isEqualTo("daily RESERVED");
        Story.fail(hedged);
        assertThat(refusal(breaker, dear)).isEqualTo("passes");
    }

    /** Retries within retries made nine calls, of which one was seen. */
    @Test
    void reyn3047_retriesWithinRetries_costNineCalls() {
        CircuitBreaker breaker = story.breaker()
                .failureThreshold(100)
                .budget(calls(100))
                .budget(daily("10"))
                .build();

        CircuitBreaker agent =
                CircuitBreaker.builder("agent").budget(calls(100)).build();
        for (int outer = 0; outer < 3; outer++) {
            Permit round = agent.acquire();
            try (Scope inside = round.attach()) {
                assertThat(inside).isNotNull();
                for (int inner = 0; inner < 3; inner++) {
                    Permit attempt = breaker.acquire(usd("0.1"));
                    attempt.recordCost(usd("0.01"));
                    Story.fail(attempt);
                }
            }
            Story.fail(round);
        }

        assertThat(shown(agent)).isEqualTo("calls 3+0/100");
        assertThat(shown(breaker)).isEqualTo("calls 9+0/100, daily 0.09+0/10");
        assertThat(Story.counts(breaker)).isEqualTo("totalFailures=9 consecutiveFailures=9");
    }

    /** All attempts were priced as the last one: 35 percent too low, or 109 too high. */
    @Test
    void litellm39294_attemptsOnTwoModels_areEachPricedAtTheirOwn() {
        PriceBook prices = PriceBook.of(List.of(
                ModelPrice.builder("cheap")
                        .price(TokenKind.INPUT, BigDecimal.ONE)
                        .build(),
                ModelPrice.builder("dear")
                        .price(TokenKind.INPUT, BigDecimal.TEN)
                        .build()));
        CircuitBreaker breaker = story.breaker().budget(daily("100")).build();

        for (String model : List.of("cheap", "cheap", "dear")) {
            Permit attempt = breaker.acquire(usd("20"));
            ModelUsage used = ModelUsage.of(model, Usage.of(1_000_000, 0));
            attempt.recordCost(prices.price(used, FakeTime.START).orElseThrow());
            if (model.equals("dear")) {
                attempt.success();
            } else {
                Story.fail(attempt);
            }
        }

        assertThat(shown(breaker)).isEqualTo("daily 12+0/100");
    }
}
