package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Bugs that users reported against other circuit breakers, each under the name of its report. */
final class ReportedBugsTest {
    private final Story story = new Story();

    private static List<Permit> acquire(CircuitBreaker breaker, int times) {
        List<Permit> permits = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            permits.add(breaker.acquire());
        }
        return permits;
    }

    @Test
    void resilience4j544_ignoredExceptionsInHalfOpen_giveTheirPermitsBack() {
        List<UnaryOperator<CircuitBreaker.Builder>> rules = List.of(
                b -> b.ignoreExceptions(IllegalArgumentException.class),
                b -> b.recordExceptions(IOException.class).ignoreIf(IllegalArgumentException.class::isInstance));
        for (UnaryOperator<CircuitBreaker.Builder> rule : rules) {
            CircuitBreaker breaker = story.halfOpen(rule.apply(story.breaker().probes(2)));
            acquire(breaker, 2).forEach(permit -> permit.failure(new IllegalArgumentException()));

            acquire(breaker, 2).forEach(Permit::success);

            assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        }
    }

    @Test
    void polly1979_exceptionThatNoRuleMatches_isAnAnswer() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2).recordExceptions(IOException.class));

        acquire(breaker, 2).forEach(permit -> permit.failure(new IllegalArgumentException()));

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void resilience4j2324_throwingPredicates_loseNoPermit_andNoException() {
        UnaryOperator<Throwable> broken = thrown -> {
            throw new IllegalStateException("planned");
        };
        List<UnaryOperator<CircuitBreaker.Builder>> rules = List.of(
                b -> b.recordIf(thrown -> broken.apply(thrown) == null),
                b -> b.ignoreIf(thrown -> broken.apply(thrown) == null),
                b -> b.tripIf(thrown -> broken.apply(thrown) == null));
        IOException down = new IOException("down");
        for (UnaryOperator<CircuitBreaker.Builder> rule : rules) {
            CircuitBreaker breaker =
                    story.halfOpen(rule.apply(story.breaker().probes(2).successesToClose(1)));

            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw down;
                    })))
                    .isSameAs(down);
            assertThat(breaker.state()).as("one of two may fail").isEqualTo(CircuitState.HALF_OPEN);
            breaker.run(() -> {});

            assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        }
    }

    @Test
    void sentinel1638_probeRefusedFurtherIn_isGivenBackEveryTime() {
        CircuitBreaker inner = CircuitBreaker.of("inner");
        inner.holdOpen();
        CircuitBreaker outer = story.halfOpen(story.breaker().ignoreExceptions(RejectedExecutionException.class));

        for (int i = 0; i < 1_000; i++) {
            assertThat(catchThrowable(() -> outer.run(() -> inner.run(() -> {}))))
                    .isInstanceOfSatisfying(
                            CallNotPermittedException.class,
                            refused -> assertThat(refused.name()).isEqualTo("inner"));
            assertThat(outer.callAsync(() -> CompletableFuture.runAsync(() -> {}, task -> {
                        throw new RejectedExecutionException("full");
                    })))
                    .isCompletedExceptionally();
        }
        inner.reset();
        outer.run(() -> inner.run(() -> {}));

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(outer.stats().totalIgnored()).isEqualTo(2_000);
        assertThat(inner.stats().totalRejected()).isEqualTo(1_000);
    }

    @Test
    void hystrix1853_cancellingAnOldCall_doesNotDisturbTheProbe() {
        CircuitBreaker breaker = story.breaker().build();
        CompletableFuture<String> old = breaker.callAsync(CompletableFuture::new);
        fail(breaker, 3);
        story.time.advance(WAIT);
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletableFuture<String> probe = breaker.callAsync(() -> answer);

        old.cancel(true);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        answer.complete("back");

        assertThat(probe).isCompletedWithValue("back");
        assertThat(story.history()).last().isEqualTo("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker)).endsWith("totalIgnored=1 stale=1");
    }

    @Test
    void resilience4j2028_littleTraffic_leavesHalfOpenWithoutATimer() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(10));
        breaker.run(() -> {});

        story.time.advance(LEASE);

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void vellum22509_callThatSkipsTheBreaker_takesNoProbe() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        breaker.mode(Mode.OBSERVE);
        Permit probe = breaker.acquire();
        acquire(breaker, 5).forEach(Permit::ignore);
        breaker.mode(Mode.ENFORCE);
        assertThat(breaker.tryAcquire()).as("the probe's slot is its own").isEmpty();

        probe.ignore();
        assertThat(breaker.acquire().isProbe()).isTrue();
        assertThat(breaker.tryAcquire()).isEmpty();
    }

    @Test
    void failsafe391_completionsInTheWrongState_neitherThrowNorAddPermits() {
        CircuitBreaker breaker = story.breaker().build();
        List<Permit> old = acquire(breaker, 5);
        fail(breaker, 3);
        story.time.advance(WAIT);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);

        for (int round = 0; round < 2; round++) {
            fail(old.get(0));
            old.get(1).success();
            old.get(2).ignore();
            old.get(3).close();
            old.get(4).cancel();
        }

        Permit probe = breaker.acquire();
        assertThat(breaker.tryAcquire()).as("one permit").isEmpty();
        probe.ignore();
        probe.ignore();
        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(breaker.tryAcquire()).as("still one").isEmpty();
        assertThat(breaker.stats().stale()).isEqualTo(5);
    }

    @Test
    void smallrye320_exceptionsCountAlike_closedAndHalfOpen() {
        CircuitBreaker.Builder builder = story.breaker()
                .failureThreshold(100)
                .probes(100)
                .successesToClose(50)
                .recordExceptions(IOException.class, IllegalStateException.class)
                .ignoreExceptions(IllegalArgumentException.class);
        List<Exception> exceptions = List.of(
                new IOException(),
                new IllegalStateException(),
                new IllegalArgumentException(),
                new ArithmeticException(),
                new InterruptedException());
        CircuitBreaker closed = builder.build();
        CircuitBreaker halfOpen = builder.build();
        halfOpen.forceOpen();
        story.time.advance(WAIT);
        for (Exception exception : exceptions) {
            for (CircuitBreaker breaker : List.of(closed, halfOpen)) {
                assertThat(catchThrowable(() -> breaker.run(() -> {
                            throw exception;
                        })))
                        .isSameAs(exception);
            }
        }

        assertThat(halfOpen.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(counts(closed)).isEqualTo("totalSuccesses=1 totalFailures=2 totalIgnored=2");
        assertThat(counts(halfOpen))
                .isEqualTo("totalSuccesses=1 totalFailures=2 timesOpened=1 timesHalfOpened=1 totalIgnored=2");
    }

    @Test
    void akka20029_remainingTime_isWhatRemains() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance("PT4S");

        CallNotPermittedException refused = catchThrowableOfType(CallNotPermittedException.class, breaker::acquire);

        assertThat(refused.retryAfter()).contains(Duration.ofSeconds(6));
        story.time.advance("PT1H");
        assertThat(breaker.timeUntilRetry()).as("never negative").isEmpty();
        assertThat(refused.retryAfter()).contains(Duration.ofSeconds(6));
    }

    @Test
    void resilience4j626_interruptOfTheCaller_isNeitherSwallowedNorCounted() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        InterruptedException interrupted = new InterruptedException("while waiting for the remote");
        Thread.currentThread().interrupt();
        try {
            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw interrupted;
                    })))
                    .isSameAs(interrupted);
            assertThat(breaker.tryAcquire()).as("the permit is back").isPresent();
            assertThat(breaker.tryAcquire()).isEmpty();
        } finally {
            assertThat(Thread.interrupted()).as("the flag").isTrue();
        }
        assertThat(breaker.stats().totalFailures()).isEqualTo(3);
    }

    @Test
    void resilience4j2198_throwingPredicate_completesTheStage_andNullIsASuccess() {
        CircuitBreaker broken = story.breaker()
                .ignoreIf(thrown -> {
                    throw new IllegalStateException("planned");
                })
                .build();
        IOException down = new IOException("down");
        CompletableFuture<Void> future = broken.callAsync(() -> CompletableFuture.failedFuture(down));
        assertThat(future).failsWithin(1, TimeUnit.SECONDS).withThrowableThat().withCause(down);

        CircuitBreaker breaker = story.breaker().build();
        CompletableFuture<Void> nothing = breaker.callAsync(() -> CompletableFuture.completedFuture(null));
        assertThat(nothing).isCompletedWithValue(null);
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1");
    }

    @Test
    void resilience4j497_cancellingTheFuture_cancelsTheCallInside() {
        CircuitBreaker breaker = story.breaker().build();
        CompletableFuture<String> inner = new CompletableFuture<>();

        breaker.callAsync(() -> inner).cancel(true);

        assertThat(inner).isCancelled();
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
    }

    @Test
    void resilience4jD1_lateSuccesses_closeNothing() {
        CircuitBreaker breaker = story.breaker().probes(3).build();
        List<Permit> late = acquire(breaker, 3);
        fail(breaker, 3);
        story.time.advance(WAIT);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);

        late.forEach(Permit::success);

        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.stats().stale()).isEqualTo(3);
    }

    @Test
    void resilience4jD2_lateIgnoredResults_addNoPermits() {
        CircuitBreaker breaker = story.breaker().probes(3).build();
        List<Permit> late = acquire(breaker, 2);
        fail(breaker, 3);
        story.time.advance(WAIT);
        assertThat(acquire(breaker, 3)).allMatch(Permit::isProbe);

        late.forEach(Permit::ignore);

        assertThat(breaker.tryAcquire()).isEmpty();
    }

    @Test
    void resilience4jD3_errorsInHalfOpen_areFailures_notLostPermits() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(1));
        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw new StackOverflowError("planned");
                })))
                .isInstanceOf(StackOverflowError.class);
        assertThat(breaker.callAsync(() -> CompletableFuture.failedFuture(new OutOfMemoryError("planned"))))
                .isCompletedExceptionally();
        assertThat(breaker.callAsync(() -> {
                    throw new LinkageError("planned");
                }))
                .isCompletedExceptionally();

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
        story.time.advance(WAIT);
        breaker.run(() -> {});
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void resilience4jD4_cancelledProbes_giveTheirPermitsBack() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3));
        List<CompletableFuture<String>> futures = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            futures.add(breaker.callAsync(CompletableFuture::new));
        }

        futures.forEach(future -> future.cancel(true));

        acquire(breaker, 3).forEach(Permit::success);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void resilience4jD5_throwingRecordPredicate_replacesNoException() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().recordIf(thrown -> {
            throw new IllegalStateException("planned");
        }));
        IOException down = new IOException("down");

        assertThat(catchThrowable(() -> breaker.run(() -> {
                    throw down;
                })))
                .isSameAs(down);

        assertThat(story.history()).containsExactly("10s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void resilience4jD7_wallClockSetBackAnHour_delaysNothing() {
        AtomicReference<Instant> wall = new AtomicReference<>(Instant.parse("2026-10-25T03:00:00Z"));
        CircuitBreaker breaker = story.open(
                story.breaker().recoveryTimeout(Duration.ofSeconds(1)).clock(wall::get));

        wall.set(Instant.parse("2026-10-25T02:00:00Z"));
        story.time.advance("PT1S");

        assertThat(breaker.tryAcquire()).isPresent();
    }

    @Test
    void resilience4jD9_resetInHalfOpen_leavesNoTimerBehind() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        assertThat(breaker.acquire().isProbe()).isTrue();
        breaker.reset();

        for (int i = 0; i < 100; i++) {
            story.time.advance(LEASE);
            breaker.run(() -> {});
        }

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED RESET");
    }

    @Test
    void resilience4jD11_resultRule_isAskedAboutNull() {
        List<@Nullable Object> asked = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .failOnResult(result -> {
                    asked.add(result);
                    return result == null;
                })
                .build();

        Object answer = breaker.call(() -> null);
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(null)))
                .isCompletedWithValue(null);

        assertThat(answer).isNull();
        assertThat(asked).containsExactly(null, null);
        assertThat(counts(breaker)).isEqualTo("totalFailures=2 consecutiveFailures=2");
    }
}
