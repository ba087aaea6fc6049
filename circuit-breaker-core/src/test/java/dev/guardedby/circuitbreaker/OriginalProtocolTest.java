package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The manual protocol of the breaker that this one replaces: the same operations give the same answers. */
final class OriginalProtocolTest {
    private final Story story = new Story();
    private final CircuitBreaker breaker = story.breaker().build();

    @Test
    void wholeLife_ofABreakerThatIsAskedAndTold() {
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordSuccess();
        story.time.advance("PT1S");
        breaker.recordFailure();
        breaker.recordFailure();
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordFailure();
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance("PT4S");
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(6));
        story.time.advance("PT6S");
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordFailure();
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordSuccess();
        assertThat(breaker.canExecute()).isTrue();

        assertThat(story.history())
                .containsExactly(
                        "1s CLOSED>OPEN FAILURES",
                        "11s OPEN>HALF_OPEN WAIT_OVER",
                        "11s HALF_OPEN>OPEN PROBES_FAILED",
                        "21s OPEN>HALF_OPEN WAIT_OVER",
                        "21s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(Story.counts(breaker))
                .isEqualTo(
                        "totalSuccesses=2 totalFailures=4 timesOpened=2 timesHalfOpened=2 timesClosed=1 totalRejected=3");
    }

    @Test
    void newBreaker_hasTheOriginalsDefaults() {
        CircuitBreaker fresh = CircuitBreaker.of("default");

        assertThat(fresh.failureThreshold()).isEqualTo(5);
        assertThat(fresh.recoveryTimeout()).isEqualTo(Duration.ofMinutes(5));
        assertThat(fresh).hasToString("CircuitBreaker[name=default, state=closed, failures=0/5]");
        assertThat(fresh.canExecute()).isTrue();
        assertThat(fresh.timeUntilRetry()).isEmpty();
    }

    @Test
    void description_namesStateAndFailuresAgainstTheThreshold() {
        breaker.recordFailure();
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=closed, failures=1/3]");

        trip(breaker);
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=open, failures=4/3]");

        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=half_open, failures=4/3]");

        breaker.recordSuccess();
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=closed, failures=0/3]");
    }

    @Test
    void stats_haveTheOriginalsElevenEntriesFirst_andAreReadyForJson() {
        breaker.recordSuccess();
        breaker.recordCost(1_200, 300, new BigDecimal("0.0183"));
        story.time.advance("PT2S");
        trip(breaker);
        story.time.advance("PT3.5S");
        assertThat(breaker.canExecute()).isFalse();

        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("totalSuccesses", 1L);
        expected.put("totalFailures", 3L);
        expected.put("timesOpened", 1L);
        expected.put("timesHalfOpened", 0L);
        expected.put("timesClosed", 0L);
        expected.put("lastFailureAt", "2026-01-01T00:00:02Z");
        expected.put("lastStateChangeAt", "2026-01-01T00:00:02Z");
        expected.put("consecutiveFailures", 3L);
        expected.put("totalInputTokens", 1_200L);
        expected.put("totalOutputTokens", 300L);
        expected.put("totalEstimatedCost", new BigDecimal("0.0183"));
        expected.put("state", "OPEN");
        expected.put("totalIgnored", 0L);
        expected.put("totalRejected", 1L);
        expected.put("wouldReject", 0L);
        expected.put("stale", 0L);
        expected.put("late", 0L);
        expected.put("unreported", 0L);
        expected.put("timeClosed", "PT2S");
        expected.put("timeOpen", "PT3.5S");
        expected.put("timeHalfOpen", "PT0S");
        assertThat(breaker.stats().toMap().entrySet()).containsExactlyElementsOf(expected.entrySet());
    }

    @Test
    void statsOfANewBreaker_areZeroAndKnowNoInstants() {
        CircuitBreakerStats stats = breaker.stats();

        assertThat(Story.counts(breaker)).isEmpty();
        assertThat(stats.toMap()).containsEntry("lastFailureAt", null).containsEntry("lastStateChangeAt", null);
        assertThat(stats.lastFailureAt()).isNull();
        assertThat(stats.lastStateChangeAt()).isNull();
        assertThat(stats.totalEstimatedCost()).isEqualTo("0");
    }

    @Test
    void stats_areACopy() {
        breaker.recordFailure();
        CircuitBreakerStats before = breaker.stats();
        Map<String, Object> map = before.toMap();

        story.time.advance("PT5S");
        trip(breaker);
        breaker.recordCost(1, 1, BigDecimal.ONE);

        assertThat(before.toMap())
                .isEqualTo(map)
                .containsEntry("totalFailures", 1L)
                .containsEntry("state", "CLOSED");
        assertThat(before).isNotEqualTo(breaker.stats());
        assertThat(breaker.stats()).isEqualTo(breaker.stats()).hasSameHashCodeAs(breaker.stats());
        assertThat(breaker.stats())
                .hasToString("CircuitBreakerStats" + breaker.stats().toMap());
    }

    @Test
    void statsAccessors_agreeWithTheMap() {
        trip(breaker);
        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        story.time.advance("PT1S");
        CircuitBreakerStats stats = breaker.stats();

        assertThat(stats.timesOpened()).isEqualTo(1);
        assertThat(stats.timesHalfOpened()).isEqualTo(1);
        assertThat(stats.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(stats.lastFailureAt()).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(stats.lastStateChangeAt()).isEqualTo("2026-01-01T00:00:10Z");
        assertThat(stats.timeClosed()).isZero();
        assertThat(stats.timeOpen()).isEqualTo(WAIT);
        assertThat(stats.timeHalfOpen()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void consecutiveFailures_surviveTheTrip_riseInHalfOpen_andEndWithASuccess() {
        trip(breaker);
        assertThat(breaker.stats().consecutiveFailures()).isEqualTo(3);

        breaker.recordFailure();
        assertThat(breaker.stats().consecutiveFailures()).as("told while open").isEqualTo(4);

        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordFailure();
        assertThat(breaker.stats().consecutiveFailures()).as("a failed probe").isEqualTo(5);

        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordSuccess();
        assertThat(breaker.stats().consecutiveFailures()).isZero();
    }

    @Test
    void consecutiveFailures_surviveAForcedOpening() {
        breaker.recordFailure();
        breaker.recordFailure();
        breaker.forceOpen();

        assertThat(breaker.stats().consecutiveFailures()).isEqualTo(2);
    }

    @Test
    void lateSuccessInOpen_zeroesTheFailures_andMovesNothingElse() {
        trip(breaker);
        story.time.advance("PT4S");

        breaker.recordSuccess();

        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=3 timesOpened=1");
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(6));
    }

    @Test
    void lastFailureAt_movesWithEveryFailure_lastStateChangeAtOnlyWithTheState() {
        story.time.advance("PT1S");
        breaker.recordFailure();
        assertThat(instants()).isEqualTo("failed 1s, changed never");

        story.time.advance("PT1S");
        breaker.recordFailure();
        breaker.recordFailure();
        assertThat(instants()).isEqualTo("failed 2s, changed 2s");

        story.time.advance("PT1S");
        breaker.recordFailure();
        assertThat(instants()).as("told while open").isEqualTo("failed 3s, changed 2s");

        story.time.advance("PT1S");
        breaker.forceOpen();
        assertThat(instants()).as("forced open while open").isEqualTo("failed 3s, changed 2s");

        story.time.advance("PT1S");
        breaker.reset();
        assertThat(instants()).isEqualTo("failed 3s, changed 5s");

        story.time.advance("PT1S");
        breaker.reset();
        breaker.forceClose();
        breaker.recordSuccess();
        assertThat(instants()).as("nothing changed").isEqualTo("failed 3s, changed 5s");
    }

    private String instants() {
        CircuitBreakerStats stats = breaker.stats();
        return "failed " + since(stats.lastFailureAt()) + ", changed " + since(stats.lastStateChangeAt());
    }

    private static String since(Instant instant) {
        return instant == null
                ? "never"
                : Duration.between(FakeTime.START, instant).toSeconds() + "s";
    }

    @Test
    void costThreshold_isPassedAboveIt_notAtIt() {
        assertThat(breaker.checkCostThreshold(BigDecimal.ZERO)).isFalse();

        breaker.recordCost(10, 5, new BigDecimal("0.10"));
        breaker.recordCost(20, 5, new BigDecimal("0.15"));

        assertThat(breaker.checkCostThreshold(new BigDecimal("0.249999999"))).isTrue();
        assertThat(breaker.checkCostThreshold(new BigDecimal("0.2500"))).isFalse();
        assertThat(breaker.checkCostThreshold(new BigDecimal("0.250000001"))).isFalse();
        assertThat(breaker.checkCostThreshold(new BigDecimal("-1"))).isTrue();
        assertThat(breaker.checkCostThreshold(new BigDecimal("1E+1000000000"))).isFalse();
    }

    @Test
    void costs_areRecordedInEveryState_andMoveNone() {
        breaker.recordCost(1, 10, new BigDecimal("0.001"));
        trip(breaker);
        breaker.recordCost(2, 20, new BigDecimal("0.002"));
        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordCost(Cost.of(4, 40, new BigDecimal("0.004")));

        assertThat(breaker.stats().toMap())
                .containsEntry("totalInputTokens", 7L)
                .containsEntry("totalOutputTokens", 70L)
                .containsEntry("totalEstimatedCost", new BigDecimal("0.007"))
                .containsEntry("state", "HALF_OPEN");
    }
}
