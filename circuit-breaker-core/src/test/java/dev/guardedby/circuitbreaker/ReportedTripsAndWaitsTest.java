package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.Transition.Cause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Bugs that users reported in many languages of what trips a breaker and of the time that it is open, each under its report. */
final class ReportedTripsAndWaitsTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder rated() {
        return story.breaker().failureThreshold(1_000).failureRateThreshold(50);
    }

    private static void succeed(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.acquire().success();
        }
    }

    // What trips it

    @Test
    void opossum217_opossum232_firstFailureAfterASilence_isNoHundredPercent() {
        CircuitBreaker breaker =
                rated().window(Duration.ofSeconds(10)).minimumCalls(5).build();
        fail(breaker, 1);
        for (int hour = 0; hour < 24; hour++) {
            story.time.advance("PT1H");
            fail(breaker, 4);
        }

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void vertx24_cockatiel64_failuresOfLongAgo_doNotAddUp() {
        CircuitBreaker consecutive = story.breaker().build();
        CircuitBreaker rated =
                rated().window(Duration.ofMinutes(1)).minimumCalls(3).build();
        for (int day = 0; day < 100; day++) {
            fail(consecutive, 2);
            succeed(consecutive, 1);
            fail(rated, 2);
            story.time.advance("P1D");
        }

        assertThat(consecutive.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(rated.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void smallrye22_circuitbox118_successThatCompletesTheWindow_trips_andTheWaitRunsFromThen() {
        CircuitBreaker breaker =
                rated().failureRateThreshold(75).window(4).minimumCalls(4).build();
        fail(breaker, 3);
        succeed(breaker, 1);
        story.time.advance("PT9.999999999S");
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance("PT0.000000001S");

        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE", "10s OPEN>HALF_OPEN WAIT_OVER");
    }

    @Test
    void hystrix235_refusals_areNoFailures_andTheWindowStartsAnewAfterTheRecovery() {
        CircuitBreaker breaker =
                rated().window(Duration.ofMinutes(10)).minimumCalls(4).build();
        fail(breaker, 4);
        for (int i = 0; i < 1_000; i++) {
            assertThat(breaker.tryAcquire()).isEmpty();
        }
        story.time.advance(WAIT);
        succeed(breaker, 1);
        fail(breaker, 3);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.stats().totalFailures()).isEqualTo(7);
        fail(breaker, 1);

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void resilience4j139_rateBelowOnePercent_isARate() {
        CircuitBreaker breaker = rated().failureRateThreshold(0.05)
                .window(4_000)
                .minimumCalls(4_000)
                .build();
        succeed(breaker, 3_998);
        fail(breaker, 1);
        succeed(breaker, 1);
        assertThat(breaker.state()).as("0.025 %").isEqualTo(CircuitState.CLOSED);
        fail(breaker, 1);

        assertThat(breaker.state()).as("0.05 %").isEqualTo(CircuitState.OPEN);
    }

    @Test
    void resilience4j1262_resilience4j1335_whatLeavesAWindow_takesAllItsCountsAlong() {
        CircuitBreaker breaker = rated().window(4)
                .minimumCalls(4)
                .failureRateThreshold(100)
                .slowCallDuration(Duration.ofSeconds(1))
                .slowCallRateThreshold(100)
                .build();
        for (int round = 0; round < 100; round++) {
            for (int i = 0; i < 3; i++) {
                Permit slowAndFailed = breaker.acquire();
                story.time.advance("PT1S");
                fail(slowAndFailed);
            }
            succeed(breaker, 4);
        }
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        for (int i = 0; i < 4; i++) {
            Permit slow = breaker.acquire();
            story.time.advance("PT1S");
            slow.success();
        }

        Transition trip = breaker.lastTransition().orElseThrow();
        assertThat(trip.cause()).isEqualTo(Cause.SLOW_CALL_RATE);
        assertThat(trip.evidence().slow()).isEqualTo(4);
        assertThat(trip.evidence().failures()).isZero();
    }

    // Operators, time and whoever watches

    @Test
    void resilience4j991_opossum383_heldOpen_whileOpen_staysOpenWhenTheWaitWouldBeOver() {
        CircuitBreaker breaker = story.open(story.breaker());
        breaker.holdOpen();
        story.time.advance("P365D");
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        breaker.mode(Mode.DISABLED);
        story.time.advance("P365D");

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).containsExactly("31536000s OPEN>CLOSED MODE");
    }

    @Test
    void resilience4j1982_forceOpenInHalfOpen_opensAtOnce_evenFromAListener() {
        CircuitBreaker[] self = new CircuitBreaker[1];
        self[0] = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onTransition(Transition transition) {
                        if (transition.to() == CircuitState.HALF_OPEN) {
                            self[0].forceOpen();
                        }
                    }
                })
                .build();
        fail(self[0], 3);
        story.time.advance(WAIT);

        assertThat(self[0].tryAcquire()).as("admitted before it was told").isPresent();
        assertThat(self[0].stats().state()).isEqualTo(CircuitState.OPEN);
        assertThat(self[0].tryAcquire()).isEmpty();
    }

    @Test
    void resilience4j1039_resetAndNewOutage_beforeTheOldWaitIsOver_waitsTheWholeNewWait() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance("PT9S");
        breaker.reset();
        fail(breaker, 3);
        story.time.advance("PT9S");
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        story.time.advance("PT1S");

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
    }

    @Test
    void springretry99_steadyTraffic_doesNotKeepItOpen() {
        CircuitBreaker breaker = story.open(story.breaker());
        int second = 0;
        for (; second < 11 && breaker.stats().state() != CircuitState.CLOSED; second++) {
            story.time.advance("PT1S");
            breaker.tryAcquire().ifPresent(Permit::success);
        }

        assertThat(second).isEqualTo(10);
        assertThat(breaker.stats().totalRejected()).isEqualTo(9);
    }

    @Test
    void failsafe378_whoeverOnlyLooks_seesTheWaitEnd() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance(WAIT);

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.timeUntilRetry()).isEmpty();
    }

    @Test
    void hystrix236_worldmonitor3529_dashboardThatAsksAllTheTime_takesNoProbe_andClosesNothing() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance(WAIT);
        for (int i = 0; i < 1_000; i++) {
            assertThat(breaker.stats().state()).isEqualTo(CircuitState.OPEN);
            assertThat(breaker.refusal()).isEmpty();
            assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=open, failures=3/3]");
        }
        assertThat(story.history()).isEmpty();

        assertThat(breaker.acquire().isProbe()).isTrue();
    }

    @Test
    void gobreaker37_listenerThatReadsTheBreaker_waitsForNothing() {
        List<String> read = new ArrayList<>();
        CircuitBreaker[] self = new CircuitBreaker[1];
        self[0] = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onTransition(Transition transition) {
                        read.add(self[0].stats().state() + " " + self[0].state() + " "
                                + self[0].tryAcquire().isPresent());
                    }
                })
                .build();
        fail(self[0], 3);

        assertThat(read).containsExactly("OPEN OPEN false");
    }

    @Test
    void failsafe84_refusalOfAnAsyncCall_isAFailedFuture() {
        CircuitBreaker breaker = story.open(story.breaker());

        CompletableFuture<String> refused = breaker.callAsync(CompletableFuture::new);

        assertThat(refused.handle((result, failure) -> failure).join()).isInstanceOf(CallNotPermittedException.class);
    }

    @Test
    void kevlar227_refusal_holdsNothingOfTheCallThatFailed() {
        CircuitBreaker breaker = story.breaker().build();
        for (int i = 0; i < 3; i++) {
            fail(breaker.acquire());
        }

        CallNotPermittedException refused = catchThrowableOfType(CallNotPermittedException.class, breaker::acquire);

        assertThat(refused).hasNoCause().hasNoSuppressedExceptions();
        assertThat(refused.getMessage()).doesNotContain("down");
    }

    @Test
    void akka21061_reactoraddons282_waitThatGrowsForYears_neverOverflowsOrShrinks() {
        CircuitBreaker breaker = story.open(story.breaker()
                .recoveryBackoffMultiplier(2)
                .maxRecoveryTimeout(Duration.ofHours(1))
                .recoveryJitter(0));
        Duration last = Duration.ZERO;
        for (int outage = 0; outage < 200; outage++) {
            Duration wait = breaker.timeUntilRetry().orElseThrow();
            assertThat(wait).isBetween(last, Duration.ofHours(1));
            last = wait;
            story.time.advance(wait);
            fail(breaker, 1);
        }

        assertThat(last).isEqualTo(Duration.ofHours(1));
    }

    @Test
    void ldbc731_successOfACallThatIsNoProbe_resetsNoGrownWait() {
        CircuitBreaker breaker =
                story.breaker().recoveryBackoffMultiplier(2).recoveryJitter(0).build();
        Permit old = breaker.acquire();
        fail(breaker, 3);
        story.time.advance(WAIT);
        Permit probe = breaker.acquire();
        fail(probe);
        old.success();
        breaker.recordSuccess();

        assertThat(breaker.timeUntilRetry()).contains(WAIT.multipliedBy(2));
    }
}
