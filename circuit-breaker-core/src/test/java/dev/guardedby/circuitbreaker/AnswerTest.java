package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a remote says in its answer opens the breaker at once where it is proof, and raises the wait where it asks for it. */
final class AnswerTest {
    private static final Duration CAP = Duration.ofMinutes(10);

    private final Story story = new Story();

    /** What a client throws, or one that throws nothing returns. */
    private record Reply(int status, Map<String, String> headers, List<String> codes) {
        Reply(int status, String... codes) {
            this(status, Map.of(), List.of(codes));
        }

        Reply retryAfter(String value) {
            return new Reply(status, Map.of("Retry-After", value), codes);
        }

        Answer answer() {
            return new Answer(status, name -> Optional.ofNullable(headers.get(name)), codes);
        }
    }

    private static final class ClientException extends RuntimeException {
        @Serial
        private static final long serialVersionUID = 1;

        private final transient Reply reply;

        ClientException(Reply reply) {
            this.reply = reply;
        }
    }

    private static final AnswerReader THROWN =
            outcome -> outcome instanceof ClientException e ? Optional.of(e.reply.answer()) : Optional.empty();

    private static final AnswerReader RETURNED = new AnswerReader() {
        @Override
        public Optional<Answer> read(Object outcome) {
            return outcome instanceof Reply reply ? Optional.of(reply.answer()) : Optional.empty();
        }

        @Override
        public boolean readsResults() {
            return true;
        }
    };

    private CircuitBreaker.Builder breaker() {
        return story.breaker()
                .failureThreshold(50)
                .maxRecoveryTimeout(CAP)
                .answers(THROWN)
                .answers(RETURNED);
    }

    private static ClientException thrown(int status, String... codes) {
        return new ClientException(new Reply(status, codes));
    }

    /** What one failure does: the state, the rule of the transition, and the wait. */
    private static String after(CircuitBreaker breaker, Throwable failure) {
        breaker.acquire().failure(failure);
        return told(breaker);
    }

    private static String told(CircuitBreaker breaker) {
        return breaker.stats().state()
                + breaker.lastTransition()
                        .map(moved ->
                                " " + moved.cause() + " " + moved.evidence().rule())
                        .orElse("")
                + breaker.timeUntilRetry().map(wait -> " " + wait).orElse("");
    }

    private String afterOne(Throwable failure) {
        return after(breaker().build(), failure);
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // Retry-After
                "429, -, 30, OPEN TRIP trip-on retry-after PT30S",
                "503, -, 30, OPEN TRIP trip-on retry-after PT30S",
                "503, -, 3, OPEN TRIP trip-on retry-after PT10S",
                "503, -, 0, OPEN TRIP trip-on retry-after PT10S",
                "429, -, 99999999999999999999, OPEN TRIP trip-on retry-after PT10M",
                "429, -, 'Thu, 01 Jan 2026 00:01:00 GMT', OPEN TRIP trip-on retry-after PT1M",
                "429, -, soon, CLOSED",
                "429, -, -5, CLOSED",
                "429, -, -, CLOSED",
                "429, rate_limit_exceeded, -, CLOSED",
                "500, -, 30, CLOSED",
                "502, -, 30, CLOSED",
                "200, -, 30, CLOSED",
                // Quota
                "402, -, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "402, -, 30, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, insufficient_quota, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, insufficient_quota, 30, OPEN TRIP trip-on quota-exhausted PT30S",
                "429, credit_balance_exhausted, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, organization_spend_limit_exceeded, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, project_spend_limit_exceeded, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, organization_usage_limit_exceeded, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, enforced_spend_limit_reached, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "429, budget_exceeded, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "400, billing_hard_limit_reached, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "403, billing_not_active, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "403, billing_error, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "403, CREDIT_BALANCE_TOO_LOW, -, OPEN TRIP trip-on quota-exhausted PT10S",
                "403, permission_error, -, CLOSED",
                "403, -, -, CLOSED",
                "400, -, -, CLOSED",
                "500, insufficient_quota, -, CLOSED",
                "200, insufficient_quota, -, CLOSED",
                // Keys
                "401, invalid_api_key, -, OPEN TRIP trip-on key-revoked PT10S",
                "401, account_deactivated, -, OPEN TRIP trip-on key-revoked PT10S",
                "401, authentication_error, -, OPEN TRIP trip-on key-revoked PT10S",
                "401, invalid_authentication_error, -, OPEN TRIP trip-on key-revoked PT10S",
                "401, ' Invalid_API_Key ', -, OPEN TRIP trip-on key-revoked PT10S",
                "401, -, -, CLOSED",
                "401, invalid_token, -, CLOSED",
                "401, -, 30, CLOSED",
                "403, invalid_api_key, -, CLOSED",
                // What is no answer
                "0, insufficient_quota, 5, CLOSED",
                "-1, invalid_api_key, 5, CLOSED"
            })
    void answer_isProofOrNot(int status, String code, String retryAfter, String told) {
        Reply reply = code == null ? new Reply(status) : new Reply(status, "some_type", code);
        Reply said = retryAfter == null ? reply : reply.retryAfter(retryAfter);
        CircuitBreaker returning = breaker().build();

        assertThat(afterOne(new ClientException(said))).isEqualTo(told);
        assertThat(returning.<Reply, RuntimeException>call(() -> said)).isSameAs(said);
        assertThat(told(returning)).as("returned").isEqualTo(told);
    }

    @Test
    void tripOn_replacesTheSet_andNoneSwitchesOff() {
        List<ClientException> answers = List.of(
                new ClientException(new Reply(429).retryAfter("30")),
                thrown(402),
                thrown(401, "invalid_api_key"),
                new ClientException(new Reply(429, "insufficient_quota").retryAfter("30")));
        List<String> told = new ArrayList<>();
        for (UnaryOperator<CircuitBreaker.Builder> set : List.<UnaryOperator<CircuitBreaker.Builder>>of(
                b -> b,
                b -> b.tripOn(Proof.KEY_REVOKED).tripOn(Proof.RETRY_AFTER),
                b -> b.tripOn(Proof.QUOTA_EXHAUSTED),
                b -> b.tripOn(Proof.KEY_REVOKED, Proof.KEY_REVOKED),
                b -> b.tripOn())) {
            StringBuilder line = new StringBuilder();
            for (ClientException answer : answers) {
                String rule = after(set.apply(breaker()).build(), answer);
                line.append(rule.replaceAll("CLOSED|OPEN TRIP trip-on | PT.*", ""))
                        .append('|');
            }
            told.add(line.toString());
        }

        assertThat(told)
                .containsExactly(
                        "retry-after|quota-exhausted|key-revoked|quota-exhausted|",
                        "retry-after|||retry-after|",
                        "|quota-exhausted||quota-exhausted|",
                        "||key-revoked||",
                        "||||");
    }

    @Test
    void tripOn_isASettingOfALiveBreaker() {
        CircuitBreaker breaker = breaker().tripOn().build();
        assertThat(after(breaker, thrown(402))).isEqualTo("CLOSED");

        breaker.reconfigure(change -> change.tripOn(Proof.QUOTA_EXHAUSTED));

        assertThat(after(breaker, thrown(402))).isEqualTo("OPEN TRIP trip-on quota-exhausted PT10S");
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
                outcome -> Optional.of(new Answer(
                        429,
                        name -> {
                            throw new IllegalStateException("planned");
                        },
                        List.of())),
                outcome -> Optional.of(new Answer(429, name -> null, List.of())))) {
            AnswerReader ofBoth = new AnswerReader() {
                @Override
                public Optional<Answer> read(Object outcome) {
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
    void ignoreRules_win() {
        ClientException answer = new ClientException(new Reply(429).retryAfter("30"));
        CircuitBreaker breaker =
                breaker().ignoreExceptions(ClientException.class).build();

        assertThat(after(breaker, answer)).isEqualTo("CLOSED");
        assertThat(after(breaker, new CompletionException(answer))).isEqualTo("CLOSED");
        assertThat(breaker.stats().totalIgnored()).isEqualTo(2);
    }

    @Test
    void refusalFurtherIn_andOwnCancellation_win() {
        CircuitBreaker inner = breaker().build();
        inner.acquire().failure(thrown(402));
        CircuitBreaker outer = breaker().answers(anything()).build();

        assertThatThrownBy(() -> outer.run(() -> inner.run(() -> {}))).isInstanceOf(CallNotPermittedException.class);
        Throwable interrupted = new InterruptedException();
        outer.acquire().failure(interrupted);
        Thread.currentThread().interrupt();
        outer.acquire().failure(new CancellationException());

        assertThat(Thread.interrupted()).isTrue();
        assertThat(told(outer)).isEqualTo("CLOSED");
        assertThat(outer.stats().totalIgnored()).isEqualTo(3);
    }

    private static AnswerReader anything() {
        return outcome -> Optional.of(new Reply(402).answer());
    }

    @Test
    void tripRule_comesBeforeProof_andRecordRulesAfter() {
        CircuitBreaker.Builder rules =
                breaker().recordExceptions(IOException.class).tripExceptions(IllegalStateException.class);
        ClientException answer = new ClientException(new Reply(429).retryAfter("30"));

        assertThat(after(rules.build(), answer)).isEqualTo("OPEN TRIP trip-on retry-after PT30S");
        assertThat(after(rules.build(), new IllegalStateException(answer))).isEqualTo("OPEN TRIP trip-if PT30S");
        CircuitBreaker recording = rules.build();
        recording.acquire().failure(thrown(401));
        assertThat(recording.stats().totalSuccesses())
                .as("no proof, and no record rule")
                .isEqualTo(1);
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
                .failOnResult(result -> result instanceof Reply reply && reply.status >= 500)
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

    @Test
    void probeThatIsToldToWait_failsAtOnce_andBringsItsHint() {
        CircuitBreaker breaker = story.halfOpen(breaker().failureThreshold(1).probes(3));
        breaker.acquire().failure(new ClientException(new Reply(503).retryAfter("120")));

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofMinutes(2));

        story.time.advance(Duration.ofMinutes(2));
        breaker.acquire().success(new Reply(503).retryAfter("240"));
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofMinutes(4));
    }

    @Test
    void refusal_namesTheProof() {
        CircuitBreaker breaker = breaker().build();
        breaker.acquire().failure(thrown(401, "invalid_api_key"));

        assertThat(breaker.refusal().orElseThrow().message())
                .isEqualTo("open at once after a failure that is proof by itself (trip-on key-revoked),"
                        + " next probe in 10.0 s");
        assertThat(breaker.timeUntilRetry()).contains(WAIT);
    }
}
