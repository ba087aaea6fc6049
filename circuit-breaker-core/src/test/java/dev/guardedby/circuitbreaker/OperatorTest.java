package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an operator does, in each state. */
final class OperatorTest {
    private final Story story = new Story();

    private enum Start {
        CLOSED,
        OPEN,
        HALF_OPEN,
        HELD
    }

    private enum Deed {
        RESET,
        FORCE_CLOSE,
        FORCE_OPEN,
        HOLD_OPEN;

        void on(CircuitBreaker breaker) {
            switch (this) {
                case RESET -> breaker.reset();
                case FORCE_CLOSE -> breaker.forceClose();
                case FORCE_OPEN -> breaker.forceOpen();
                case HOLD_OPEN -> breaker.holdOpen();
            }
        }
    }

    /** A breaker with failures, at 10 s; the history starts after that. */
    private CircuitBreaker at(Start start) {
        return switch (start) {
            case CLOSED -> {
                CircuitBreaker breaker = story.breaker().build();
                fail(breaker, 2);
                story.time.advance(WAIT);
                yield breaker;
            }
            case OPEN -> {
                story.time.advance("PT6S");
                CircuitBreaker breaker = story.open(story.breaker());
                story.time.advance("PT4S");
                yield breaker;
            }
            case HALF_OPEN -> story.halfOpen(story.breaker());
            case HELD -> {
                CircuitBreaker breaker = story.open(story.breaker());
                breaker.holdOpen();
                story.time.advance(WAIT);
                yield breaker;
            }
        };
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "CLOSED,    RESET,       -,                                totalFailures=2",
                "OPEN,      RESET,       10s OPEN>CLOSED RESET,            totalFailures=3 timesOpened=1 timesClosed=1",
                "HALF_OPEN, RESET,       10s HALF_OPEN>CLOSED RESET,       totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1",
                "HELD,      RESET,       10s OPEN>CLOSED RESET,            totalFailures=3 timesOpened=1 timesClosed=1",
                "CLOSED,    FORCE_CLOSE, -,                                totalFailures=2",
                "OPEN,      FORCE_CLOSE, 10s OPEN>CLOSED FORCE_CLOSE,      totalFailures=3 timesOpened=1 timesClosed=1",
                "HALF_OPEN, FORCE_CLOSE, 10s HALF_OPEN>CLOSED FORCE_CLOSE, totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1",
                "HELD,      FORCE_CLOSE, 10s OPEN>CLOSED FORCE_CLOSE,      totalFailures=3 timesOpened=1 timesClosed=1",
                "CLOSED,    FORCE_OPEN,  10s CLOSED>OPEN FORCE_OPEN,       totalFailures=2 timesOpened=1 consecutiveFailures=2",
                "OPEN,      FORCE_OPEN,  -,                                totalFailures=3 timesOpened=1 consecutiveFailures=3",
                "HALF_OPEN, FORCE_OPEN,  10s HALF_OPEN>OPEN FORCE_OPEN,    totalFailures=3 timesOpened=2 timesHalfOpened=1 consecutiveFailures=3",
                "HELD,      FORCE_OPEN,  -,                                totalFailures=3 timesOpened=1 consecutiveFailures=3",
                "CLOSED,    HOLD_OPEN,   10s CLOSED>OPEN HOLD_OPEN,        totalFailures=2 timesOpened=1 consecutiveFailures=2",
                "OPEN,      HOLD_OPEN,   -,                                totalFailures=3 timesOpened=1 consecutiveFailures=3",
                "HALF_OPEN, HOLD_OPEN,   10s HALF_OPEN>OPEN HOLD_OPEN,     totalFailures=3 timesOpened=2 timesHalfOpened=1 consecutiveFailures=3",
                "HELD,      HOLD_OPEN,   -,                                totalFailures=3 timesOpened=1 consecutiveFailures=3",
            })
    void deed_movesTheStateOnlyWhereItDiffers_andKeepsTheTotals(Start start, Deed deed, String line, String counts) {
        CircuitBreaker breaker = at(start);
        breaker.recordCost(Cost.usd("0.5"));
        CircuitBreakerStats before = breaker.stats();

        deed.on(breaker);

        CircuitBreakerStats after = breaker.stats();
        assertThat(story.history()).isEqualTo(line == null ? List.of() : List.of(line));
        assertThat(counts(breaker)).isEqualTo(counts);
        assertThat(after.totalEstimatedCost()).isEqualTo("0.5");
        assertThat(after.lastFailureAt()).isEqualTo(before.lastFailureAt());
        assertThat(after.lastStateChangeAt())
                .isEqualTo(line == null ? before.lastStateChangeAt() : FakeTime.START.plusSeconds(10));
    }

    @Test
    void closedByOperator_neededAllFailuresAnewToTrip() {
        for (Deed deed : List.of(Deed.RESET, Deed.FORCE_CLOSE)) {
            CircuitBreaker breaker = at(Start.CLOSED);
            deed.on(breaker);

            fail(breaker, 2);
            assertThat(breaker.state()).as(deed.name()).isEqualTo(CircuitState.CLOSED);
            fail(breaker, 1);
            assertThat(breaker.state()).as(deed.name()).isEqualTo(CircuitState.OPEN);
        }
    }

    @Test
    void reset_clearsTheDeadline() {
        CircuitBreaker breaker = at(Start.OPEN);

        breaker.reset();
        assertThat(breaker.timeUntilRetry()).isEmpty();
        story.time.advance("PT1H");

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).containsExactly("10s OPEN>CLOSED RESET");
    }

    @Test
    void forcedOpen_recoversByItself() {
        CircuitBreaker breaker = at(Start.CLOSED);

        breaker.forceOpen();
        assertThat(breaker.timeUntilRetry()).contains(WAIT);
        assertThat(breaker.refusal().orElseThrow().reason()).isEqualTo(Refusal.Reason.OPEN);
        story.time.advance(WAIT);
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "10s CLOSED>OPEN FORCE_OPEN",
                        "20s OPEN>HALF_OPEN WAIT_OVER",
                        "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void forceOpen_onOpen_keepsTheDeadline() {
        CircuitBreaker breaker = at(Start.OPEN);

        breaker.forceOpen();

        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(6));
    }

    @Test
    void forceOpen_onHalfOpen_takesTheSlotsAway() {
        CircuitBreaker breaker = at(Start.HALF_OPEN);
        Permit probe = breaker.acquire();

        breaker.forceOpen();
        probe.success();
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance(WAIT);
        assertThat(breaker.acquire().isProbe()).isTrue();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN FORCE_OPEN", "20s OPEN>HALF_OPEN WAIT_OVER");
    }

    @Test
    void forceOpen_onAnOpenThatIsDue_isNoLook() {
        CircuitBreaker breaker = at(Start.OPEN);
        story.time.advance("PT6S");

        breaker.forceOpen();

        assertThat(breaker.stats().state()).isEqualTo(CircuitState.OPEN);
        assertThat(story.history()).isEmpty();
        assertThat(breaker.acquire().isProbe()).isTrue();
    }

    @Test
    void heldOpen_staysOpenUntilToldOtherwise() {
        CircuitBreaker breaker = at(Start.CLOSED);

        breaker.holdOpen();
        story.time.advance(Duration.ofDays(1_000));
        breaker.forceOpen();

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry()).isEmpty();
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.refusal())
                .contains(new Refusal(Refusal.Reason.HELD_OPEN, "held open by an operator", Optional.empty()));

        breaker.forceClose();
        assertThat(breaker.canExecute()).isTrue();
    }

    @Test
    void holdOpen_onOpen_dropsTheDeadline() {
        CircuitBreaker breaker = at(Start.OPEN);

        breaker.holdOpen();
        story.time.advance(WAIT);

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry()).isEmpty();
        assertThat(story.history()).isEmpty();
    }

    @Test
    void resultsToldWithoutAPermit_leaveAHeldOneHeld() {
        CircuitBreaker breaker = at(Start.HELD);

        breaker.recordSuccess();
        breaker.recordFailure();
        story.time.advance("PT1H");

        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=4 timesOpened=1 consecutiveFailures=1");
    }
}
