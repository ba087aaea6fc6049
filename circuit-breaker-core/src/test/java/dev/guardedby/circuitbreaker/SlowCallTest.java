package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that returned, but slowly. */
final class SlowCallTest {
    private static final Duration SLOW = Duration.ofSeconds(2);

    private final Story story = new Story();

    private CircuitBreaker.Builder slowRule() {
        return story.breaker().slowCallDuration(SLOW).slowCallRateThreshold(50).window(4);
    }

    private void callOf(CircuitBreaker breaker, Duration duration) {
        breaker.run(() -> story.time.advance(duration));
    }

    @Test
    void callOfExactlyTheDuration_isSlow_aNanosecondLessIsNot() {
        CircuitBreaker quick = slowRule().build();
        for (int i = 0; i < 8; i++) {
            callOf(quick, SLOW.minusNanos(1));
        }
        assertThat(story.history()).isEmpty();

        Story other = new Story();
        CircuitBreaker slow = other.breaker()
                .slowCallDuration(SLOW)
                .slowCallRateThreshold(100)
                .window(4)
                .build();
        for (int i = 0; i < 4; i++) {
            slow.run(() -> other.time.advance(SLOW));
        }
        assertThat(other.history()).containsExactly("8s CLOSED>OPEN SLOW_CALL_RATE");
        assertThat(slow.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("slow-call-rate-threshold 100.0", 4, 0, 4, 0, Map.of()));
        assertThat(slow.refusal().orElseThrow().message())
                .isEqualTo("open after 4 of 4 calls were slow, next probe in 10.0 s");
    }

    @ParameterizedTest
    @ValueSource(strings = {"call", "run", "callAsync", "acquire"})
    void anyShapeOfCall_isTimed(String shape) {
        CircuitBreaker breaker = slowRule().build();
        for (int i = 0; i < 4; i++) {
            switch (shape) {
                case "call" -> breaker.call(() -> story.time.advance(SLOW));
                case "run" -> breaker.run(() -> story.time.advance(SLOW));
                case "callAsync" -> {
                    CompletableFuture<String> stage = new CompletableFuture<>();
                    CompletableFuture<String> guarded = breaker.callAsync(() -> stage);
                    story.time.advance(SLOW);
                    stage.complete("answer");
                    assertThat(guarded).isCompletedWithValue("answer");
                }
                default -> {
                    Permit permit = breaker.acquire();
                    story.time.advance(SLOW);
                    permit.success();
                }
            }
        }

        assertThat(story.history()).containsExactly("8s CLOSED>OPEN SLOW_CALL_RATE");
    }

    @Test
    void slowFailures_countAsSlowAndAsFailures() {
        CircuitBreaker breaker = slowRule().failureThreshold(100).build();
        callOf(breaker, Duration.ZERO);
        callOf(breaker, Duration.ZERO);
        callOf(breaker, SLOW);
        Permit failing = breaker.acquire();
        story.time.advance(SLOW);
        fail(failing);

        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(
                        new Evidence("slow-call-rate-threshold 50.0", 4, 1, 2, 0, Map.of("java.io.IOException", 1L)));
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=3 totalFailures=1 timesOpened=1 consecutiveFailures=1");
    }

    @Test
    void quickSuccessThatCompletesTheWindow_mayTrip() {
        CircuitBreaker breaker = slowRule().build();
        callOf(breaker, SLOW);
        callOf(breaker, SLOW);
        callOf(breaker, Duration.ZERO);
        assertThat(story.history()).isEmpty();
        callOf(breaker, Duration.ZERO);

        assertThat(story.history()).containsExactly("4s CLOSED>OPEN SLOW_CALL_RATE");
    }

    @Test
    void ignoredAndRefusedCalls_areNeverSlow() {
        CircuitBreaker breaker = slowRule().ignoreExceptions(IOException.class).build();
        CircuitBreaker inner = CircuitBreaker.of("inner");
        inner.holdOpen();
        for (int i = 0; i < 10; i++) {
            Permit ignored = breaker.acquire();
            Permit given = breaker.acquire();
            story.time.advance(SLOW);
            ignored.failure(new IOException());
            given.cancel();
            assertThatExceptionOfType(CallNotPermittedException.class)
                    .isThrownBy(() -> breaker.run(() -> {
                        story.time.advance(SLOW);
                        inner.acquire().close();
                    }));
        }

        assertThat(story.history()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalIgnored=30");
    }

    @Test
    void manualResults_areNeverSlow_butAreInTheWindow() {
        CircuitBreaker breaker = slowRule().build();
        for (int i = 0; i < 3; i++) {
            assertThat(breaker.canExecute()).isTrue();
            story.time.advance(SLOW);
            breaker.recordSuccess();
        }
        callOf(breaker, SLOW);
        assertThat(story.history()).as("1 of 4").isEmpty();
        callOf(breaker, SLOW);

        assertThat(breaker.lastTransition().orElseThrow().evidence())
                .isEqualTo(new Evidence("slow-call-rate-threshold 50.0", 4, 0, 2, 0, Map.of()));
    }

    @Test
    void consecutiveDefault_staysBesideASlowCallRule() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .slowCallDuration(SLOW)
                .slowCallRateThreshold(50)
                .build();
        assertThat(breaker.failureThreshold()).isEqualTo(5);
        fail(breaker, 4);
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        fail(breaker, 1);

        assertThat(breaker.lastTransition().orElseThrow().cause()).isEqualTo(Transition.Cause.FAILURES);
    }

    @Test
    void slowSuccess_isAFailedProbe() {
        CircuitBreaker breaker = story.halfOpen(slowRule());
        callOf(breaker, SLOW);

        assertThat(story.history()).containsExactly("12s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(1);
        assertThat(breaker.stats().consecutiveFailures())
                .as("it is a success all the same")
                .isZero();
        story.time.advance(WAIT);
        callOf(breaker, SLOW.minusNanos(1));
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void slowSuccessThatLostItsSlot_provesNothing() {
        CircuitBreaker breaker = story.halfOpen(slowRule());
        Permit slow = breaker.acquire();
        story.time.advance(Story.LEASE);
        Permit second = breaker.acquire();
        slow.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.stats().late()).isEqualTo(1);
        second.success();

        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }
}
