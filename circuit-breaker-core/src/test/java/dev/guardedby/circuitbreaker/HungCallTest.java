package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that hang are slow while they hang, judged at admissions. */
final class HungCallTest {
    private static final Duration SLOW = Duration.ofSeconds(2);

    private final Story story = new Story();

    private CircuitBreaker.Builder slowRule() {
        return story.breaker().slowCallDuration(SLOW).slowCallRateThreshold(50);
    }

    private static List<Permit> hang(CircuitBreaker breaker, int calls) {
        List<Permit> hung = new ArrayList<>();
        for (int i = 0; i < calls; i++) {
            hung.add(breaker.acquire());
        }
        return hung;
    }

    @Test
    void hungCalls_weighMore_asSoonAsTheWindowForgetsTheRest() {
        Story other = new Story();
        CircuitBreaker breaker = other.breaker()
                .slowCallDuration(Duration.ofSeconds(100))
                .slowCallRateThreshold(80)
                .window(Duration.ofSeconds(1))
                .minimumCalls(2)
                .build();
        breaker.acquire();
        breaker.acquire();
        other.time.advance(Duration.ofSeconds(105));
        breaker.recordFailure();

        assertThat(breaker.refusal()).isEmpty();
        other.time.advance(Duration.ofSeconds(2));
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(other.history()).containsExactly("107s CLOSED>OPEN SLOW_CALL_RATE");
    }

    @Test
    void twentyHungCalls_openAtTheNextAdmission_whichIsToldWhy() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");

        assertThatExceptionOfType(CallNotPermittedException.class)
                .isThrownBy(breaker::acquire)
                .satisfies(refused -> assertThat(refused.refusal())
                        .isEqualTo(new Refusal(
                                Reason.OPEN,
                                "open after 20 of 20 calls were slow, 20 of them still hanging, next probe in 10.0 s",
                                Optional.of(WAIT))));
        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("slow-call-rate-threshold 50.0", 0, 0, 0, 20, Map.of()));
        hung.forEach(Permit::success);
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=20 timesOpened=1 totalRejected=1 stale=20");
        assertThat(story.history()).containsExactly("2.2s CLOSED>OPEN SLOW_CALL_RATE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"call", "run", "callAsync", "acquire", "tryAcquire", "canExecute"})
    void anyAdmission_judges(String shape) {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");
        try {
            switch (shape) {
                case "call" -> breaker.call(() -> "never");
                case "run" -> breaker.run(() -> {});
                case "callAsync" -> assertThat(breaker.callAsync(() -> null)).isCompletedExceptionally();
                case "acquire" -> breaker.acquire().close();
                case "tryAcquire" -> assertThat(breaker.tryAcquire()).isEmpty();
                default -> assertThat(breaker.canExecute()).isFalse();
            }
        } catch (CallNotPermittedException refused) {
            assertThat(refused.state()).isEqualTo(CircuitState.OPEN);
        }

        assertThat(story.history()).containsExactly("2.2s CLOSED>OPEN SLOW_CALL_RATE");
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
        hung.forEach(Permit::close);
    }

    @Test
    void hungCalls_areSeenNotEarlierThanTheDuration_andNotLaterThanATenthOfIt() {
        for (int begin = 0; begin < 200; begin += 7) {
            Story own = new Story();
            CircuitBreaker breaker = own.breaker()
                    .slowCallDuration(SLOW)
                    .slowCallRateThreshold(100)
                    .minimumCalls(3)
                    .build();
            own.time.advance(Duration.ofMillis(begin));
            List<Permit> hung = hang(breaker, 3);
            int ran = 0;
            // Each of these looks is a call that is ignored, so that only the three are under way.
            for (Optional<Permit> look = breaker.tryAcquire(); look.isPresent(); look = breaker.tryAcquire()) {
                look.get().ignore();
                own.time.advance("PT0.001S");
                ran++;
            }

            assertThat(ran).as("begun at %s ms", begin).isBetween(2_000, 2_200);
            hung.forEach(Permit::close);
        }
    }

    @Test
    void stateAlone_doesNotJudge_andMonitoringMovesNothing() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT1H");

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.timeUntilRetry()).isEmpty();
        assertThat(counts(breaker)).isEmpty();
        assertThat(story.history()).isEmpty();
        hung.forEach(Permit::close);
    }

    @Test
    void refusal_looksAhead_andTheNextAdmissionStillJudges() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");

        assertThat(breaker.refusal().orElseThrow().reason()).isEqualTo(Reason.OPEN);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.tryAcquire()).as("after a look that moves nothing").isEmpty();
        assertThat(story.history()).containsExactly("2.2s CLOSED>OPEN SLOW_CALL_RATE");
        hung.forEach(Permit::close);
    }

    @Test
    void hungAndReturned_addUp_inRateAndMinimum() {
        CircuitBreaker breaker = slowRule().minimumCalls(10).build();
        for (int i = 0; i < 5; i++) {
            breaker.run(() -> {});
        }
        List<Permit> hung = hang(breaker, 4);
        story.time.advance("PT2.2S");
        assertThat(breaker.tryAcquire()).as("4 of 9: too few").hasValueSatisfying(Permit::ignore);
        hung.addAll(hang(breaker, 1));
        story.time.advance("PT2.2S");
        assertThat(breaker.tryAcquire()).as("5 of 10").isEmpty();

        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("slow-call-rate-threshold 50.0", 5, 0, 0, 5, Map.of()));
        hung.forEach(Permit::close);
    }

    @Test
    void hungCallThatReturns_isInTheWindowOnce() {
        CircuitBreaker breaker = slowRule().minimumCalls(4).build();
        List<Permit> hung = hang(breaker, 3);
        story.time.advance("PT2.2S");
        hung.get(0).success();
        hung.get(1).success();
        hung.get(2).success();
        assertThat(breaker.tryAcquire()).as("three are not four").hasValueSatisfying(Permit::ignore);
        assertThat(story.history()).isEmpty();
        breaker.run(() -> {});

        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("slow-call-rate-threshold 50.0", 4, 0, 3, 0, Map.of()));
    }

    @Test
    void hungCallsThatEndIgnored_neitherHangNorCount() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT3S");
        hung.subList(0, 7).forEach(Permit::ignore);
        hung.subList(7, 14).forEach(Permit::cancel);
        hung.subList(14, 20).forEach(Permit::close);
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(story.history()).isEmpty();
    }

    @Test
    void hungCallsOfAnOlderPeriod_doNotCount() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT1S");
        breaker.reset();
        story.time.advance("PT10S");
        assertThat(breaker.tryAcquire()).hasValueSatisfying(Permit::success);
        hung.forEach(Permit::success);
        assertThat(breaker.tryAcquire()).hasValueSatisfying(Permit::success);

        assertThat(story.history()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=22 stale=20");
    }

    @Test
    void hungCallsOfTheOutage_doNotReopenAfterTheRecovery() {
        CircuitBreaker breaker = slowRule().build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance(WAIT);
        breaker.run(() -> {});
        story.time.advance("PT1H");
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "2.2s CLOSED>OPEN SLOW_CALL_RATE",
                        "12.2s OPEN>HALF_OPEN WAIT_OVER",
                        "12.2s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        hung.forEach(Permit::close);
    }

    @Test
    void admissionsWithoutAPermit_neverHang() {
        CircuitBreaker breaker = slowRule().build();
        for (int i = 0; i < 40; i++) {
            assertThat(breaker.canExecute()).isTrue();
        }
        story.time.advance("PT1H");

        assertThat(breaker.canExecute()).isTrue();
        for (int i = 0; i < 41; i++) {
            breaker.recordSuccess();
        }
        assertThat(breaker.canExecute()).isTrue();
        assertThat(story.history()).isEmpty();
    }

    @Test
    void hungCalls_giveNoHint() {
        CircuitBreaker breaker = slowRule()
                .failureThreshold(100)
                .maxRecoveryTimeout(Duration.ofHours(1))
                .retryAfter(failure -> Optional.of(Duration.ofMinutes(5)))
                .build();
        fail(breaker, 1);
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");
        assertThat(breaker.tryAcquire()).isEmpty();

        assertThat(breaker.timeUntilRetry()).contains(WAIT);
        hung.forEach(permit -> permit.failure(new IOException()));
        assertThat(breaker.timeUntilRetry()).contains(WAIT);
    }

    @Test
    void tripByHungCalls_isNoFailure_andKeepsTheStreak() {
        CircuitBreaker breaker = slowRule().build();
        fail(breaker, 2);
        List<Permit> hung = hang(breaker, 18);
        story.time.advance("PT2.2S");
        assertThat(breaker.tryAcquire()).isEmpty();

        assertThat(counts(breaker)).isEqualTo("totalFailures=2 timesOpened=1 consecutiveFailures=2 totalRejected=1");
        hung.forEach(Permit::close);
    }

    @Test
    void observer_opensOnHungCalls_andRefusesNothing() {
        CircuitBreaker breaker = slowRule().mode(Mode.OBSERVE).build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT2.2S");
        breaker.run(() -> {});

        assertThat(story.history()).containsExactly("2.2s CLOSED>OPEN SLOW_CALL_RATE");
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 timesOpened=1 wouldReject=1");
        hung.forEach(Permit::close);
    }

    @Test
    void disabled_seesNoHungCalls() {
        CircuitBreaker breaker = slowRule().mode(Mode.DISABLED).build();
        List<Permit> hung = hang(breaker, 20);
        story.time.advance("PT1H");
        breaker.run(() -> {});
        breaker.mode(Mode.ENFORCE);
        breaker.run(() -> {});

        assertThat(story.history()).isEmpty();
        hung.forEach(Permit::close);
    }

    @Test
    void lookingForHungCalls_takesNoFailureRateFromTheNextResult() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureRateThreshold(50)
                .slowCallDuration(Duration.ofSeconds(1))
                .slowCallRateThreshold(100)
                .window(Duration.ofSeconds(60))
                .minimumCalls(5)
                .recoveryTimeout(WAIT)
                .ticker(story.time)
                .clock(story.time)
                .listener(story)
                .build();
        for (int i = 0; i < 6; i++) {
            breaker.run(() -> {});
        }
        story.time.advance(Duration.ofSeconds(29));
        Permit hung = breaker.acquire();
        story.time.advance(Duration.ofSeconds(1));
        fail(breaker, 5);
        story.time.advance(Duration.ofMillis(31_500));
        breaker.run(() -> {});

        assertThat(story.history())
                .as("the six old successes are forgotten, so 5 of 6 failed")
                .containsExactly("61.5s CLOSED>OPEN FAILURE_RATE");
        hung.success();
    }
}
