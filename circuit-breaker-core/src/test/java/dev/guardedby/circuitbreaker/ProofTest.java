package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Replies.after;
import static dev.guardedby.circuitbreaker.Replies.thrown;
import static dev.guardedby.circuitbreaker.Replies.told;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.Replies.ClientException;
import dev.guardedby.circuitbreaker.Replies.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An answer that is proof by itself opens the breaker at once, unless a stronger rule says otherwise. */
final class ProofTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder breaker() {
        return Replies.breaker(story);
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
                "503, -, 0, CLOSED",
                "429, -, 0.0, CLOSED",
                "429, -, 0.001, OPEN TRIP trip-on retry-after PT10S",
                "429, -, 'Sun, 06 Nov 1994 08:49:37 GMT', OPEN TRIP trip-on retry-after PT10S",
                "429, insufficient_quota, 0, OPEN TRIP trip-on quota-exhausted PT10S",
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
    void probeThatIsToldToWait_failsAtOnce_andBringsItsHint() {
        CircuitBreaker breaker = story.halfOpen(breaker().failureThreshold(1).probes(3));
        breaker.acquire().failure(new ClientException(new Reply(503).retryAfter("120")));

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(breaker.lastTransition().orElseThrow().message())
                .startsWith("open again after a failed probe (trip-on ");
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
