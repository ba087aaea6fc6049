package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The failure rate: when a window is full enough to decide, what is in it, and what is not. */
final class FailureRateTest {
    private final Story story = new Story();

    /** No consecutive rule: a rate replaces the default. */
    private CircuitBreaker.Builder rated() {
        return CircuitBreaker.builder("llm")
                .failureRateThreshold(50)
                .recoveryTimeout(WAIT)
                .ticker(story.time)
                .clock(story.time)
                .listener(story);
    }

    /** Makes calls, F for one that fails and S for one that succeeds, until one trips; how many there were. */
    private static int callsUntilOpen(CircuitBreaker breaker, String results) {
        for (int i = 0; i < results.length(); i++) {
            Permit permit = breaker.acquire();
            if (results.charAt(i) == 'F') {
                fail(permit);
            } else {
                permit.success();
            }
            if (breaker.state() == CircuitState.OPEN) {
                return i + 1;
            }
        }
        return -1;
    }

    private static void succeed(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.acquire().success();
        }
    }

    @ParameterizedTest(name = "window {0}, minimum {1}, {2} %: {3} trips at call {4}")
    @CsvSource({
        // Full when minimum-calls equals it: nothing is decided before, whatever the rate.
        "4, 4, 50, FFFF, 4",
        "4, 4, 50, FFSS, 4",
        "4, 4, 75, SFFF, 4",
        // A success may be the call that trips.
        "4, 4, 50, FSFS, 4",
        "2, 2, 50, FS, 2",
        // Exactly the threshold trips, one less does not.
        "4, 4, 75, FFSS, -1",
        "3, 3, 66.7, FFS, -1",
        "3, 3, 66.6, FFS, 3",
        "10, 10, 100, FFFFFFFFFS, -1",
        "10, 10, 100, SFFFFFFFFFF, 11",
        // The oldest leave.
        "4, 4, 50, SSSSFSFS, 7",
        "4, 4, 50, FSSSFSSF, 8",
        "4, 4, 50, FSSSFSSSF, -1",
        "5, 5, 60, SSFFSSFFF, 7",
        // A part of the window is enough where minimum-calls says so.
        "100, 2, 50, SSF, -1",
        "100, 2, 50, SF, 2",
        "100, 3, 50, SSFF, 4",
        "100, 1, 50, F, 1",
        "100, 1, 50, SFF, 2",
        "1, 1, 100, SSSF, 4"
    })
    void countWindow_hasMicroProfilesArithmetic(int window, int minimum, double percent, String results, int tripsAt) {
        CircuitBreaker breaker = rated().failureRateThreshold(percent)
                .window(window)
                .minimumCalls(minimum)
                .build();

        assertThat(callsUntilOpen(breaker, results)).isEqualTo(tripsAt);
    }

    @ParameterizedTest(name = "minimum {0}, {1} %: {2} trips at call {3}")
    @CsvSource({
        "4, 50, FFFF, 4",
        "4, 50, FSFS, 4",
        "4, 75, FFSS, -1",
        "4, 75, FFFS, 4",
        "1, 50, F, 1",
        "3, 50, SSFSF, -1",
        "3, 50, SSFSFF, 6"
    })
    void timeWindow_hasTheSameArithmetic_whileNothingLeaves(int minimum, double percent, String results, int tripsAt) {
        CircuitBreaker breaker = rated().failureRateThreshold(percent)
                .window(Duration.ofSeconds(60))
                .minimumCalls(minimum)
                .build();

        assertThat(callsUntilOpen(breaker, results)).isEqualTo(tripsAt);
    }

    @ParameterizedTest
    @ValueSource(strings = {"call", "run", "acquire", "manual"})
    void successThatCompletesTheWindow_trips_inAnyShape(String shape) {
        CircuitBreaker breaker = rated().window(4).build();
        fail(breaker, 2);
        breaker.run(() -> {});
        switch (shape) {
            case "call" ->
                assertThat(breaker.<String, RuntimeException>call(() -> "answer"))
                        .isEqualTo("answer");
            case "run" -> breaker.run(() -> {});
            case "acquire" -> breaker.acquire().success();
            default -> breaker.recordSuccess();
        }

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("failure-rate-threshold 50.0", 4, 2, 0, 0, Map.of("java.io.IOException", 2L)));
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=2 totalFailures=2 timesOpened=1");
        assertThat(breaker.refusal().orElseThrow().message())
                .isEqualTo("open after 2 of 4 calls failed, next probe in 10.0 s");
    }

    @Test
    void consecutiveFailures_alone_tripNothing_whereOnlyARateIsWritten() {
        CircuitBreaker breaker = rated().build();
        fail(breaker, 19);
        assertThat(story.history()).isEmpty();
        assertThat(breaker.failureThreshold()).isZero();
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=closed, failures=19]");

        fail(breaker, 1);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void consecutiveFailures_thatSomebodyWrote_standBeside() {
        CircuitBreaker byRow = rated().failureThreshold(5).build();
        fail(byRow, 4);
        assertThat(byRow.state()).isEqualTo(CircuitState.CLOSED);
        fail(byRow, 1);
        CircuitBreaker byRate = rated().failureThreshold(5).window(6).build();
        assertThat(callsUntilOpen(byRate, "FFSFSS")).isEqualTo(6);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES", "0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void ignoredAndRefusedCalls_areNotInTheWindow() {
        CircuitBreaker breaker = rated().window(4).build();
        fail(breaker, 2);
        for (int i = 0; i < 10; i++) {
            breaker.acquire().ignore();
            breaker.acquire().cancel();
            breaker.acquire().close();
        }
        breaker.acquire().success();
        assertThat(story.history()).isEmpty();
        breaker.acquire().success();
        for (int i = 0; i < 10; i++) {
            assertThat(breaker.tryAcquire()).isEmpty();
        }

        assertThat(breaker.lastTransition().orElseThrow().evidence().calls()).isEqualTo(4);
        breaker.reset();
        assertThat(callsUntilOpen(breaker, "SSSF"))
                .as("the refused are in no window")
                .isEqualTo(-1);
    }

    @Test
    void manualResults_enterTheWindow() {
        CircuitBreaker breaker = rated().window(4).build();
        breaker.recordFailure();
        breaker.recordSuccess();
        breaker.recordFailure();
        assertThat(story.history()).isEmpty();
        breaker.recordSuccess();

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void staleResults_areNotInTheWindow() {
        CircuitBreaker breaker = rated().window(4).build();
        List<Permit> old = List.of(breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire());
        breaker.reset();
        fail(breaker, 2);
        fail(old.get(0));
        fail(old.get(1));
        old.get(2).success();
        old.get(3).success();
        assertThat(story.history()).isEmpty();
        breaker.acquire().success();
        assertThat(story.history()).as("three of four are in").isEmpty();
        breaker.acquire().success();

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
        assertThat(breaker.stats().stale()).isEqualTo(4);
    }

    @Test
    void window_startsEmpty_afterARecovery() {
        CircuitBreaker breaker = rated().window(4).build();
        fail(breaker, 4);
        story.time.advance(WAIT);
        breaker.acquire().success();
        fail(breaker, 2);
        breaker.acquire().success();
        assertThat(breaker.state())
                .as("neither the outage nor the probe counts")
                .isEqualTo(CircuitState.CLOSED);
        breaker.acquire().success();

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURE_RATE",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED",
                        "10s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void window_startsEmpty_afterResetAndForceClose() {
        CircuitBreaker breaker = rated().window(4).build();
        fail(breaker, 3);
        breaker.reset();
        fail(breaker, 3);
        breaker.forceClose();
        fail(breaker, 3);

        assertThat(story.history()).isEmpty();
        fail(breaker, 1);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void disabled_hasNoWindow() {
        CircuitBreaker breaker = rated().window(4).mode(Mode.DISABLED).build();
        fail(breaker, 100);
        breaker.mode(Mode.ENFORCE);
        fail(breaker, 3);
        assertThat(story.history())
                .as("what came while disabled counts nowhere")
                .isEmpty();
        breaker.mode(Mode.DISABLED);
        fail(breaker, 100);
        breaker.mode(Mode.ENFORCE);
        fail(breaker, 3);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void observer_hasAWindow_whichEnforcingKeeps() {
        CircuitBreaker breaker = rated().window(4).mode(Mode.OBSERVE).build();
        fail(breaker, 3);
        breaker.mode(Mode.ENFORCE);
        breaker.acquire().success();
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");

        breaker.reset();
        breaker.mode(Mode.OBSERVE);
        fail(breaker, 4);
        breaker.acquire().success();
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
    }

    @Test
    void timeWindow_forgetsLateByAtMostATenth_andNeverEarly() {
        CircuitBreaker kept =
                rated().window(Duration.ofSeconds(10)).minimumCalls(2).build();
        fail(kept, 1);
        story.time.advance("PT10S");
        fail(kept, 1);
        assertThat(story.history()).containsExactly("10s CLOSED>OPEN FAILURE_RATE");

        CircuitBreaker forgotten =
                rated().window(Duration.ofSeconds(10)).minimumCalls(2).build();
        fail(forgotten, 1);
        story.time.advance("PT11S");
        fail(forgotten, 1);
        assertThat(forgotten.state()).isEqualTo(CircuitState.CLOSED);
        fail(forgotten, 1);
        assertThat(forgotten.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void successesThatLeaveATimeWindow_letTheNextSuccessTrip() {
        CircuitBreaker breaker =
                rated().window(Duration.ofSeconds(10)).minimumCalls(5).build();
        succeed(breaker, 10);
        story.time.advance("PT5S");
        fail(breaker, 5);
        assertThat(story.history()).as("5 of 15").isEmpty();
        story.time.advance("PT6S");
        breaker.acquire().success();

        assertThat(story.history()).as("5 of 6").containsExactly("11s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void timeWindow_leftAloneForAYear_isEmpty() {
        CircuitBreaker breaker =
                rated().window(Duration.ofSeconds(10)).minimumCalls(2).build();
        succeed(breaker, 50);
        story.time.advance(Duration.ofDays(365));
        fail(breaker, 1);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(breaker.lastTransition().orElseThrow().evidence().calls()).isEqualTo(2);
    }

    @Test
    void countWindow_readsNoClock() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureRateThreshold(50)
                .ticker(story.time)
                .build();
        long before = story.time.tickerReads();
        for (int i = 0; i < 50; i++) {
            breaker.run(() -> {});
            breaker.acquire().success();
            fail(breaker, i % 5 == 0 ? 1 : 0);
        }

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.time.tickerReads()).isEqualTo(before);
    }
}
