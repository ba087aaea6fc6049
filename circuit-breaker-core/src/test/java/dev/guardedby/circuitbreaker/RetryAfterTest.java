package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Serial;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** A remote that says how long it wants to be left alone is heard, within limits. */
final class RetryAfterTest {
    private static final Duration CAP = Duration.ofSeconds(100);

    private final Story story = new Story();

    private static final class Busy extends Exception {
        @Serial
        private static final long serialVersionUID = 1;

        private final Duration hint;

        Busy(Duration hint) {
            this.hint = hint;
        }

        static Optional<Duration> hintOf(Throwable failure) {
            return failure instanceof Busy busy ? Optional.of(busy.hint) : Optional.empty();
        }
    }

    private CircuitBreaker.Builder hinted() {
        return story.breaker().failureThreshold(1).maxRecoveryTimeout(CAP).retryAfter(Busy::hintOf);
    }

    private static Duration waitAfter(CircuitBreaker.Builder builder, Throwable failure) {
        CircuitBreaker breaker = builder.build();
        breaker.acquire().failure(failure);
        return breaker.timeUntilRetry().orElseThrow();
    }

    private Duration waitAfter(Duration hint) {
        return waitAfter(hinted(), new Busy(hint));
    }

    @Test
    void hint_raisesTheWait_upToTheCap_andNeverShortensIt() {
        assertThat(waitAfter(Duration.ofSeconds(30))).isEqualTo(Duration.ofSeconds(30));
        assertThat(waitAfter(Duration.ofSeconds(3))).isEqualTo(WAIT);
        assertThat(waitAfter(CAP.minusNanos(1))).isEqualTo(CAP.minusNanos(1));
        assertThat(waitAfter(CAP.plusNanos(1))).isEqualTo(CAP);
        assertThat(waitAfter(Duration.ofDays(1))).isEqualTo(CAP);
    }

    @Test
    void withoutACapOfItsOwn_aHintIsHeardUpToTenWaits() {
        CircuitBreaker.Builder builder = story.breaker().failureThreshold(1).retryAfter(Busy::hintOf);

        assertThat(waitAfter(builder, new Busy(Duration.ofSeconds(99)))).isEqualTo(Duration.ofSeconds(99));
        assertThat(waitAfter(builder, new Busy(Duration.ofHours(1)))).isEqualTo(Duration.ofSeconds(100));
    }

    @Test
    void absurdHints_areTheCapOrNothing() {
        assertThat(waitAfter(Duration.ofSeconds(Long.MAX_VALUE, 999_999_999))).isEqualTo(CAP);
        assertThat(waitAfter(Duration.ofDays(4_000))).isEqualTo(CAP);
        assertThat(waitAfter(Duration.ZERO)).isEqualTo(WAIT);
        assertThat(waitAfter(Duration.ofNanos(-1))).isEqualTo(WAIT);
        assertThat(waitAfter(Duration.ofSeconds(Long.MIN_VALUE))).isEqualTo(WAIT);
    }

    @Test
    void absurdHint_withJitterAndTheLongestCap_neverOverflows() {
        for (int i = 0; i < 50; i++) {
            assertThat(waitAfter(
                            hinted().maxRecoveryTimeout(Duration.ofDays(3_653)).recoveryJitter(0.99),
                            new Busy(Duration.ofDays(3_653))))
                    .isEqualTo(Duration.ofDays(3_653));
        }
    }

    @Test
    void wrappedHint_isFound() {
        Busy busy = new Busy(Duration.ofSeconds(30));

        assertThat(waitAfter(hinted(), new CompletionException(busy))).isEqualTo(Duration.ofSeconds(30));
        assertThat(waitAfter(hinted(), new ExecutionException(new InvocationTargetException(busy))))
                .isEqualTo(Duration.ofSeconds(30));
        assertThat(waitAfter(hinted(), new IllegalStateException(busy)))
                .as("no wrapper")
                .isEqualTo(WAIT);
    }

    @Test
    void brokenSource_isPassedOver_andTheNextOneIsAsked() {
        CircuitBreaker.Builder builder = story.breaker()
                .failureThreshold(1)
                .maxRecoveryTimeout(CAP)
                .retryAfter(failure -> {
                    throw new AssertionError("broken");
                })
                .retryAfter(failure -> null)
                .retryAfter(failure -> Optional.of(Duration.ofSeconds(-5)))
                .retryAfter(failure -> Optional.empty());

        assertThat(waitAfter(builder, new IOException())).isEqualTo(WAIT);
        assertThat(waitAfter(builder.retryAfter(Busy::hintOf), new Busy(Duration.ofSeconds(30))))
                .isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void hintOfTheFailureThatOpens_counts_notThatOfAnEarlierOne() {
        CircuitBreaker breaker = hinted().failureThreshold(2).build();
        breaker.acquire().failure(new Busy(Duration.ofSeconds(60)));
        fail(breaker, 1);
        assertThat(breaker.timeUntilRetry()).contains(WAIT);

        breaker.reset();
        fail(breaker, 1);
        breaker.acquire().failure(new Busy(Duration.ofSeconds(60)));
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofSeconds(60));
    }

    @Test
    void proofByOneFailure_bringsItsHint() {
        CircuitBreaker.Builder builder = hinted().failureThreshold(50).tripExceptions(Busy.class);

        assertThat(waitAfter(builder, new Busy(Duration.ofSeconds(60)))).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void failedProbe_bringsItsHint_whichRaisesTheGrownWait() {
        CircuitBreaker breaker =
                hinted().recoveryBackoffMultiplier(2).recoveryJitter(0).build();
        fail(breaker, 1);
        List<Duration> waits = new ArrayList<>();
        for (Duration hint : List.of(Duration.ofSeconds(25), Duration.ofSeconds(25), Duration.ofSeconds(95))) {
            story.time.advance(breaker.timeUntilRetry().orElseThrow());
            breaker.acquire().failure(new Busy(hint));
            waits.add(breaker.timeUntilRetry().orElseThrow());
        }

        assertThat(waits).extracting(Duration::toSeconds).containsExactly(25L, 40L, 95L);
    }

    @Test
    void hint_isSpreadLater_neverEarlier() {
        List<Duration> waits = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            waits.add(waitAfter(hinted().recoveryJitter(0.5), new Busy(Duration.ofSeconds(40))));
        }

        assertThat(waits)
                .allSatisfy(wait -> assertThat(wait).isBetween(Duration.ofSeconds(40), Duration.ofSeconds(60)));
        assertThat(waits).anyMatch(wait -> wait.toSeconds() < 45).anyMatch(wait -> wait.toSeconds() > 55);
    }

    @Test
    void ignoredExceptionsAndSuccesses_areNotAskedForHints() {
        List<Throwable> asked = new ArrayList<>();
        CircuitBreaker breaker = hinted().failureThreshold(2)
                .ignoreExceptions(Busy.class)
                .retryAfter(failure -> {
                    asked.add(failure);
                    return Optional.empty();
                })
                .build();
        breaker.acquire().failure(new Busy(Duration.ofSeconds(60)));
        breaker.acquire().success();
        IOException recorded = new IOException();
        breaker.acquire().failure(recorded);

        assertThat(asked).containsExactly(recorded);
    }

    @Test
    void lateFailure_movesNoDeadline() {
        CircuitBreaker breaker = hinted().build();
        Permit late = breaker.acquire();
        fail(breaker, 1);
        late.failure(new Busy(Duration.ofSeconds(90)));

        assertThat(breaker.timeUntilRetry()).contains(WAIT);
    }
}
