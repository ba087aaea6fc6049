package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings: what is refused and in which words, what holds if nothing is said, and that builders can be used again. */
final class BuilderTest {
    private static final Duration TEN_YEARS = Duration.ofDays(3_653);

    private static Arguments bad(String message, UnaryOperator<CircuitBreaker.Builder> setting) {
        return Arguments.of(message, setting);
    }

    static Stream<Arguments> badSettings() {
        return Stream.of(
                bad("failure-threshold must be at least 1, but was 0", b -> b.failureThreshold(0)),
                bad("failure-threshold must be at least 1, but was -5", b -> b.failureThreshold(-5)),
                bad("recovery-timeout must be positive, but was PT0S", b -> b.recoveryTimeout(Duration.ZERO)),
                bad("recovery-timeout must be positive, but was PT-1S", b -> b.recoveryTimeout(Duration.ofSeconds(-1))),
                bad(
                        "recovery-timeout must be at most 10 years, but was PT87672H0.000000001S",
                        b -> b.recoveryTimeout(TEN_YEARS.plusNanos(1))),
                bad(
                        "recovery-timeout must be at most 10 years, but was " + Duration.ofSeconds(Long.MAX_VALUE),
                        b -> b.recoveryTimeout(Duration.ofSeconds(Long.MAX_VALUE))),
                bad("probes must be at least 1, but was 0", b -> b.probes(0)),
                bad("probes must be at least 1, but was -1", b -> b.probes(-1)),
                bad("successes-to-close must be at least 1, but was 0", b -> b.successesToClose(0)),
                bad(
                        "successes-to-close must be at most probes, but successes-to-close was 2 and probes was 1",
                        b -> b.successesToClose(2)),
                bad(
                        "successes-to-close must be at most probes, but successes-to-close was 4 and probes was 3",
                        b -> b.successesToClose(4).probes(3)),
                bad("probe-timeout must be positive, but was PT0S", b -> b.probeTimeout(Duration.ZERO)),
                bad("probe-timeout must be positive, but was PT-0.001S", b -> b.probeTimeout(Duration.ofMillis(-1))),
                bad(
                        "probe-timeout must be at most 10 years, but was PT87696H",
                        b -> b.probeTimeout(TEN_YEARS.plusDays(1))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badSettings")
    void badSetting_failsTheBuild_namingKeyValueAndRule(String message, UnaryOperator<CircuitBreaker.Builder> setting) {
        CircuitBreaker.Builder builder = setting.apply(CircuitBreaker.builder("llm"));

        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessage(message);
    }

    @Test
    void badSetting_mayBeCorrectedBeforeTheBuild() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureThreshold(0)
                .failureThreshold(7)
                .build();

        assertThat(breaker.failureThreshold()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a b", "a/b", "ä", "a:b", "llm\n", "a\u0000"})
    void badName_failsTheBuild(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CircuitBreaker.of(name))
                .withMessage("name must be 1 to 64 letters, digits, '.', '_' or '-', but was '" + name + "'");
    }

    @Test
    void longestName_has64Characters() {
        assertThat(CircuitBreaker.of("a".repeat(64)).name()).hasSize(64);
        assertThatIllegalArgumentException().isThrownBy(() -> CircuitBreaker.of("a".repeat(65)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "A-b_c.9", "...", "-", "0"})
    void goodName_isKept(String name) {
        assertThat(CircuitBreaker.builder(name).build().name()).isEqualTo(name);
    }

    static Stream<Arguments> missing() {
        return Stream.of(
                missing("name", b -> CircuitBreaker.builder(null)),
                missing("recovery-timeout", b -> b.recoveryTimeout(null)),
                missing("probe-timeout", b -> b.probeTimeout(null)),
                missing("recordIf", b -> b.recordIf(null)),
                missing("ignoreIf", b -> b.ignoreIf(null)),
                missing("tripIf", b -> b.tripIf(null)),
                missing("failOnResult", b -> b.failOnResult(null)),
                missing("mode", b -> b.mode(null)),
                missing("listener", b -> b.listener(null)),
                missing("ticker", b -> b.ticker(null)),
                missing("clock", b -> b.clock(null)));
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
    void defaults_areTheDocumentedOnes() {
        Story story = new Story();
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .ticker(story.time)
                .clock(story.time)
                .listener(story)
                .build();
        assertThat(breaker.mode()).isEqualTo(Mode.ENFORCE);

        fail(breaker, 4);
        assertThat(story.history()).isEmpty();
        fail(breaker, 1);
        story.time.advance("PT299.999999999S");
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance("PT0.000000001S");
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(breaker.tryAcquire()).as("one probe").isEmpty();
        story.time.advance("PT59.999999999S");
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance("PT0.000000001S");
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "300s OPEN>HALF_OPEN WAIT_OVER",
                        "360s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void systemTime_isTheDefault() {
        Instant before = Instant.now();
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureThreshold(1)
                .recoveryTimeout(Duration.ofDays(1))
                .build();
        breaker.recordFailure();

        assertThat(breaker.stats().lastFailureAt()).isBetween(before, Instant.now());
        assertThat(breaker.timeUntilRetry().orElseThrow()).isBetween(Duration.ofHours(23), Duration.ofDays(1));
    }

    @Test
    void successesToClose_areAllProbes_whicheverIsSaidFirst() {
        Story story = new Story();
        CircuitBreaker all = story.halfOpen(story.breaker().probes(3));
        all.acquire().success();
        all.acquire().success();
        assertThat(all.state()).isEqualTo(CircuitState.HALF_OPEN);
        all.acquire().success();
        assertThat(all.state()).isEqualTo(CircuitState.CLOSED);

        CircuitBreaker one = story.halfOpen(story.breaker().successesToClose(1).probes(3));
        one.acquire().success();
        assertThat(one.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void extremes_areAccepted() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureThreshold(Integer.MAX_VALUE)
                .recoveryTimeout(TEN_YEARS)
                .probes(Integer.MAX_VALUE)
                .successesToClose(Integer.MAX_VALUE)
                .probeTimeout(Duration.ofNanos(1))
                .build();

        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=closed, failures=0/2147483647]");
        assertThat(breaker.recoveryTimeout()).isEqualTo(TEN_YEARS);
    }

    @Test
    void builder_mayBeUsedAgain_andTouchesNoBreakerBuiltBefore() {
        Story first = new Story();
        Story second = new Story();
        CircuitBreaker.Builder builder =
                first.breaker().failureThreshold(2).ignoreExceptions(IllegalArgumentException.class);
        CircuitBreaker early = builder.build();
        builder.failureThreshold(1)
                .recoveryTimeout(Duration.ofSeconds(1))
                .probes(2)
                .mode(Mode.OBSERVE)
                .ignoreExceptions(IOException.class)
                .failOnResult(result -> true)
                .listener(second);
        CircuitBreaker late = builder.build();

        assertThat(early.failureThreshold()).isEqualTo(2);
        assertThat(early.recoveryTimeout()).isEqualTo(Story.WAIT);
        assertThat(early.mode()).isEqualTo(Mode.ENFORCE);
        assertThat(early.outcomeOf(new IOException())).isEqualTo(Outcome.FAILURE);
        assertThat(early.outcomeOf(new IllegalArgumentException())).isEqualTo(Outcome.IGNORED);
        assertThat(late.outcomeOf(new IOException())).isEqualTo(Outcome.IGNORED);
        assertThat(late.outcomeOf(new IllegalArgumentException())).isEqualTo(Outcome.IGNORED);
        early.acquire().success("answer");
        late.acquire().success("answer");

        assertThat(counts(early)).isEqualTo("totalSuccesses=1");
        assertThat(counts(late)).isEqualTo("totalFailures=1 timesOpened=1 consecutiveFailures=1");
        assertThat(first.history()).containsExactly("0s CLOSED>OPEN FAILURES");
        assertThat(second.history()).isEqualTo(first.history());
    }

    @Test
    void breakersOfOneBuilder_shareNoState() {
        CircuitBreaker.Builder builder = new Story().breaker();
        CircuitBreaker one = builder.build();
        CircuitBreaker other = builder.build();

        fail(one, 3);

        assertThat(one.state()).isEqualTo(CircuitState.OPEN);
        assertThat(other.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(counts(other)).isEmpty();
    }

    @Test
    void listOfTypesThatChangesAfterwards_changesNothing() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Class<? extends Throwable>[] types = new Class[] {IOException.class};
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").ignoreExceptions(types).build();

        types[0] = IllegalStateException.class;

        assertThat(List.of(breaker.outcomeOf(new IOException()), breaker.outcomeOf(new IllegalStateException())))
                .containsExactly(Outcome.IGNORED, Outcome.FAILURE);
    }
}
