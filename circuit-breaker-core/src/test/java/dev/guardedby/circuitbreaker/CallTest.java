package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the caller of a guarded call gets, and that it is what the call gave. */
final class CallTest {
    private final Story story = new Story();

    private List<CircuitBreaker> closedAndHalfOpen() {
        return List.of(
                story.breaker().build(),
                story.halfOpen(story.breaker().probes(100).successesToClose(100)),
                story.halfOpen(story.breaker().probes(100).successesToClose(1)));
    }

    static Stream<Throwable> thrown() {
        return Stream.of(
                new IOException("checked"),
                new IllegalStateException("unchecked"),
                new StackOverflowError("an Error"),
                new Throwable("neither"),
                new InterruptedException("ignored"));
    }

    @ParameterizedTest
    @MethodSource("thrown")
    void caller_getsTheVeryExceptionObject(Throwable thrown) {
        for (CircuitBreaker breaker : closedAndHalfOpen()) {
            assertThatThrownBy(() -> breaker.call(() -> {
                        throw thrown;
                    }))
                    .isSameAs(thrown);
        }
        for (CircuitBreaker breaker : closedAndHalfOpen()) {
            assertThatThrownBy(() -> breaker.run(() -> {
                        throw thrown;
                    }))
                    .isSameAs(thrown);
        }
        for (CircuitBreaker breaker : closedAndHalfOpen()) {
            assertThatThrownBy(() -> breaker.call(Cost.ZERO, permit -> {
                        throw thrown;
                    }))
                    .isSameAs(thrown);
        }
        assertThat(thrown.getSuppressed()).isEmpty();
        assertThat(thrown.getCause()).isNull();
    }

    @Test
    void caller_getsTheVeryResult() {
        Object result = new Object();
        for (CircuitBreaker breaker : closedAndHalfOpen()) {
            Object called = breaker.call(() -> result);
            Object permitted = breaker.call(Cost.ZERO, permit -> result);
            Object nothing = breaker.call(() -> null);

            assertThat(called).isSameAs(result);
            assertThat(permitted).isSameAs(result);
            assertThat(nothing).isNull();
            assertThat(breaker.stats().totalSuccesses()).isEqualTo(3);
        }
    }

    @Test
    void lambdas_needNoCatchForWhatTheyDoNotThrow_andDeclareWhatTheyDo() throws IOException {
        CircuitBreaker breaker = story.breaker().build();

        String unchecked = breaker.call(() -> "a");
        String checked = breaker.call(CallTest::read);
        breaker.run(() -> {});
        breaker.run(CallTest::read);

        assertThat(unchecked + checked).isEqualTo("ab");
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=4");
    }

    private static String read() throws IOException {
        return "b";
    }

    @Test
    void resultRule_countsAFailure_andTheCallerGetsTheResult() {
        List<@Nullable Object> asked = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .failOnResult(result -> {
                    asked.add(result);
                    return result == null;
                })
                .failOnResult(result -> "overloaded".equals(result))
                .build();

        String missing = breaker.call(() -> null);
        String overloaded = breaker.call(() -> "overloaded");
        assertThat(missing).isNull();
        assertThat(overloaded).isEqualTo("overloaded");
        assertThat(counts(breaker)).isEqualTo("totalFailures=2 consecutiveFailures=2");

        String fine = breaker.call(Cost.ZERO, permit -> "fine");
        breaker.acquire().success("overloaded");
        breaker.acquire().success((Object) null);
        assertThat(fine).isEqualTo("fine");
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=4 consecutiveFailures=2");
        assertThat(asked).containsExactly(null, "overloaded", "fine", "overloaded", null);
    }

    @Test
    void resultRule_isNotAskedWhereThereIsNoResult() {
        CircuitBreaker closed = story.breaker().failOnResult(result -> true).build();
        closed.run(() -> {});
        closed.acquire().success();
        assertThat(counts(closed)).isEqualTo("totalSuccesses=2");

        CircuitBreaker probed = story.halfOpen(story.breaker().failOnResult(result -> true));
        probed.run(() -> {});
        assertThat(probed.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void resultRule_opensAndReopens() {
        CircuitBreaker breaker =
                story.breaker().failOnResult("overloaded"::equals).build();
        List<String> answers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            answers.add(breaker.call(() -> "overloaded"));
        }
        story.time.advance("PT10S");
        answers.add(breaker.call(() -> "overloaded"));

        assertThat(answers).containsOnly("overloaded");
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES", "10s OPEN>HALF_OPEN WAIT_OVER", "10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void brokenRules_countAFailure_andTheCallerGetsWhatTheCallGave() {
        IOException down = new IOException("down");
        CircuitBreaker breaker = story.breaker()
                .failureThreshold(100)
                .recordIf(thrown -> {
                    throw new IllegalStateException("a broken exception rule");
                })
                .failOnResult(result -> {
                    throw new AssertionError("a broken result rule");
                })
                .build();

        assertThatThrownBy(() -> breaker.call(() -> {
                    throw down;
                }))
                .isSameAs(down);
        String answer = breaker.call(() -> "answer");

        assertThat(answer).isEqualTo("answer");
        assertThat(down.getSuppressed()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalFailures=2 consecutiveFailures=2");
    }

    @Test
    void permitOfTheCall_mayReportByItself() {
        CircuitBreaker breaker = story.breaker().build();

        int answer = breaker.call(Cost.ZERO, permit -> {
            permit.failure(new IOException("a bad answer"));
            return 7;
        });
        Throwable seen = catchThrowable(() -> breaker.call(Cost.ZERO, permit -> {
            permit.success();
            throw new IllegalStateException("after the answer");
        }));

        assertThat(answer).isEqualTo(7);
        assertThat(seen).hasMessage("after the answer");
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=1");
    }

    @Test
    void missingArguments_areRefused_andCountNothing() {
        for (CircuitBreaker breaker : closedAndHalfOpen()) {
            String before = counts(breaker);
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.call(null))
                    .withMessage("call");
            assertThatNullPointerException().isThrownBy(() -> breaker.run(null)).withMessage("action");
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.call(Cost.ZERO, null))
                    .withMessage("call");
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.call(null, permit -> 1))
                    .withMessage("hold");
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.acquire(null))
                    .withMessage("hold");
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.tryAcquire(null))
                    .withMessage("hold");
            assertThatNullPointerException()
                    .isThrownBy(() -> breaker.acquireAsync(null))
                    .withMessage("hold");
            Permit permit = breaker.acquire();
            assertThatNullPointerException()
                    .isThrownBy(() -> permit.failure(null))
                    .withMessage("cause");
            assertThat(counts(breaker)).isEqualTo(before);
        }
    }

    @Test
    void nestedCallsOfAClosedBreaker_areEachCounted() {
        CircuitBreaker breaker = story.breaker().build();

        int answer = breaker.call(() -> breaker.call(() -> breaker.call(() -> 3)));

        assertThat(answer).isEqualTo(3);
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=3");
    }
}
