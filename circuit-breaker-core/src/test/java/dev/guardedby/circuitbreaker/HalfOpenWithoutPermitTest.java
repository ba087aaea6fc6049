package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The manual protocol in HALF_OPEN: which slot a result without a permit settles. */
final class HalfOpenWithoutPermitTest {
    private final Story story = new Story();

    @Test
    void oneCallerGetsThrough_andItsResultDecides() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());

        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.tryAcquire()).isEmpty();
        breaker.recordFailure();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");

        story.time.advance(WAIT);
        assertThat(breaker.canExecute()).isTrue();
        breaker.recordSuccess();
        assertThat(story.history())
                .containsExactly(
                        "10s HALF_OPEN>OPEN PROBES_FAILED",
                        "20s OPEN>HALF_OPEN WAIT_OVER",
                        "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(breaker.stats().stale()).isZero();
    }

    @Test
    void resultWithoutAsking_usesAFreeSlotAtOnce() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(2));

        breaker.recordSuccess();
        breaker.recordFailure();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        Permit last = breaker.acquire();
        assertThat(breaker.tryAcquire()).as("two slots are used up").isEmpty();
        last.success();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void resultSettles_theOldestSlotTakenByCanExecute() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(4).successesToClose(2));
        Permit permit = breaker.acquire();
        story.time.advance("PT10S");
        assertThat(breaker.canExecute()).isTrue();
        story.time.advance("PT10S");
        assertThat(breaker.canExecute()).isTrue();
        Permit younger = breaker.acquire();

        breaker.recordFailure();
        // Left are the permit's lease from 10 s, the second asker's from 30 s and the younger permit's from 30 s.
        story.time.advance("PT40S");
        assertThat(breaker.tryAcquire()).as("takes over the permit's").isPresent();
        story.time.advance("PT10S");
        assertThat(breaker.tryAcquire()).as("the first asker's is settled").isEmpty();
        story.time.advance("PT10S");
        assertThat(breaker.tryAcquire()).as("takes over the second asker's").isPresent();

        fail(permit);
        assertThat(breaker.stats().late()).isOne();
        younger.success();
        permit.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        breaker.recordSuccess();
        assertThat(breaker.stats().stale())
                .as("no asker and no free slot is left")
                .isOne();
    }

    @Test
    void resultWithNoSlotToSettle_isStale() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit probe = breaker.acquire();

        breaker.recordFailure();
        breaker.recordSuccess();
        breaker.recordFailure();

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=5 timesOpened=1 timesHalfOpened=1"
                        + " consecutiveFailures=3 stale=3");
        probe.success();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void callerThatNeverReports_isCoveredByTheLease() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        assertThat(breaker.canExecute()).isTrue();

        story.time.advance(LEASE.minusNanos(1));
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance("PT0.000000001S");
        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker.canExecute()).isFalse();

        breaker.recordSuccess();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void askersSlotTakenOverByAPermit_leavesItsResultStale() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        assertThat(breaker.canExecute()).isTrue();
        story.time.advance(LEASE);
        Permit heir = breaker.acquire();

        breaker.recordFailure();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.stats().stale()).isOne();

        heir.success();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void permitsSlot_isNotSettledByAResultWithoutOne() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2));
        Permit probe = breaker.acquire();

        breaker.recordSuccess();
        assertThat(breaker.state()).as("the free slot").isEqualTo(CircuitState.HALF_OPEN);
        fail(probe);

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void askerInsideAProbe_takesNoSlot() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2));

        breaker.run(() -> {
            assertThat(breaker.canExecute()).isTrue();
            assertThat(breaker.canExecute()).isTrue();
            assertThat(breaker.canExecute()).isTrue();
        });

        assertThat(breaker.acquire().isProbe()).as("one of two slots is free").isTrue();
        assertThat(breaker.stats().totalRejected()).isZero();
    }

    @Test
    void askerThatFindsTheWaitOver_isTheProbe() {
        CircuitBreaker breaker = story.open(story.breaker());
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance(WAIT);

        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker.canExecute()).isFalse();
        assertThat(story.history()).containsExactly("10s OPEN>HALF_OPEN WAIT_OVER");
    }
}
