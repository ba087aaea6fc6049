package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Settings of a live breaker change whole or not at all, and judge nothing at once. */
final class LiveChangeTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder rated() {
        return CircuitBreaker.builder("llm")
                .failureRateThreshold(80)
                .window(10)
                .minimumCalls(4)
                .recoveryTimeout(WAIT)
                .ticker(story.time)
                .clock(story.time)
                .listener(story);
    }

    private static void succeed(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.acquire().success();
        }
    }

    @Test
    void lowerThreshold_judgesAtTheNextFailure() {
        CircuitBreaker breaker = story.breaker().failureThreshold(10).build();
        fail(breaker, 5);
        breaker.reconfigure(b -> b.failureThreshold(3));
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.failureThreshold()).isEqualTo(3);
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=closed, failures=5/3]");
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void higherThreshold_savesTheBreaker() {
        CircuitBreaker breaker = story.breaker().build();
        fail(breaker, 2);
        breaker.reconfigure(b -> b.failureThreshold(5));
        fail(breaker, 2);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void lowerRate_keepsTheWindow_andJudgesAtTheNextResult_alsoASuccess() {
        CircuitBreaker breaker = rated().build();
        succeed(breaker, 4);
        fail(breaker, 4);
        breaker.reconfigure(b -> b.failureRateThreshold(40));
        assertThat(story.history()).isEmpty();
        breaker.run(() -> {});

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
        assertThat(breaker.lastTransition().orElseThrow().evidence().calls()).isEqualTo(9);
    }

    @Test
    void lowerMinimum_keepsTheWindow_andJudgesAtTheNextResult() {
        CircuitBreaker breaker = rated().minimumCalls(10).build();
        fail(breaker, 5);
        breaker.reconfigure(b -> b.minimumCalls(5));
        assertThat(story.history()).isEmpty();
        breaker.acquire().success();

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void otherWindow_startsEmpty_inTheSamePeriod() {
        for (Consumer<CircuitBreaker.Builder> change :
                List.<Consumer<CircuitBreaker.Builder>>of(b -> b.window(11), b -> b.window(Duration.ofSeconds(60)))) {
            CircuitBreaker breaker = rated().build();
            Permit inFlight = breaker.acquire();
            fail(breaker, 3);
            breaker.reconfigure(change);
            fail(breaker, 2);
            fail(inFlight);
            assertThat(breaker.state()).as("three are in").isEqualTo(CircuitState.CLOSED);
            fail(breaker, 1);

            assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
            assertThat(counts(breaker)).isEqualTo("totalFailures=7 timesOpened=1 consecutiveFailures=7");
        }
    }

    @Test
    void otherLengthOfATimeWindow_startsEmpty_theSameLengthIsKept() {
        CircuitBreaker breaker = rated().window(Duration.ofSeconds(60)).build();
        fail(breaker, 3);
        breaker.reconfigure(b -> b.window(Duration.ofSeconds(60)));
        breaker.reconfigure(b -> b.window(Duration.ofSeconds(61)));
        fail(breaker, 3);
        assertThat(story.history()).isEmpty();
        breaker.reconfigure(b -> b.window(Duration.ofSeconds(61)));
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void rateThatIsNew_startsWithAnEmptyWindow_andReplacesTheDefaultRule() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").listener(story).clock(story.time).build();
        fail(breaker, 4);
        breaker.reconfigure(b -> b.failureRateThreshold(50).window(4));
        assertThat(breaker.failureThreshold()).isZero();
        fail(breaker, 3);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURE_RATE");
    }

    @Test
    void deadlineStreakTotalsAndCallsInFlight_stay() {
        CircuitBreaker breaker = story.breaker().build();
        Permit inFlight = breaker.acquire();
        breaker.recordCost(10, 5, new BigDecimal("0.5"));
        fail(breaker, 3);
        story.time.advance("PT4S");
        String before = counts(breaker);
        breaker.reconfigure(b -> b.recoveryTimeout(Duration.ofHours(1)).failureThreshold(1));

        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(6));
        assertThat(counts(breaker)).isEqualTo(before);
        inFlight.success();
        assertThat(breaker.stats().stale()).isEqualTo(1);
        story.time.advance("PT6S");
        fail(breaker, 1);
        assertThat(breaker.timeUntilRetry()).as("the next OPEN").contains(Duration.ofHours(1));
        assertThat(breaker.recoveryTimeout()).isEqualTo(Duration.ofHours(1));
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES", "10s OPEN>HALF_OPEN WAIT_OVER", "10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void callInFlight_countsByTheNewSettings() {
        CircuitBreaker breaker = story.breaker().build();
        Permit inFlight = breaker.acquire();
        breaker.reconfigure(b -> b.failureThreshold(1));
        fail(inFlight);

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
        assertThat(breaker.stats().stale()).isZero();
    }

    @Test
    void probes_changeAtTheNextHalfOpen() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        breaker.reconfigure(b -> b.probes(3).probeTimeout(Duration.ofSeconds(5)));
        Permit probe = breaker.acquire();
        assertThat(breaker.tryAcquire()).as("still one").isEmpty();
        story.time.advance("PT5S");
        assertThat(breaker.tryAcquire()).as("still 60 s").isEmpty();
        fail(probe);
        story.time.advance(WAIT);
        succeed(breaker, 2);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        succeed(breaker, 1);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void hungCalls_areStillSeen_afterAnotherSlowCallDuration() {
        CircuitBreaker breaker = story.breaker()
                .slowCallDuration(Duration.ofSeconds(2))
                .slowCallRateThreshold(50)
                .build();
        List<Permit> hung = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            hung.add(breaker.acquire());
        }
        story.time.advance("PT1S");
        breaker.reconfigure(b -> b.slowCallDuration(Duration.ofSeconds(3)));
        story.time.advance("PT1.999S");
        assertThat(breaker.tryAcquire()).as("2.999 s").hasValueSatisfying(Permit::ignore);
        story.time.advance("PT0.301S");

        assertThat(breaker.tryAcquire()).as("3.3 s").isEmpty();
        assertThat(breaker.lastTransition().orElseThrow().evidence().hung()).isEqualTo(20);
        hung.forEach(Permit::close);
    }

    @Test
    void hungCallsThatReturn_afterAnotherSlowCallDuration_hangNoMore() {
        CircuitBreaker breaker = story.breaker()
                .slowCallDuration(Duration.ofSeconds(2))
                .slowCallRateThreshold(50)
                .build();
        List<Permit> calls = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            calls.add(breaker.acquire());
        }
        breaker.reconfigure(b -> b.slowCallDuration(Duration.ofSeconds(3)));
        calls.forEach(Permit::success);
        story.time.advance("PT1H");

        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(story.history()).isEmpty();
    }

    static List<Arguments> invalid() {
        return List.of(
                invalid("failure-threshold must be at least 1, but was 0", b -> b.failureThreshold(0)),
                invalid(
                        "minimum-calls must be at most window, but minimum-calls was 8 and window was 4",
                        b -> b.failureThreshold(1).window(4).minimumCalls(8)),
                invalid(
                        "max-recovery-timeout must be at least recovery-timeout, but max-recovery-timeout was PT1S and"
                                + " recovery-timeout was PT10S",
                        b -> b.maxRecoveryTimeout(Duration.ofSeconds(1)).failureThreshold(1)),
                invalid(
                        "ticker cannot change while the circuit breaker lives",
                        b -> b.failureThreshold(1).ticker(() -> 0)),
                invalid(
                        "clock cannot change while the circuit breaker lives",
                        b -> b.failureThreshold(1).clock(() -> FakeTime.START)),
                invalid(
                        "listener cannot change while the circuit breaker lives",
                        b -> b.failureThreshold(1).listener(new CircuitBreakerListener() {})));
    }

    private static Arguments invalid(String message, Consumer<CircuitBreaker.Builder> change) {
        return Arguments.of(message, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("invalid")
    void invalidChange_isRefusedWhole(String message, Consumer<CircuitBreaker.Builder> change) {
        CircuitBreaker breaker = story.breaker().build();
        fail(breaker, 1);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.reconfigure(change.andThen(b -> b.mode(Mode.DISABLED))))
                .withMessage(message);
        assertThat(breaker.mode()).isEqualTo(Mode.ENFORCE);
        assertThat(breaker.failureThreshold()).isEqualTo(3);
        fail(breaker, 1);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void changeThatThrows_changesNothing() {
        CircuitBreaker breaker = story.breaker().build();
        IllegalStateException broken = new IllegalStateException("broken");

        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> breaker.reconfigure(b -> {
                    b.failureThreshold(1);
                    throw broken;
                }))
                .isSameAs(broken);
        assertThat(breaker.failureThreshold()).isEqualTo(3);
    }

    @Test
    void builderOfAChange_thatIsKept_touchesNothingLater() {
        CircuitBreaker breaker = story.breaker().build();
        List<CircuitBreaker.Builder> kept = new ArrayList<>();
        breaker.reconfigure(kept::add);
        kept.get(0).failureThreshold(1).ignoreExceptions(IOException.class);

        assertThat(breaker.failureThreshold()).isEqualTo(3);
        assertThat(breaker.outcomeOf(new IOException())).isEqualTo(Outcome.FAILURE);
    }

    @Test
    void mode_changesThroughTheSettings_andAnotherChangeKeepsIt() {
        CircuitBreaker breaker = story.breaker().build();
        fail(breaker, 3);
        breaker.reconfigure(b -> b.mode(Mode.OBSERVE));
        assertThat(breaker.mode()).isEqualTo(Mode.OBSERVE);
        breaker.run(() -> {});
        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
        breaker.mode(Mode.ENFORCE);
        breaker.reconfigure(b -> b.failureThreshold(4));
        assertThat(breaker.mode()).as("set beside the settings").isEqualTo(Mode.ENFORCE);
        assertThat(breaker.tryAcquire()).isEmpty();
        breaker.reconfigure(b -> b.mode(Mode.DISABLED));

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES", "0s OPEN>CLOSED MODE");
    }

    @Test
    void outcomeRules_addUp() {
        CircuitBreaker breaker =
                story.breaker().ignoreExceptions(IllegalArgumentException.class).build();
        breaker.reconfigure(b -> b.ignoreExceptions(IOException.class));

        assertThat(breaker.outcomeOf(new IOException())).isEqualTo(Outcome.IGNORED);
        assertThat(breaker.outcomeOf(new IllegalArgumentException())).isEqualTo(Outcome.IGNORED);
    }

    @Test
    void modeSwitchedMeanwhile_isNotUndoneByAChangeOfSomethingElse() {
        CircuitBreaker breaker = story.breaker().build();

        breaker.reconfigure(b -> {
            breaker.mode(Mode.DISABLED);
            b.failureThreshold(4);
        });

        assertThat(breaker.mode()).isEqualTo(Mode.DISABLED);
        assertThat(breaker.failureThreshold()).isEqualTo(4);
        breaker.reconfigure(b -> b.mode(Mode.OBSERVE));
        assertThat(breaker.mode()).isEqualTo(Mode.OBSERVE);
    }

    @Test
    void changeWithinAChange_isRefused_andTheOuterOneStillCounts() {
        CircuitBreaker breaker = story.breaker().build();
        CircuitBreaker other = CircuitBreaker.of("other");

        breaker.reconfigure(b -> {
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> breaker.reconfigure(inner -> inner.failureThreshold(7)))
                    .withMessage("a change of the settings of circuit breaker 'llm' cannot make another one of 'llm'");
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> other.reconfigure(inner -> inner.failureThreshold(8)));
            b.failureThreshold(9);
        });

        assertThat(breaker.failureThreshold()).isEqualTo(9);
        assertThat(other.failureThreshold()).isEqualTo(5);
        other.reconfigure(b -> b.failureThreshold(8));
        assertThat(other.failureThreshold()).isEqualTo(8);
    }
}
