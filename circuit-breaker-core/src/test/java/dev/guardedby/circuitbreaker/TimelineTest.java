package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** CLOSED, OPEN and HALF_OPEN as time goes by. */
final class TimelineTest {
    private final Story story = new Story();
    private final CircuitBreaker breaker = story.breaker().build();
    private final List<String> remote = new ArrayList<>();

    private String ask(String answer) throws IOException {
        remote.add(answer);
        if (answer.equals("down")) {
            throw new IOException(answer);
        }
        return answer;
    }

    private void askAndFail() {
        assertThatThrownBy(() -> breaker.call(() -> ask("down"))).isInstanceOf(IOException.class);
    }

    private void askAndBeRefused() {
        assertThatThrownBy(() -> breaker.call(() -> ask("never"))).isInstanceOf(CallNotPermittedException.class);
    }

    @Test
    void outage_isCutOff_probed_andOver() throws IOException {
        assertThat(breaker.<String, IOException>call(() -> ask("fine"))).isEqualTo("fine");
        story.time.advance("PT1S");
        askAndFail();
        askAndFail();
        story.time.advance("PT1S");
        askAndFail();
        askAndBeRefused();
        story.time.advance("PT9.9S");
        askAndBeRefused();
        story.time.advance("PT0.1S");
        askAndFail();
        askAndBeRefused();
        story.time.advance(WAIT);
        assertThat(breaker.<String, IOException>call(() -> ask("back"))).isEqualTo("back");
        assertThat(breaker.<String, IOException>call(() -> ask("again"))).isEqualTo("again");

        assertThat(remote).containsExactly("fine", "down", "down", "down", "down", "back", "again");
        assertThat(story.history())
                .containsExactly(
                        "2s CLOSED>OPEN FAILURES",
                        "12s OPEN>HALF_OPEN WAIT_OVER",
                        "12s HALF_OPEN>OPEN PROBES_FAILED",
                        "22s OPEN>HALF_OPEN WAIT_OVER",
                        "22s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo(
                        "totalSuccesses=3 totalFailures=4 timesOpened=2 timesHalfOpened=2 timesClosed=1 totalRejected=3");
    }

    @Test
    void success_forgetsTheFailuresBeforeIt() {
        for (int i = 0; i < 10; i++) {
            fail(breaker, 2);
            breaker.acquire().success();
        }
        assertThat(story.history()).isEmpty();

        fail(breaker, 3);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void ignoredResult_neitherCountsNorForgets() {
        fail(breaker, 2);
        breaker.acquire().ignore();
        breaker.acquire().cancel();
        assertThat(story.history()).isEmpty();

        fail(breaker, 1);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
        assertThat(counts(breaker)).isEqualTo("totalFailures=3 timesOpened=1 consecutiveFailures=3 totalIgnored=2");
    }

    @Test
    void thresholdOfOne_tripsAtTheFirstFailure() {
        CircuitBreaker touchy = story.breaker().failureThreshold(1).build();

        fail(touchy, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void tripRule_tripsAtOnce() {
        CircuitBreaker strict =
                story.breaker().tripIf(IllegalStateException.class::isInstance).build();

        strict.acquire().failure(new IllegalStateException("key revoked"));

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN TRIP");
        assertThat(counts(strict)).isEqualTo("totalFailures=1 timesOpened=1 consecutiveFailures=1");
    }

    @Test
    void wait_isOverExactlyAtTheDeadline() {
        trip(breaker);

        story.time.advance(WAIT.minusNanos(1));
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofNanos(1));

        story.time.advance(Duration.ofNanos(1));
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(breaker.timeUntilRetry()).isEmpty();
    }

    @Test
    void failuresWhileOpen_doNotMoveTheDeadline() {
        Permit slow = breaker.acquire();
        trip(breaker);
        story.time.advance("PT9S");

        fail(slow);
        breaker.recordFailure();
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(1));
        story.time.advance("PT1S");

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES", "10s OPEN>HALF_OPEN WAIT_OVER");
    }

    @Test
    void everyReopening_waitsTheWholeWaitAgain() {
        trip(breaker);
        for (int i = 0; i < 3; i++) {
            story.time.advance(WAIT.plusSeconds(2));
            fail(breaker, 1);
            assertThat(breaker.timeUntilRetry()).contains(WAIT);
        }

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "12s OPEN>HALF_OPEN WAIT_OVER",
                        "12s HALF_OPEN>OPEN PROBES_FAILED",
                        "24s OPEN>HALF_OPEN WAIT_OVER",
                        "24s HALF_OPEN>OPEN PROBES_FAILED",
                        "36s OPEN>HALF_OPEN WAIT_OVER",
                        "36s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void waitIsCountedFromTheTrip_notFromTheLastSuccess() {
        story.time.advance("PT1H");
        trip(breaker);
        story.time.advance("PT4S");

        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(6));
    }

    @Test
    void recoveredBreaker_needsAllFailuresAnewToTrip() {
        CircuitBreaker recovered = story.halfOpen(story.breaker());
        recovered.acquire().success();

        fail(recovered, 2);
        assertThat(recovered.state()).isEqualTo(CircuitState.CLOSED);
        fail(recovered, 1);

        assertThat(story.history())
                .containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED", "10s CLOSED>OPEN FAILURES");
    }

    @Test
    void timeInEachState_addsUpOverTheWholeLife() {
        story.time.advance("PT5S");
        trip(breaker);
        story.time.advance(WAIT);
        Permit probe = breaker.acquire();
        story.time.advance("PT3S");
        fail(probe);
        story.time.advance("PT20S");
        Permit second = breaker.acquire();
        story.time.advance("PT1S");
        second.success();
        story.time.advance("PT7S");
        breaker.reset();
        story.time.advance("PT0.5S");

        assertThat(breaker.stats().toMap())
                .containsEntry("timeClosed", "PT12.5S")
                .containsEntry("timeOpen", "PT30S")
                .containsEntry("timeHalfOpen", "PT4S");
    }

    @Test
    void refusals_sayHowLongToWait_downToTheLastNanosecond() {
        trip(breaker);

        List<String> waits = new ArrayList<>();
        for (String step : List.of("PT0S", "PT4S", "PT5.5S", "PT0.499999999S")) {
            story.time.advance(step);
            assertThatExceptionOfType(CallNotPermittedException.class)
                    .isThrownBy(breaker::acquire)
                    .satisfies(refused ->
                            waits.add(refused.retryAfter().orElseThrow().toString()));
        }

        assertThat(waits).containsExactly("PT10S", "PT6S", "PT0.5S", "PT0.000000001S");
    }

    @Test
    void bystandersWhileProbing_areRefusedWithoutATimeToWait() {
        CircuitBreaker probed = story.halfOpen(story.breaker());
        Permit probe = probed.acquire();

        assertThat(probe.isProbe()).isTrue();
        assertThat(probed.tryAcquire()).isEmpty();
        assertThat(probed.canExecute()).isFalse();
        assertThat(probed.timeUntilRetry()).isEmpty();
        assertThatExceptionOfType(CallNotPermittedException.class)
                .isThrownBy(probed::acquire)
                .satisfies(refused -> assertThat(refused.retryAfter()).isEmpty());
        assertThat(counts(probed))
                .isEqualTo("totalFailures=3 timesOpened=1 timesHalfOpened=1 consecutiveFailures=3 totalRejected=3");
    }
}
