package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Replies.RETURNED;
import static dev.guardedby.circuitbreaker.Replies.THROWN;
import static dev.guardedby.circuitbreaker.Replies.after;
import static dev.guardedby.circuitbreaker.Replies.thrown;
import static dev.guardedby.circuitbreaker.Replies.told;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.Replies.ClientException;
import dev.guardedby.circuitbreaker.Replies.Reply;
import java.io.IOException;
import java.io.Serial;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Wherever an answer is found it is understood, and whoever reads it does no harm. */
final class AnswerTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder breaker() {
        return Replies.breaker(story);
    }

    private String afterOne(Throwable failure) {
        return after(breaker().build(), failure);
    }

    @Test
    void withoutProof_theHintStillRaisesTheWait() {
        CircuitBreaker breaker = breaker().tripOn().failureThreshold(2).build();

        assertThat(after(breaker, new ClientException(new Reply(429).retryAfter("90"))))
                .isEqualTo("CLOSED");
        assertThat(after(breaker, new ClientException(new Reply(503).retryAfter("70"))))
                .isEqualTo("OPEN FAILURES failure-threshold 2 PT1M10S");
    }

    @Test
    void httpDate_isReadByTheBreakersOwnClock() {
        story.time.advance(Duration.ofSeconds(20));

        assertThat(afterOne(new ClientException(new Reply(503).retryAfter("Thu Jan  1 00:01:00 2026"))))
                .isEqualTo("OPEN TRIP trip-on retry-after PT40S");
    }

    @Test
    void hintOfTheUsersOwn_comesFirst() {
        CircuitBreaker.Builder own = breaker().retryAfter(failure -> Optional.of(Duration.ofSeconds(25)));

        assertThat(after(own.build(), new ClientException(new Reply(429).retryAfter("90"))))
                .isEqualTo("OPEN TRIP trip-on retry-after PT25S");
    }

    @Test
    void answer_isFoundInAnyCause_theFirstOneCounts() {
        ClientException inner = new ClientException(new Reply(429).retryAfter("30"));

        assertThat(afterOne(new IllegalStateException("our own", new IOException(inner))))
                .isEqualTo("OPEN TRIP trip-on retry-after PT30S");
        assertThat(afterOne(new CompletionException(new IllegalStateException(inner))))
                .isEqualTo("OPEN TRIP trip-on retry-after PT30S");
        ClientException outer = thrown(500);
        outer.initCause(inner);
        assertThat(afterOne(outer)).as("the first answer is that of a 500").isEqualTo("CLOSED");
        Exception suppressing = new IllegalStateException();
        suppressing.addSuppressed(inner);
        assertThat(afterOne(suppressing)).isEqualTo("CLOSED");
    }

    private static final class Knot extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1;

        private Throwable next = this;

        @Override
        public synchronized Throwable getCause() {
            return next;
        }
    }

    @Test
    void causesInACircle_areWalkedNotForEver() {
        List<Object> asked = new ArrayList<>();
        AnswerReader curious = outcome -> {
            asked.add(outcome);
            return Optional.empty();
        };
        Knot first = new Knot();
        Knot second = new Knot();
        first.next = second;
        second.next = first;

        assertThat(after(breaker().answers(curious).build(), first)).isEqualTo("CLOSED");
        assertThat(asked).hasSizeBetween(2, 32).containsOnly(first, second);
    }

    @Test
    void causeThatCannotBeAsked_isAFailureAndNoMore() {
        RuntimeException broken = new RuntimeException() {
            @Serial
            private static final long serialVersionUID = 1;

            @Override
            public synchronized Throwable getCause() {
                throw new IllegalStateException("planned");
            }
        };
        CircuitBreaker breaker = breaker().build();

        assertThatThrownBy(() -> breaker.run(() -> {
                    throw broken;
                }))
                .isSameAs(broken);
        assertThat(breaker.stats().totalFailures()).isEqualTo(1);
    }

    @Test
    void readerThatThrows_isSkipped_andTheNextOneIsAsked() {
        Reply reply = new Reply(429).retryAfter("30");
        for (AnswerReader broken : List.<AnswerReader>of(
                outcome -> {
                    throw new IllegalStateException("planned");
                },
                outcome -> {
                    throw new NoSuchMethodError("planned: another version of the client");
                },
                outcome -> null,
                outcome -> Optional.of(new HttpAnswer(
                        429,
                        name -> {
                            throw new IllegalStateException("planned");
                        },
                        List.of())),
                outcome -> Optional.of(new HttpAnswer(429, name -> null, List.of())))) {
            AnswerReader ofBoth = new AnswerReader() {
                @Override
                public Optional<HttpAnswer> read(Object outcome) {
                    return broken.read(outcome);
                }

                @Override
                public boolean readsResults() {
                    return true;
                }
            };
            CircuitBreaker.Builder builder = story.breaker()
                    .failureThreshold(50)
                    .answers(ofBoth)
                    .answers(THROWN)
                    .answers(RETURNED);

            assertThat(after(builder.build(), new ClientException(reply)))
                    .isEqualTo("OPEN TRIP trip-on retry-after PT30S");
            CircuitBreaker returning = builder.build();
            assertThat(returning.<Reply, RuntimeException>call(() -> reply)).isSameAs(reply);
            assertThat(told(returning)).isEqualTo("OPEN TRIP trip-on retry-after PT30S");
        }
    }

    @Test
    void brokenRule_losesNoHint() {
        CircuitBreaker breaker = breaker()
                .failureThreshold(1)
                .tripOn()
                .tripIf(failure -> {
                    throw new IllegalStateException("planned");
                })
                .failOnResult(result -> {
                    throw new IllegalStateException("planned");
                })
                .build();
        Reply busy = new Reply(429).retryAfter("30");

        assertThat(after(breaker, new ClientException(busy))).isEqualTo("OPEN FAILURES failure-threshold 1 PT30S");
        breaker.reset();
        breaker.acquire().success(busy);
        assertThat(told(breaker)).startsWith("OPEN FAILURES").endsWith(" PT30S");
    }

    @Test
    void ordinaryResults_areSuccesses_unlessARuleSaysOtherwise() {
        CircuitBreaker breaker = breaker().failureThreshold(2).build();
        for (int status : new int[] {200, 400, 401, 404, 429, 500, 502, 503}) {
            breaker.acquire().success(new Reply(status));
        }
        breaker.acquire().success(null);
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=9");

        CircuitBreaker judging = breaker()
                .tripOn()
                .failureThreshold(2)
                .failOnResult(result -> result instanceof Reply reply && reply.status() >= 500)
                .build();
        judging.acquire().success(new Reply(500));
        judging.acquire().success(new Reply(429).retryAfter("90"));
        assertThat(Story.counts(judging)).isEqualTo("totalSuccesses=1 totalFailures=1");
        judging.acquire().success(new Reply(500));
        judging.acquire().success(new Reply(503).retryAfter("45"));
        assertThat(told(judging)).isEqualTo("OPEN FAILURES failure-threshold 2 PT45S");
    }

    @Test
    void exceptionReaders_areNotAskedAboutResults() {
        List<Object> asked = new ArrayList<>();
        AnswerReader curious = outcome -> {
            asked.add(outcome);
            return Optional.empty();
        };
        CircuitBreaker breaker =
                story.breaker().answers(curious).failOnResult(result -> true).build();
        breaker.acquire().success(new Reply(402));
        IOException failure = new IOException();
        breaker.acquire().failure(failure);

        assertThat(asked).containsExactly(failure);
    }

    @Test
    void resultsAreJudged_onlyWhereSomebodyWantsToKnow() {
        OutcomeRules plain = OutcomeRules.DEFAULT;

        assertThat(plain.judgesResults()).isFalse();
        assertThat(plain.reading(THROWN).judgesResults()).isFalse();
        assertThat(plain.reading(RETURNED).judgesResults()).isTrue();
        assertThat(plain.trippingOn(Set.of()).reading(RETURNED).judgesResults()).isFalse();
        assertThat(plain.trippingOn(Set.of()).failingOn(result -> false).judgesResults())
                .isTrue();
    }

    @Test
    void everyShapeOfCall_understands() throws Exception {
        Reply reply = new Reply(402);
        ClientException failure = new ClientException(reply);
        List<Consumer<CircuitBreaker>> shapes = List.of(
                breaker -> breaker.<Reply, RuntimeException>call(() -> reply),
                breaker -> breaker.<Reply, RuntimeException>call(Cost.ZERO, permit -> reply),
                breaker -> assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(reply)))
                        .isCompletedWithValue(reply),
                breaker -> assertThat(breaker.callAsync(() -> CompletableFuture.failedFuture(failure)))
                        .isCompletedExceptionally(),
                breaker -> assertThatThrownBy(() -> breaker.run(() -> {
                            throw failure;
                        }))
                        .isSameAs(failure),
                breaker -> assertThatThrownBy(() -> breaker.call(() -> {
                            throw failure;
                        }))
                        .isSameAs(failure),
                breaker -> breaker.acquire().success(reply),
                breaker -> breaker.acquire().failure(failure));
        for (Consumer<CircuitBreaker> shape : shapes) {
            CircuitBreaker breaker = breaker().build();
            shape.accept(breaker);
            assertThat(told(breaker)).isEqualTo("OPEN TRIP trip-on quota-exhausted PT10S");
        }
    }
}
