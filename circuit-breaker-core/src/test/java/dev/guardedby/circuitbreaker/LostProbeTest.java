package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nothing keeps a probe's slot for ever. */
final class LostProbeTest {
    private final Story story = new Story();

    private CircuitBreaker.Builder builder() {
        return story.breaker().ignoreExceptions(IllegalArgumentException.class, RejectedExecutionException.class);
    }

    private static void callAndCatch(CircuitBreaker breaker, Callable<?> remote) {
        Throwable seen = catchThrowable(() -> breaker.call(remote::call));
        assertThat(seen).isNotNull();
    }

    private static Callable<?> throwing(Exception exception) {
        return () -> {
            throw exception;
        };
    }

    private static CallNotPermittedException refusalOfAnother() {
        CircuitBreaker other = CircuitBreaker.of("other");
        other.holdOpen();
        return (CallNotPermittedException) catchThrowable(other::acquire);
    }

    static Stream<Named<Consumer<CircuitBreaker>>> waysToSayNothing() {
        return Stream.of(
                Named.of(
                        "ignored exception",
                        breaker -> callAndCatch(breaker, throwing(new IllegalArgumentException()))),
                Named.of(
                        "ignored exception on a permit",
                        breaker -> breaker.acquire().failure(new IllegalArgumentException())),
                Named.of("ignored exception of a stage", breaker -> {
                    CompletableFuture<Object> stage = new CompletableFuture<>();
                    CompletableFuture<Object> future = breaker.callAsync(() -> stage);
                    stage.completeExceptionally(new CompletionException(new IllegalArgumentException()));
                    assertThat(future).isCompletedExceptionally();
                }),
                Named.of(
                        "full executor",
                        breaker -> assertThat(breaker.callAsync(() -> CompletableFuture.runAsync(() -> {}, task -> {
                                    throw new RejectedExecutionException();
                                })))
                                .isCompletedExceptionally()),
                Named.of("unreported permit", breaker -> {
                    try (Permit permit = breaker.acquire()) {
                        assertThat(permit.isProbe()).isTrue();
                    }
                }),
                Named.of("given up", breaker -> breaker.acquire().cancel()),
                Named.of(
                        "cancelled future",
                        breaker -> assertThat(breaker.callAsync(CompletableFuture::new)
                                        .cancel(true))
                                .isTrue()),
                Named.of(
                        "future completed from outside",
                        breaker -> assertThat(breaker.callAsync(CompletableFuture::new)
                                        .complete("cached"))
                                .isTrue()),
                Named.of(
                        "future failed from outside",
                        breaker -> assertThat(breaker.callAsync(CompletableFuture::new)
                                        .completeExceptionally(new IOException("not the remote's")))
                                .isTrue()),
                Named.of("interrupted caller", breaker -> callAndCatch(breaker, throwing(new InterruptedException()))),
                Named.of("refusal of another breaker", breaker -> callAndCatch(breaker, throwing(refusalOfAnother()))),
                Named.of(
                        "refusal of another breaker in a wrapper",
                        breaker -> callAndCatch(breaker, throwing(new ExecutionException(refusalOfAnother())))),
                Named.of("refusal by this breaker on another thread", breaker -> {
                    CompletableFuture<Object> future =
                            breaker.callAsync(() -> CompletableFuture.supplyAsync(() -> breaker.call(() -> "never")));
                    assertThat(catchThrowable(future::join)).hasCauseInstanceOf(CallNotPermittedException.class);
                }),
                Named.of(
                        "refusal of a Resilience4j breaker",
                        breaker -> callAndCatch(
                                breaker,
                                throwing(new io.github.resilience4j.circuitbreaker.CallNotPermittedException()))),
                Named.of(
                        "refusal of a Resilience4j bulkhead",
                        breaker -> callAndCatch(
                                breaker, throwing(new io.github.resilience4j.bulkhead.BulkheadFullException()))),
                Named.of(
                        "refusal of a Resilience4j rate limiter",
                        breaker -> callAndCatch(
                                breaker, throwing(new io.github.resilience4j.ratelimiter.RequestNotPermitted()))));
    }

    @ParameterizedTest
    @MethodSource("waysToSayNothing")
    void probeThatSaysNothing_givesItsSlotBackAtOnce(Consumer<CircuitBreaker> way) {
        CircuitBreaker breaker = story.halfOpen(builder());

        for (int i = 0; i < 100; i++) {
            way.accept(breaker);
            assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        }
        assertThat(breaker.stats().totalIgnored()).isGreaterThanOrEqualTo(100);
        assertThat(breaker.stats().totalFailures()).as("those of the trip").isEqualTo(3);
        breaker.run(() -> {});

        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    static Stream<Named<Consumer<CircuitBreaker>>> waysToFail() {
        return Stream.of(
                Named.of("Error", breaker -> {
                    Throwable seen = catchThrowable(() -> breaker.run(() -> {
                        throw new OutOfMemoryError("planned");
                    }));
                    assertThat(seen).isInstanceOf(OutOfMemoryError.class);
                }),
                Named.of(
                        "Error of a stage",
                        breaker -> assertThat(breaker.callAsync(
                                        () -> CompletableFuture.failedFuture(new StackOverflowError("planned"))))
                                .isCompletedExceptionally()),
                Named.of(
                        "Error of the supplier",
                        breaker -> assertThat(breaker.callAsync(() -> {
                                    throw new AssertionError("planned");
                                }))
                                .isCompletedExceptionally()),
                Named.of(
                        "null instead of a stage",
                        breaker -> assertThat(breaker.callAsync(() -> null)).isCompletedExceptionally()),
                Named.of(
                        "timeout",
                        breaker -> assertThat(breaker.callAsync(CompletableFuture::new)
                                        .completeExceptionally(new TimeoutException()))
                                .isTrue()),
                Named.of("cancelled stage", breaker -> {
                    CompletableFuture<Object> stage = new CompletableFuture<>();
                    CompletableFuture<Object> future = breaker.callAsync(() -> stage);
                    stage.cancel(true);
                    assertThat(future).isCancelled();
                }),
                Named.of(
                        "throwing exception rule",
                        breaker ->
                                callAndCatch(breaker, throwing(new UnsupportedOperationException("breaks the rule")))),
                Named.of("throwing result rule", breaker -> {
                    String result = breaker.call(() -> "breaks the rule");
                    assertThat(result).isEqualTo("breaks the rule");
                }));
    }

    @ParameterizedTest
    @MethodSource("waysToFail")
    void probeThatFails_decides_andTheNextWaitBringsANewOne(Consumer<CircuitBreaker> way) {
        CircuitBreaker breaker = story.halfOpen(builder()
                .ignoreIf(thrown -> {
                    if (thrown instanceof UnsupportedOperationException) {
                        throw new IllegalStateException("planned");
                    }
                    return false;
                })
                .failOnResult(result -> {
                    if ("breaks the rule".equals(result)) {
                        throw new IllegalStateException("planned");
                    }
                    return false;
                }));

        way.accept(breaker);
        story.time.advance(WAIT);
        breaker.run(() -> {});

        assertThat(story.history())
                .containsExactly(
                        "10s HALF_OPEN>OPEN PROBES_FAILED",
                        "20s OPEN>HALF_OPEN WAIT_OVER",
                        "20s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    static Stream<Named<Consumer<CircuitBreaker>>> waysToVanish() {
        return Stream.of(
                Named.of(
                        "permit forgotten",
                        breaker -> assertThat(breaker.acquire().isProbe()).isTrue()),
                Named.of(
                        "asker that never reports",
                        breaker -> assertThat(breaker.canExecute()).isTrue()),
                Named.of(
                        "lost callback",
                        breaker -> assertThat(breaker.callAsync(CompletableFuture::new))
                                .isNotDone()),
                Named.of("dead thread", breaker -> {
                    Thread mortal = new Thread(breaker::acquire);
                    mortal.start();
                    joinUninterruptibly(mortal);
                }));
    }

    private static void joinUninterruptibly(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("waysToVanish")
    void probeThatVanishes_isReplacedWhenItsLeaseIsOver(Consumer<CircuitBreaker> way) {
        CircuitBreaker breaker = story.halfOpen(builder());

        for (int i = 0; i < 5; i++) {
            way.accept(breaker);
            story.time.advance(LEASE.minusNanos(1));
            assertThat(breaker.tryAcquire()).isEmpty();
            story.time.advance("PT0.000000001S");
        }
        breaker.run(() -> {});

        assertThat(story.history()).containsExactly("310s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void hungCall_isReplaced_andItsLateReturnChangesNothing() {
        CircuitBreaker breaker = story.halfOpen(builder());
        CompletableFuture<Void> entered = new CompletableFuture<>();
        CompletableFuture<String> answer = new CompletableFuture<>();
        CompletableFuture<String> hung = CompletableFuture.supplyAsync(() -> breaker.call(() -> {
            entered.complete(null);
            return answer.join();
        }));
        entered.join();

        story.time.advance(LEASE);
        Permit heir = breaker.acquire();
        answer.completeExceptionally(new IOException("gave up at last"));
        assertThat(catchThrowable(hung::join)).hasRootCauseMessage("gave up at last");
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        heir.success();

        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(Story.counts(breaker)).endsWith("late=1");
    }
}
