package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A result belongs to the period that admitted it: once that has ended, it moves nothing. */
final class StaleResultTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder builder() {
        return story.breaker().tripIf(IllegalStateException.class::isInstance);
    }

    private enum End {
        TRIP,
        FORCE_OPEN,
        HOLD_OPEN,
        RESET,
        FORCE_CLOSE,
        DISABLED,
        DISABLED_AND_BACK,
        PROBES_SUCCEEDED_SINCE,
        PROBES_FAILED_SINCE;

        void come(CircuitBreaker breaker, FakeTime time) {
            switch (this) {
                case TRIP -> fail(breaker, 2);
                case FORCE_OPEN -> breaker.forceOpen();
                case HOLD_OPEN -> breaker.holdOpen();
                case RESET -> breaker.reset();
                case FORCE_CLOSE -> breaker.forceClose();
                case DISABLED -> breaker.mode(Mode.DISABLED);
                case DISABLED_AND_BACK -> {
                    breaker.mode(Mode.DISABLED);
                    breaker.mode(Mode.ENFORCE);
                }
                case PROBES_SUCCEEDED_SINCE -> {
                    breaker.forceOpen();
                    time.advance(WAIT);
                    breaker.acquire().success();
                }
                case PROBES_FAILED_SINCE -> {
                    breaker.forceOpen();
                    time.advance(WAIT);
                    fail(breaker.acquire());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(End.class)
    void resultsOfAnEndedPeriod_areInTheTotalsOnly(End end) {
        CircuitBreaker breaker = builder().build();
        fail(breaker, 1);
        List<Permit> inFlight =
                List.of(breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire());
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = breaker.callAsync(() -> stage);
        breaker.run(() -> {
            end.come(breaker, story.time);
            String before = state(breaker);
            CircuitBreakerStats statsBefore = breaker.stats();

            story.time.advance("PT1S");
            fail(inFlight.get(0));
            inFlight.get(1).failure(new IllegalStateException("proof"));
            inFlight.get(2).ignore();
            inFlight.get(3).success();
            inFlight.get(4).close();
            stage.complete("answer");
            assertThat(future).isCompletedWithValue("answer");
            story.time.advance("PT-1S");

            CircuitBreakerStats stats = breaker.stats();
            assertThat(state(breaker)).isEqualTo(before);
            assertThat(stats.consecutiveFailures()).isEqualTo(statsBefore.consecutiveFailures());
            assertThat(stats.totalFailures() - statsBefore.totalFailures()).isEqualTo(2);
            assertThat(stats.totalSuccesses() - statsBefore.totalSuccesses()).isEqualTo(2);
            assertThat(stats.totalIgnored() - statsBefore.totalIgnored()).isEqualTo(2);
            assertThat(stats.unreported()).isEqualTo(1);
            assertThat(stats.stale()).isEqualTo(6);
            assertThat(stats.late()).isZero();
            assertThat(stats.lastFailureAt())
                    .isEqualTo(FakeTime.START.plus(story.time.elapsed()).plusSeconds(1));
        });
        assertThat(breaker.stats().stale()).as("the call around it all, too").isEqualTo(7);
    }

    private String state(CircuitBreaker breaker) {
        return breaker.state() + " " + breaker.timeUntilRetry() + " " + story.history();
    }

    @Test
    void staleFailures_neitherTripTheClosedOneAfterTheRecovery_norStartItsCount() {
        CircuitBreaker breaker = builder().build();
        List<Permit> slow = List.of(breaker.acquire(), breaker.acquire(), breaker.acquire());
        fail(breaker, 3);
        story.time.advance(WAIT);
        breaker.acquire().success();

        slow.forEach(Story::fail);
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=6 timesOpened=1 timesHalfOpened=1 timesClosed=1 stale=3");
        fail(breaker, 2);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void staleSuccess_doesNotForgetFailuresOfTheNewPeriod() {
        CircuitBreaker breaker = builder().build();
        Permit slow = breaker.acquire();
        breaker.reset();
        fail(breaker, 2);

        slow.success();
        assertThat(breaker.stats().consecutiveFailures()).isEqualTo(2);
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void staleResults_inHalfOpen_neitherDecideNorFreeASlot() {
        CircuitBreaker breaker = builder().probes(2).build();
        List<Permit> slow =
                List.of(breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire());
        fail(breaker, 3);
        story.time.advance(WAIT);
        Permit first = breaker.acquire();
        Permit second = breaker.acquire();

        slow.get(0).success();
        slow.get(1).success();
        fail(slow.get(2));
        slow.get(3).ignore();
        slow.get(4).close();
        assertThat(breaker.tryAcquire()).isEmpty();
        first.success();
        second.success();

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(breaker.stats().stale()).isEqualTo(5);
    }

    @Test
    void staleResults_doNotDelayTheIdleDecision() {
        CircuitBreaker breaker = builder().probes(3).successesToClose(2).build();
        Permit slow = breaker.acquire();
        fail(breaker, 3);
        story.time.advance(WAIT);
        breaker.acquire().success();
        story.time.advance(LEASE.minusSeconds(1));
        slow.success();
        story.time.advance("PT1S");

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).last().isEqualTo("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void staleFailure_isNoEvidenceAgainstTheNewPeriod() {
        CircuitBreaker breaker = builder().build();
        Permit slow = breaker.acquire();
        breaker.reset();
        slow.failure(new ArithmeticException());
        fail(breaker, 3);

        assertThat(breaker.lastTransition().orElseThrow().evidence().topFailures())
                .containsOnlyKeys("java.io.IOException");
    }

    @Test
    void resultsToldWithoutAPermit_areNeverOfAnOldPeriod() {
        CircuitBreaker breaker = builder().build();
        assertThat(breaker.canExecute()).isTrue();
        breaker.reset();

        breaker.recordFailure();

        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }
}
