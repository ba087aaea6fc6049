package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Settings of windows, slow calls, waits and ramp-up: what is refused, in which words, and what holds if nothing is said. */
final class RateSettingsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TOO_LONG = Duration.ofDays(3_653).plusNanos(1);

    private static Arguments bad(String message, Consumer<CircuitBreaker.Builder> setting) {
        return Arguments.of(message, setting);
    }

    static List<Arguments> badSettings() {
        return List.of(
                bad(
                        "failure-rate-threshold must be above 0 and at most 100, but was 0.0",
                        b -> b.failureRateThreshold(0)),
                bad(
                        "failure-rate-threshold must be above 0 and at most 100, but was -1.0",
                        b -> b.failureRateThreshold(-1)),
                bad(
                        "failure-rate-threshold must be above 0 and at most 100, but was 100.5",
                        b -> b.failureRateThreshold(100.5)),
                bad(
                        "failure-rate-threshold must be above 0 and at most 100, but was NaN",
                        b -> b.failureRateThreshold(Double.NaN)),
                bad(
                        "slow-call-rate-threshold must be above 0 and at most 100, but was 0.0",
                        b -> b.slowCallDuration(SECOND).slowCallRateThreshold(0)),
                bad(
                        "slow-call-rate-threshold must be above 0 and at most 100, but was Infinity",
                        b -> b.slowCallDuration(SECOND).slowCallRateThreshold(Double.POSITIVE_INFINITY)),
                bad(
                        "slow-call-duration must be positive, but was PT0S",
                        b -> b.slowCallDuration(Duration.ZERO).slowCallRateThreshold(50)),
                bad(
                        "slow-call-duration must be at most 10 years, but was PT87672H0.000000001S",
                        b -> b.slowCallDuration(TOO_LONG).slowCallRateThreshold(50)),
                bad(
                        "slow-call-rate-threshold needs slow-call-duration, but slow-call-rate-threshold was 50.0 and"
                                + " slow-call-duration was not set",
                        b -> b.slowCallRateThreshold(50)),
                bad(
                        "slow-call-duration needs slow-call-rate-threshold, but slow-call-duration was PT1S and"
                                + " slow-call-rate-threshold was not set",
                        b -> b.slowCallDuration(SECOND)),
                bad("window must be at least 1, but was 0", b -> b.window(0)),
                bad("window must be at least 1, but was -7", b -> b.window(-7)),
                bad("window must be positive, but was PT0S", b -> b.window(Duration.ZERO)),
                bad("window must be positive, but was PT-1S", b -> b.window(SECOND.negated())),
                bad("window must be at most 10 years, but was PT87672H0.000000001S", b -> b.window(TOO_LONG)),
                bad("minimum-calls must be at least 1, but was 0", b -> b.minimumCalls(0)),
                bad(
                        "minimum-calls must be at least 1, but was -1",
                        b -> b.window(SECOND).minimumCalls(-1)),
                bad(
                        "minimum-calls must be at most window, but minimum-calls was 10 and window was 5",
                        b -> b.window(5).minimumCalls(10)),
                bad(
                        "minimum-calls must be at most window, but minimum-calls was 101 and window was 100",
                        b -> b.minimumCalls(101)),
                bad(
                        "recovery-backoff-multiplier must be at least 1, but was 0.5",
                        b -> b.recoveryBackoffMultiplier(0.5)),
                bad(
                        "recovery-backoff-multiplier must be at least 1, but was NaN",
                        b -> b.recoveryBackoffMultiplier(Double.NaN)),
                bad(
                        "recovery-backoff-multiplier must be finite, but was Infinity",
                        b -> b.recoveryBackoffMultiplier(Double.POSITIVE_INFINITY)),
                bad("max-recovery-timeout must be positive, but was PT0S", b -> b.maxRecoveryTimeout(Duration.ZERO)),
                bad(
                        "max-recovery-timeout must be at most 10 years, but was PT87672H0.000000001S",
                        b -> b.maxRecoveryTimeout(TOO_LONG)),
                bad(
                        "max-recovery-timeout must be at least recovery-timeout, but max-recovery-timeout was PT1S and"
                                + " recovery-timeout was PT2S",
                        b -> b.maxRecoveryTimeout(SECOND).recoveryTimeout(Duration.ofSeconds(2))),
                bad("recovery-jitter must be at least 0 and below 1, but was 1.0", b -> b.recoveryJitter(1)),
                bad("recovery-jitter must be at least 0 and below 1, but was -0.1", b -> b.recoveryJitter(-0.1)),
                bad("recovery-jitter must be at least 0 and below 1, but was NaN", b -> b.recoveryJitter(Double.NaN)),
                bad("ramp-up must be positive, but was PT0S", b -> b.rampUp(Duration.ZERO)),
                bad("ramp-up must be at most 10 years, but was PT87672H0.000000001S", b -> b.rampUp(TOO_LONG)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badSettings")
    void badSetting_failsTheBuildAndALiveChange(String message, Consumer<CircuitBreaker.Builder> setting) {
        CircuitBreaker.Builder builder = CircuitBreaker.builder("llm");
        setting.accept(builder);
        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessage(message);

        CircuitBreaker live = CircuitBreaker.of("llm");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> live.reconfigure(setting))
                .withMessage(message);
        assertThat(live.failureThreshold()).isEqualTo(5);
    }

    static List<Arguments> missing() {
        return List.of(
                missing("slow-call-duration", b -> b.slowCallDuration(null)),
                missing("window", b -> b.window(null)),
                missing("max-recovery-timeout", b -> b.maxRecoveryTimeout(null)),
                missing("ramp-up", b -> b.rampUp(null)),
                missing("retryAfter", b -> b.retryAfter(null)),
                missing("change", b -> b.build().reconfigure(null)));
    }

    private static Arguments missing(String what, Consumer<CircuitBreaker.Builder> setting) {
        return Arguments.of(what, setting);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("missing")
    void missingValue_isNamedAtOnce(String what, Consumer<CircuitBreaker.Builder> setting) {
        assertThatNullPointerException()
                .isThrownBy(() -> setting.accept(CircuitBreaker.builder("llm")))
                .withMessage(what);
    }

    @Test
    void extremes_areAccepted() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureRateThreshold(Double.MIN_VALUE)
                .slowCallDuration(Duration.ofNanos(1))
                .slowCallRateThreshold(100)
                .window(Duration.ofNanos(1))
                .minimumCalls(Integer.MAX_VALUE)
                .recoveryBackoffMultiplier(Double.MAX_VALUE)
                .recoveryTimeout(SECOND)
                .maxRecoveryTimeout(SECOND)
                .recoveryJitter(Math.nextDown(1.0))
                .rampUp(Duration.ofDays(3_653))
                .build();
        for (int i = 0; i < 100; i++) {
            breaker.run(() -> {});
        }
        fail(breaker, 1);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void laterWindow_replacesTheEarlierOne_ofWhateverKind() {
        CircuitBreaker byTime = CircuitBreaker.builder("llm")
                .failureRateThreshold(100)
                .window(0)
                .window(Duration.ofMinutes(1))
                .minimumCalls(200)
                .build();
        fail(byTime, 199);
        assertThat(byTime.state()).isEqualTo(CircuitState.CLOSED);
        fail(byTime, 1);
        assertThat(byTime.state()).isEqualTo(CircuitState.OPEN);

        CircuitBreaker byCount = CircuitBreaker.builder("llm")
                .failureRateThreshold(100)
                .window(Duration.ZERO)
                .window(3)
                .build();
        fail(byCount, 3);
        assertThat(byCount.state()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void minimumCalls_areTwenty_orTheCountWindowIfThatIsSmaller() {
        assertThat(failuresToTrip(b -> b)).isEqualTo(20);
        assertThat(failuresToTrip(b -> b.window(21))).isEqualTo(20);
        assertThat(failuresToTrip(b -> b.window(19))).isEqualTo(19);
        assertThat(failuresToTrip(b -> b.window(1))).isEqualTo(1);
        assertThat(failuresToTrip(b -> b.window(Duration.ofDays(1)))).isEqualTo(20);
        assertThat(failuresToTrip(b -> b.window(5).window(Duration.ofDays(1)))).isEqualTo(20);
    }

    private static int failuresToTrip(UnaryOperator<CircuitBreaker.Builder> setting) {
        CircuitBreaker breaker = setting.apply(CircuitBreaker.builder("llm").failureRateThreshold(100))
                .build();
        int failures = 0;
        while (breaker.state() == CircuitState.CLOSED) {
            fail(breaker, 1);
            failures++;
        }
        return failures;
    }

    @Test
    void window_isOfAHundredCalls_byDefault() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").failureRateThreshold(50).build();
        for (int i = 0; i < 100; i++) {
            breaker.run(() -> {});
        }
        fail(breaker, 49);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        fail(breaker, 1);

        assertThat(breaker.lastTransition().orElseThrow().evidence().failureRate())
                .isEqualTo(50);
    }
}
