package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Calls of a breaker that has nothing to do but count: no failure in its streak, no rate, no rule, nobody who listens. */
final class CalmCallTest {
    private final CircuitBreaker breaker = CircuitBreaker.of("llm");

    @Test
    void success_isCounted_andItsAnswerReturned() {
        String answer = breaker.call(() -> "answer");
        breaker.run(() -> {});

        assertThat(answer).isEqualTo("answer");
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=2");
    }

    @Test
    void successOfAnEarlierPeriod_isStale() {
        String answer = breaker.call(() -> {
            breaker.reset();
            return "answer";
        });
        breaker.run(breaker::reset);

        assertThat(answer).isEqualTo("answer");
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=2 stale=2");
    }

    @Test
    void successDuringWhichOthersFailed_endsTheirStreak() {
        String answer = breaker.call(() -> {
            Story.fail(breaker, 4);
            return "answer";
        });
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=4");
        breaker.run(() -> Story.fail(breaker, 4));

        assertThat(answer).isEqualTo("answer");
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=2 totalFailures=8");
    }

    @Test
    void successAfterFailures_endsTheirStreak() {
        Story.fail(breaker, 4);
        breaker.run(() -> {});
        Story.fail(breaker, 4);
        breaker.run(() -> {});
        breaker.run(() -> {});

        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=3 totalFailures=8");
    }

    @Test
    void rampUp_isNotPassedOver() {
        FakeTime time = new FakeTime();
        CircuitBreaker recovered = CircuitBreaker.builder("llm")
                .rampUp(Duration.ofSeconds(10))
                .ticker(time)
                .clock(time)
                .build();
        recovered.forceOpen();
        time.advance(recovered.recoveryTimeout());
        recovered.run(() -> {});
        for (int i = 0; i < 20; i++) {
            try {
                recovered.run(() -> {});
            } catch (CallNotPermittedException refused) {
                assertThat(refused.refusal().reason()).isEqualTo(Refusal.Reason.RAMP_UP);
            }
        }

        assertThat(Story.counts(recovered))
                .as("the probe, and of 20 calls the first and every tenth")
                .isEqualTo("totalSuccesses=3 timesOpened=1 timesHalfOpened=1 timesClosed=1 totalRejected=18");
    }

    @Test
    void rulesThatCameDuringTheCall_judgeItsResult() {
        String answer = breaker.call(() -> {
            breaker.reconfigure(settings -> settings.failOnResult("overloaded"::equals)
                    .slowCallDuration(Duration.ofHours(1))
                    .slowCallRateThreshold(50));
            return "overloaded";
        });

        assertThat(answer).isEqualTo("overloaded");
        assertThat(Story.counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }
}
