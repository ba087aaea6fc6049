package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.INSTANT_BEFORE;
import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The probes of HALF_OPEN: how many, what they decide, and how long they keep their slots. */
final class ProbeTest {
    private final Story story = new Story();

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // probes, successes-to-close, results (S success, F failure), where the last result leads
                "1,  -, S,     CLOSED",
                "1,  -, F,     OPEN",
                "1,  1, S,     CLOSED",
                "2,  -, SS,    CLOSED",
                "2,  -, F,     OPEN",
                "2,  -, SF,    OPEN",
                "3,  -, SSS,   CLOSED",
                "3,  -, SSF,   OPEN",
                "3,  3, F,     OPEN",
                "3,  2, SS,    CLOSED",
                "3,  2, SFS,   CLOSED",
                "3,  2, FSS,   CLOSED",
                "3,  2, FF,    OPEN",
                "3,  2, SFF,   OPEN",
                "3,  2, FSF,   OPEN",
                "3,  1, S,     CLOSED",
                "3,  1, FFS,   CLOSED",
                "3,  1, FFF,   OPEN",
                "5,  3, FFSSS, CLOSED",
                "5,  3, SFSFS, CLOSED",
                "5,  3, SSFFF, OPEN",
                "5,  3, FFF,   OPEN",
                "10, 1, FFFFFFFFFS, CLOSED",
                "10, 1, FFFFFFFFFF, OPEN",
                "10, 9, SSSSSSSSFS, CLOSED",
                "10, 9, SSSSSSSSFF, OPEN",
            })
    void results_decideAsEarlyAsTheyCan(int probes, Integer needed, String results, CircuitState last) {
        for (boolean allAtOnce : new boolean[] {false, true}) {
            CircuitBreaker.Builder builder = story.breaker().probes(probes);
            CircuitBreaker breaker = story.halfOpen(needed == null ? builder : builder.successesToClose(needed));
            List<Permit> permits = new ArrayList<>();
            for (int i = 0; allAtOnce && i < results.length(); i++) {
                permits.add(breaker.acquire());
            }
            for (int i = 0; i < results.length(); i++) {
                assertThat(breaker.state()).as("before result %d", i).isEqualTo(CircuitState.HALF_OPEN);
                Permit permit = allAtOnce ? permits.get(i) : breaker.acquire();
                assertThat(permit.isProbe()).isTrue();
                if (results.charAt(i) == 'S') {
                    permit.success();
                } else {
                    fail(permit);
                }
            }
            assertThat(breaker.state()).isEqualTo(last);
            assertThat(story.history()).hasSize(1);
        }
    }

    @Test
    void slots_areAsManyAsProbes_andResultsUseThemUp() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(2));
        Permit first = breaker.acquire();
        Permit second = breaker.acquire();
        Permit third = breaker.acquire();
        assertThat(breaker.tryAcquire()).isEmpty();

        first.success();
        assertThat(breaker.tryAcquire()).as("a used slot is gone").isEmpty();
        second.ignore();
        Permit fourth = breaker.acquire();
        assertThat(breaker.tryAcquire()).isEmpty();
        fail(third);
        assertThat(breaker.tryAcquire()).isEmpty();
        fourth.success();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=2 totalFailures=4 timesOpened=1 timesHalfOpened=1 timesClosed=1"
                        + " totalIgnored=1 totalRejected=4");
    }

    @Test
    void decision_comesBeforeAllProbesHaveReported_andTheRestIsStale() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(1));
        Permit first = breaker.acquire();
        Permit second = breaker.acquire();
        Permit third = breaker.acquire();

        second.success();
        fail(first);
        third.success();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=2 totalFailures=4 timesOpened=1 timesHalfOpened=1 timesClosed=1 stale=2");
    }

    @Test
    void proofByOneFailure_opensAgainAtOnce() {
        CircuitBreaker breaker = story.halfOpen(
                story.breaker().probes(10).successesToClose(1).tripIf(IllegalStateException.class::isInstance));

        fail(breaker, 1);
        assertThat(story.history()).isEmpty();
        breaker.acquire().failure(new IllegalStateException("key revoked"));

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(story.history()).hasSize(1).first().asString().startsWith("10s HALF_OPEN>OPEN ");
        assertThat(breaker.timeUntilRetry()).contains(WAIT);
    }

    @Test
    void ignoredProbe_givesItsSlotBack() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());

        for (int i = 0; i < 1_000; i++) {
            breaker.acquire().ignore();
            breaker.acquire().cancel();
        }
        breaker.acquire().success();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void lease_lastsExactlyTheProbeTimeout() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        breaker.acquire().ignore();
        story.time.advance("PT5S");
        Permit hung = breaker.acquire();

        story.time.advance(LEASE.plus(INSTANT_BEFORE));
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance("PT0.000000001S");
        Permit heir = breaker.acquire();
        assertThat(heir.isProbe()).isTrue();
        assertThat(breaker.tryAcquire()).as("one slot, one heir").isEmpty();
        heir.success();

        assertThat(story.history()).containsExactly("75s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        hung.close();
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1"
                        + " totalIgnored=2 totalRejected=2 stale=1 unreported=1");
    }

    @Test
    void probeTimeout_isWhatTheBuilderSays() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probeTimeout(Duration.ofMillis(5)));
        assertThat(breaker.tryAcquire()).isPresent();

        story.time.advance("PT0.004S");
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance("PT0.001S");
        assertThat(breaker.tryAcquire()).isPresent();
    }

    @Test
    void oldestLease_isTakenOverFirst() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2).successesToClose(1));
        Permit old = breaker.acquire();
        story.time.advance("PT20S");
        Permit young = breaker.acquire();

        story.time.advance("PT40S");
        assertThat(breaker.tryAcquire()).as("takes the old one's").isPresent();
        assertThat(breaker.tryAcquire()).as("the young one's lease runs").isEmpty();
        fail(old);
        fail(young);
        assertThat(counts(breaker)).endsWith("late=1");

        assertThat(story.history()).as("one failure of two that count").isEmpty();
    }

    @Test
    void slotWithoutHeir_stillCountsAfterItsLease() {
        CircuitBreaker failed = story.halfOpen(story.breaker());
        Permit probe = failed.acquire();
        story.time.advance("PT1H");
        fail(probe);

        assertThat(story.history()).containsExactly("3610s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(counts(failed)).isEqualTo("totalFailures=4 timesOpened=2 timesHalfOpened=1 consecutiveFailures=4");
    }

    @Test
    void lateFailure_isVoid() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit hung = breaker.acquire();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        story.time.advance("PT1S");
        fail(hung);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.tryAcquire()).as("it gives no slot back to anyone").isEmpty();
        assertThat(counts(breaker))
                .isEqualTo("totalFailures=4 timesOpened=1 timesHalfOpened=1 consecutiveFailures=3"
                        + " totalRejected=1 late=1");
        assertThat(breaker.stats().lastFailureAt()).isEqualTo(FakeTime.START.plusSeconds(71));

        heir.success();
        assertThat(story.history()).containsExactly("71s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void lateFailure_isNoEvidence() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit hung = breaker.acquire();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        hung.failure(new SocketTimeoutException());
        heir.failure(new IOException());

        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Transition.Evidence(
                        "successes-to-close 1 of probes 1", 1, 1, 0, 0, Map.of("java.io.IOException", 1L)));
    }

    @Test
    void lateProofByOneFailure_isVoid() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().tripIf(IllegalStateException.class::isInstance));
        Permit hung = breaker.acquire();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        hung.failure(new IllegalStateException("as old as the outage"));
        heir.success();

        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void lateSuccess_provesRecovery() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit slow = breaker.acquire();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        slow.success();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");

        fail(heir);
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=4 timesOpened=1 timesHalfOpened=1 timesClosed=1 stale=1");
    }

    @Test
    void lateSuccesses_addUpWithTheOthers() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2));
        Permit slow = breaker.acquire();
        Permit slower = breaker.acquire();
        story.time.advance(LEASE);
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(breaker.tryAcquire()).isPresent();

        slow.success();
        assertThat(story.history()).isEmpty();
        slower.success();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void callsLongerThanTheLease_recoverToo() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        List<Permit> calls = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            calls.add(breaker.acquire());
            story.time.advance(LEASE);
        }

        calls.get(0).success();

        assertThat(story.history()).containsExactly("310s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void lateIgnoredResult_givesNothingBack() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit hung = breaker.acquire();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        hung.ignore();
        assertThat(breaker.tryAcquire()).isEmpty();
        heir.ignore();
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.stats().late()).as("counts failures").isZero();
    }

    @Test
    void successOfAnEarlierHalfOpen_provesNothingInALaterOne() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit slow = breaker.acquire();
        story.time.advance(LEASE);
        fail(breaker, 1);
        story.time.advance(WAIT);
        Permit probe = breaker.acquire();

        slow.success();

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(counts(breaker)).endsWith("stale=1").contains("consecutiveFailures=4");
        probe.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }
}
