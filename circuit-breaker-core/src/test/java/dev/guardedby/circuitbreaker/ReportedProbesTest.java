package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Bugs that users reported in many languages of probes and of results that come late, each under the name of its report. */
final class ReportedProbesTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder rated() {
        return story.breaker().failureThreshold(1_000).failureRateThreshold(50);
    }

    private static void succeed(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.acquire().success();
        }
    }

    // Probes

    @Test
    void opossum276_aWindowThatWantsMoreCalls_doesNotHoldUpTheProbes() {
        CircuitBreaker breaker =
                story.halfOpen(rated().failureThreshold(3).window(100).minimumCalls(100));
        fail(breaker, 1);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");

        story.time.advance(WAIT);
        succeed(breaker, 1);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void resilience4j1366_successfulProbes_close_whateverTheRecordRule() {
        CircuitBreaker breaker = story.halfOpen(story.breaker()
                .probes(2)
                .recordIf(thrown -> thrown.getCause() instanceof IOException)
                .failureRateThreshold(50)
                .window(Duration.ofSeconds(100))
                .minimumCalls(3));
        succeed(breaker, 2);

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void resilience4j597_probesOlderThanATimeWindow_countTogether() {
        CircuitBreaker breaker = story.halfOpen(rated().failureThreshold(3)
                .window(Duration.ofSeconds(1))
                .minimumCalls(1)
                .probes(3));
        for (int i = 0; i < 3; i++) {
            succeed(breaker, 1);
            story.time.advance("PT5S");
        }

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void agentic328_failureAmongProbes_isNotForgottenBySuccesses() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(4));
        succeed(breaker, 2);
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void opossum484_callsRightAfterTheProbe_areNotRefusedAnyMore() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit probe = breaker.acquire();
        assertThat(breaker.tryAcquire()).isEmpty();
        probe.success();

        succeed(breaker, 1_000);
        assertThat(breaker.stats().totalRejected()).isOne();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void pybreaker8_jrugged39_theProbe_isCalledOnce_andIsTheCallThatFoundTheWaitOver() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance(WAIT);
        AtomicInteger called = new AtomicInteger();

        assertThat(breaker.call(called::incrementAndGet)).isOne();
        assertThat(called).hasValue(1);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void hystrix674_kora475_badRequestsOfTheCaller_keepNoProbe() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().ignoreExceptions(IllegalArgumentException.class));
        for (int i = 0; i < 100; i++) {
            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw new IllegalArgumentException("bad request");
                    })))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        succeed(breaker, 1);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void rezilience482_rezilience521_interruptedOrBrokenProbe_holdsUpNobody() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw new InterruptedException();
                })))
                .isInstanceOf(InterruptedException.class);
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw new NoClassDefFoundError("planned");
                })))
                .isInstanceOf(NoClassDefFoundError.class);
        story.time.advance(WAIT);
        succeed(breaker, 1);

        assertThat(story.history())
                .containsExactly(
                        "10s HALF_OPEN>OPEN PROBES_FAILED",
                        "20s OPEN>HALF_OPEN WAIT_OVER",
                        "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void omniroute13836_probeThatNeverSettles_isReplacedForDays() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        for (int lost = 0; lost < 1_000; lost++) {
            assertThat(breaker.callAsync(CompletableFuture::new)).isNotDone();
            assertThat(breaker.canExecute()).isFalse();
            story.time.advance(LEASE);
        }
        succeed(breaker, 1);

        assertThat(story.history()).containsExactly("60010s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void steeltoe17_fullQueueBehindTheBreaker_doesNotKeepItOpen() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().ignoreExceptions(RejectedExecutionException.class));
        for (int i = 0; i < 100; i++) {
            assertThat(breaker.callAsync(() -> CompletableFuture.supplyAsync(() -> "", task -> {
                        throw new RejectedExecutionException("full");
                    })))
                    .isCompletedExceptionally();
        }
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture("back")))
                .isCompletedWithValue("back");
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    // Results that come late

    @Test
    void gofiber2350_failureAdmittedBeforeAWholeOutage_doesNotOpenTheRecovered() {
        CircuitBreaker breaker = story.breaker().failureThreshold(1).build();
        Permit old = breaker.acquire();
        fail(breaker, 1);
        story.time.advance(WAIT);
        succeed(breaker, 1);

        fail(old);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=2 timesOpened=1 timesHalfOpened=1 timesClosed=1 stale=1");
    }

    @Test
    void deno7306_nora667_probeOfAnEarlierHalfOpen_neitherClosesNorFreesASlotInThisOne() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2));
        Permit stalled = breaker.acquire();
        fail(breaker, 1);
        story.time.advance(WAIT);
        assertThat(breaker.acquire().isProbe()).isTrue();
        assertThat(breaker.acquire().isProbe()).isTrue();

        stalled.success();

        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
    }

    @Test
    void gobreaker122_resultOfAnEndedPeriod_isNotLostWithoutATrace() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2));
        Permit probe = breaker.acquire();
        fail(breaker, 1);
        probe.success();

        assertThat(breaker.stats().stale()).isOne();
        assertThat(breaker.stats().totalSuccesses()).isOne();
    }

    @Test
    void polly219_aiox469_failuresThatReturnWhileOpen_tellNothingAgain_andMoveNoDeadline() {
        CircuitBreaker breaker = story.breaker().build();
        List<Permit> running = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            running.add(breaker.acquire());
        }
        for (Permit permit : running) {
            fail(permit);
            story.time.advance("PT1S");
        }

        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(2));
        assertThat(story.history()).containsExactly("2s CLOSED>OPEN FAILURES");
    }

    @Test
    void brakes10_lateResults_leaveTheEvidenceAsItWas() {
        CircuitBreaker breaker = rated().window(4).minimumCalls(2).build();
        List<Permit> running = List.of(breaker.acquire(), breaker.acquire(), breaker.acquire());
        fail(breaker, 2);
        running.forEach(Permit::success);

        Transition.Evidence evidence = breaker.lastTransition().orElseThrow().evidence();
        assertThat(evidence.calls()).isEqualTo(2);
        assertThat(evidence.failureRate()).isEqualTo(100);
        assertThat(breaker.stats().stale()).isEqualTo(3);
    }
}
