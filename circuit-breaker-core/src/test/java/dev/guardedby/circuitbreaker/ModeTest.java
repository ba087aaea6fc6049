package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ENFORCE, OBSERVE, DISABLED, and the ways between them. */
final class ModeTest {
    private final Story story = new Story();
    private final List<String> refusals = new ArrayList<>();

    private CircuitBreaker.Builder builder(Mode mode) {
        return story.breaker().mode(mode).listener(new CircuitBreakerListener() {
            @Override
            public void onRefused(CircuitBreaker breaker, Refusal refusal) {
                refusals.add(refusal.reason().name());
            }
        });
    }

    @Test
    void observer_seesTheWholeOutage_andRefusesNothing() {
        CircuitBreaker breaker = builder(Mode.OBSERVE).build();
        assertThat(breaker.mode()).isEqualTo(Mode.OBSERVE);

        fail(breaker, 3);
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry()).contains(WAIT);
        assertThat(breaker.refusal()).as("nothing would be refused").isEmpty();
        breaker.run(() -> {});
        fail(breaker, 1);
        assertThat(breaker.canExecute()).isTrue();
        story.time.advance(WAIT);
        Permit probe = breaker.acquire();
        assertThat(probe.isProbe()).isTrue();
        assertThat(breaker.refusal()).isEmpty();
        Permit bystander = breaker.acquire();
        assertThat(bystander.isProbe()).isFalse();
        bystander.success();
        assertThat(breaker.state()).as("a bystander decides nothing").isEqualTo(CircuitState.HALF_OPEN);
        fail(probe);
        story.time.advance(WAIT);
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>OPEN PROBES_FAILED",
                        "20s OPEN>HALF_OPEN WAIT_OVER",
                        "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo(
                        "totalSuccesses=3 totalFailures=5 timesOpened=2 timesHalfOpened=2 timesClosed=1 wouldReject=4");
        assertThat(refusals).isEmpty();
    }

    @Test
    void callThatWouldBeRefused_isInTheTotalsOnly() {
        CircuitBreaker breaker = builder(Mode.OBSERVE).build();
        trip(breaker);

        breaker.acquire().success();
        assertThat(counts(breaker))
                .as("no streak, and not stale")
                .isEqualTo("totalSuccesses=1 totalFailures=3 timesOpened=1 consecutiveFailures=3 wouldReject=1");

        Permit across = breaker.acquire();
        story.time.advance(WAIT);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        across.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.acquire().isProbe()).as("the slot is still free").isTrue();
    }

    @Test
    void heldObserver_refusesNothing() {
        CircuitBreaker breaker = builder(Mode.OBSERVE).build();
        breaker.holdOpen();
        story.time.advance("PT1H");

        String answer = breaker.call(() -> "answer");
        assertThat(answer).isEqualTo("answer");
        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker.refusal()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 timesOpened=1 wouldReject=2");
    }

    @Test
    void disabled_countsAndBooks_andStaysClosed() {
        CircuitBreaker breaker = builder(Mode.DISABLED)
                .tripIf(IllegalStateException.class::isInstance)
                .build();

        fail(breaker, 10);
        breaker.acquire().failure(new IllegalStateException("proof"));
        breaker.recordFailure();
        breaker.recordCost(Cost.usd("0.25"));
        breaker.forceOpen();
        breaker.holdOpen();

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.refusal()).isEmpty();
        assertThat(breaker.canExecute()).isTrue();
        assertThat(story.history()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalFailures=12 consecutiveFailures=12");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualTo("0.25");
        breaker.run(() -> {});
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=12");
    }

    @Test
    void betweenEnforceAndObserve_everythingIsKept() {
        CircuitBreaker breaker =
                builder(Mode.ENFORCE).probes(3).successesToClose(2).build();
        Permit early = breaker.acquire();
        fail(breaker, 2);
        breaker.mode(Mode.OBSERVE);
        fail(early);
        assertThat(story.history()).as("streak and calls in flight").containsExactly("0s CLOSED>OPEN FAILURES");

        story.time.advance("PT4S");
        breaker.mode(Mode.ENFORCE);
        assertThat(breaker.timeUntilRetry()).as("the deadline").contains(WAIT.minusSeconds(4));
        assertThat(breaker.tryAcquire()).isEmpty();

        story.time.advance("PT6S");
        Permit first = breaker.acquire();
        Permit second = breaker.acquire();
        breaker.mode(Mode.OBSERVE);
        first.success();
        assertThat(breaker.acquire().isProbe()).isTrue();
        assertThat(breaker.acquire().isProbe()).as("all slots are taken").isFalse();
        breaker.mode(Mode.ENFORCE);
        assertThat(breaker.tryAcquire()).isEmpty();
        second.success();

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=2 totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1"
                        + " totalRejected=2 wouldReject=1");
        assertThat(refusals).containsExactly("OPEN", "PROBING");
    }

    @Test
    void heldOpen_staysHeldBetweenEnforceAndObserve() {
        CircuitBreaker breaker = builder(Mode.ENFORCE).build();
        breaker.holdOpen();

        breaker.mode(Mode.OBSERVE);
        breaker.mode(Mode.ENFORCE);
        story.time.advance("PT1H");

        assertThat(breaker.refusal().orElseThrow().reason()).isEqualTo(Refusal.Reason.HELD_OPEN);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN HOLD_OPEN");
    }

    @ParameterizedTest
    @CsvSource({
        "ENFORCE, DISABLED, true",
        "OBSERVE, DISABLED, true",
        "DISABLED, ENFORCE, true",
        "DISABLED, OBSERVE, true",
        "ENFORCE, OBSERVE, false",
        "OBSERVE, ENFORCE, false",
        "ENFORCE, ENFORCE, false",
        "OBSERVE, OBSERVE, false",
        "DISABLED, DISABLED, false"
    })
    void newPeriod_beginsWhereDisabledBeginsOrEnds(Mode from, Mode to, boolean stale) {
        CircuitBreaker breaker = builder(from).build();
        Permit inFlight = breaker.acquire();

        breaker.mode(to);
        fail(inFlight);

        assertThat(breaker.mode()).isEqualTo(to);
        assertThat(counts(breaker))
                .isEqualTo(stale ? "totalFailures=1 stale=1" : "totalFailures=1 consecutiveFailures=1");
        assertThat(story.history()).isEmpty();
    }

    @Test
    void disablingAnOpenOne_closesIt_andEnablingStartsClosed() {
        CircuitBreaker breaker = builder(Mode.ENFORCE).build();
        trip(breaker);
        story.time.advance("PT2S");

        breaker.mode(Mode.DISABLED);
        story.time.advance("PT1S");
        breaker.mode(Mode.ENFORCE);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES", "2s OPEN>CLOSED MODE");
        assertThat(counts(breaker)).isEqualTo("totalFailures=3 timesOpened=1 timesClosed=1 consecutiveFailures=3");
    }

    @Test
    void disablingAHalfOpenOne_closesIt() {
        CircuitBreaker breaker = story.halfOpen(builder(Mode.ENFORCE));
        Permit probe = breaker.acquire();

        breaker.mode(Mode.DISABLED);
        fail(probe);

        assertThat(breaker.stats().stale()).isOne();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED MODE");
    }

    @Test
    void failuresInARow_areInheritedAcrossDisabled() {
        CircuitBreaker breaker = builder(Mode.DISABLED).build();
        fail(breaker, 7);
        breaker.mode(Mode.ENFORCE);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);

        fail(breaker, 1);

        assertThat(breaker.stats().consecutiveFailures()).isEqualTo(8);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void enforcer_tellsEachRefusal() {
        CircuitBreaker breaker = builder(Mode.ENFORCE).build();
        trip(breaker);
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThatThrownBy(() -> breaker.run(() -> {})).isInstanceOf(CallNotPermittedException.class);
        assertThat(breaker.acquireAsync(Cost.ZERO).toCompletableFuture()).isCompletedExceptionally();
        breaker.holdOpen();
        assertThat(breaker.callAsync(() -> null)).isCompletedExceptionally();

        assertThat(refusals).containsExactly("OPEN", "OPEN", "OPEN", "OPEN", "HELD_OPEN");
        assertThat(counts(breaker)).endsWith("totalRejected=5");
    }

    @Test
    void noMode_isNoMode() {
        CircuitBreaker breaker = builder(Mode.ENFORCE).build();

        assertThatNullPointerException().isThrownBy(() -> breaker.mode(null)).withMessage("mode");
        assertThat(breaker.mode()).isEqualTo(Mode.ENFORCE);
    }
}
