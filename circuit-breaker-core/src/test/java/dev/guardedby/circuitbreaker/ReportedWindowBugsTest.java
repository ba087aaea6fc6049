package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bugs reported against the windows of other breakers, by the number of the report. */
final class ReportedWindowBugsTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder rated() {
        return CircuitBreaker.builder("llm")
                .failureRateThreshold(50)
                .ticker(story.time)
                .clock(story.time)
                .listener(story);
    }

    @Test
    void resilience4jD6_tickerThatStepsBack_leavesATimeWindowWhole() {
        CircuitBreaker breaker =
                rated().window(Duration.ofSeconds(10)).minimumCalls(100).build();
        story.time.advance("PT5S");
        fail(breaker, 1);
        story.time.advance("PT-3S");
        fail(breaker, 98);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("2s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void resilience4jD8_tripAtOnce_reachesNoCallerAsAnError_andRecovers() {
        CircuitBreaker breaker = rated().window(Duration.ofSeconds(10))
                .recoveryTimeout(Story.WAIT)
                .tripIf(IOException.class::isInstance)
                .build();
        fail(breaker, 1);
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance(Story.WAIT);
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN TRIP", "10s OPEN>HALF_OPEN WAIT_OVER", "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void resilience4jD10_timeWindow_livesByTheGivenTicker() {
        CircuitBreaker breaker =
                rated().window(Duration.ofHours(1)).minimumCalls(2).build();
        fail(breaker, 1);
        story.time.advance("PT2H");
        fail(breaker, 1);
        assertThat(story.history()).as("the first is forgotten").isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("7200s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void resilience4jD15_minimumThatNoWindowHolds_failsTheBuild() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> rated().window(5).minimumCalls(100).build())
                .withMessage("minimum-calls must be at most window, but minimum-calls was 100 and window was 5");
    }

    @Test
    void resilience4j1597_hungCalls_openTheBreaker_beforeAnyReturns() {
        CircuitBreaker breaker = story.breaker()
                .slowCallDuration(Duration.ofSeconds(2))
                .slowCallRateThreshold(100)
                .build();
        List<Permit> hung = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            hung.add(breaker.acquire());
        }
        story.time.advance("PT3S");

        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(story.history()).containsExactly("3s CLOSED>OPEN SLOW_CALL_RATE");
        hung.forEach(Permit::close);
    }

    @Test
    void resilience4j2379_windowOfASecond_andOneOfANanosecond_work() {
        for (Duration length : List.of(Duration.ofSeconds(1), Duration.ofNanos(1))) {
            CircuitBreaker breaker = rated().window(length).minimumCalls(2).build();
            for (int i = 0; i < 100; i++) {
                fail(breaker, 1);
                story.time.advance("PT5S");
            }
            assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
            fail(breaker, 2);
            assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        }
    }

    @ParameterizedTest
    @CsvSource({"PT10S, PT4S, PT6S", "PT10S, PT9.999999999S, PT0.000000001S", "PT1H, PT0S, PT1H"})
    void akka20029_refusal_tellsTheRestOfTheWait(Duration wait, Duration passed, Duration rest) {
        CircuitBreaker breaker = rated().window(2).recoveryTimeout(wait).build();
        fail(breaker, 2);
        story.time.advance(passed);

        assertThat(breaker.refusal().orElseThrow().retryAfter()).isEqualTo(Optional.of(rest));
        assertThat(breaker.timeUntilRetry()).contains(rest);
    }
}
