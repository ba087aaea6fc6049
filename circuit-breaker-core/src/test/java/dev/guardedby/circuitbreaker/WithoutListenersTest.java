package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A closed breaker that nobody listens to takes a shorter way through a call, and gets to the same place. */
final class WithoutListenersTest {
    private static Arguments story(String end, Consumer<CircuitBreaker> story) {
        return Arguments.of(end, story);
    }

    private static void succeed(CircuitBreaker breaker) {
        breaker.run(() -> {});
        String answer = breaker.call(() -> "answer");
        assertThat(answer).isEqualTo("answer");
    }

    private static void throwInside(CircuitBreaker breaker) {
        IOException down = new IOException("down");
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw down;
                })))
                .isSameAs(down);
    }

    static Stream<Arguments> stories() {
        return Stream.of(
                story("totalSuccesses=2", WithoutListenersTest::succeed),
                story("totalFailures=2 consecutiveFailures=2", breaker -> {
                    throwInside(breaker);
                    throwInside(breaker);
                }),
                story("totalSuccesses=2 totalFailures=2", breaker -> {
                    fail(breaker, 2);
                    succeed(breaker);
                }),
                story("totalSuccesses=4 totalFailures=1", breaker -> {
                    succeed(breaker);
                    fail(breaker, 1);
                    succeed(breaker);
                }),
                story("totalFailures=3 timesOpened=1 consecutiveFailures=3", breaker -> {
                    fail(breaker, 2);
                    throwInside(breaker);
                }),
                story("totalSuccesses=1 totalFailures=1 consecutiveFailures=1", breaker -> {
                    breaker.run(() -> {});
                    String answer = breaker.call(() -> "overloaded");
                    assertThat(answer).isEqualTo("overloaded");
                }),
                story("totalSuccesses=1 totalFailures=1", breaker -> breaker.run(() -> fail(breaker, 1))),
                story(
                        "totalSuccesses=1 totalFailures=3 timesOpened=1 consecutiveFailures=3 stale=1",
                        breaker -> breaker.run(() -> fail(breaker, 3))),
                story("totalSuccesses=1 stale=1", breaker -> breaker.run(breaker::reset)),
                story("totalSuccesses=1 timesOpened=1 stale=1", breaker -> breaker.run(breaker::forceOpen)),
                story("totalSuccesses=1 stale=1", breaker -> breaker.run(() -> breaker.mode(Mode.DISABLED))),
                story("totalSuccesses=1", breaker -> breaker.run(() -> breaker.mode(Mode.OBSERVE))),
                story(
                        "totalFailures=1 stale=1",
                        breaker -> assertThat(catchThrowable(() -> breaker.run(() -> {
                                    breaker.reset();
                                    throw new IOException("down");
                                })))
                                .isInstanceOf(IOException.class)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("stories")
    void counts_areTheSame_whetherAnybodyListensOrNot(String end, Consumer<CircuitBreaker> story) {
        FakeTime time = new FakeTime();
        CircuitBreaker.Builder builder = CircuitBreaker.builder("llm")
                .failureThreshold(3)
                .failOnResult("overloaded"::equals)
                .ticker(time)
                .clock(time);
        CircuitBreaker alone = builder.build();
        CircuitBreaker heard = builder.listener(new CircuitBreakerListener() {}).build();

        story.accept(alone);
        story.accept(heard);

        assertThat(Story.counts(alone)).isEqualTo(end);
        assertThat(alone.stats()).isEqualTo(heard.stats());
    }
}
