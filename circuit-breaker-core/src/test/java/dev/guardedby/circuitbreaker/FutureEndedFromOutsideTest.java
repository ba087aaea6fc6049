package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Futures of guarded calls that somebody else than the remote ends: how that counts, and what becomes of the stage. */
final class FutureEndedFromOutsideTest {
    private final Story story = new Story();
    private final CircuitBreaker breaker = story.breaker().build();
    private final CompletableFuture<String> stage = new CompletableFuture<>();

    /** What a future completed with, as its own dependents see it: no wrapper of the JDK in between. */
    private static @Nullable Throwable failureOf(CompletableFuture<?> future) {
        AtomicReference<Throwable> seen = new AtomicReference<>();
        CompletableFuture<?> unused = future.whenComplete((result, failure) -> seen.set(failure));
        assertThat(future).isDone();
        return seen.get();
    }

    @Test
    void cancellingTheFuture_isIgnored_andCancelsTheStage() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage);

        assertThat(future.cancel(true)).isTrue();

        assertThat(stage).isCancelled();
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
    }

    @Test
    void cancellationOfTheStageByItsOwner_isAFailure() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage);

        stage.cancel(true);

        assertThat(failureOf(future)).isInstanceOf(CancellationException.class);
        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }

    @Test
    void completingTheFutureFromOutside_isIgnored_andCancelsTheStage() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage);

        assertThat(future.complete("from the cache")).isTrue();

        assertThat(future).isCompletedWithValue("from the cache");
        assertThat(stage).isCancelled();
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
    }

    @Test
    void failingTheFutureFromOutside_isIgnored_exceptForATimeout() {
        CompletableFuture<String> failed = breaker.callAsync(() -> stage);
        failed.completeExceptionally(new IOException("the caller's own"));
        assertThat(stage).isCancelled();
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");

        CompletableFuture<String> second = new CompletableFuture<>();
        CompletableFuture<String> timedOut = breaker.callAsync(() -> second);
        TimeoutException timeout = new TimeoutException();
        timedOut.completeExceptionally(timeout);

        assertThat(second).isCancelled();
        assertThat(failureOf(timedOut)).isSameAs(timeout);
        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1 totalIgnored=1");
    }

    @Test
    void orTimeout_isAFailure_andCancelsTheStage() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage).orTimeout(1, TimeUnit.MILLISECONDS);

        assertThat(future.handle((result, failure) -> failure).join()).isInstanceOf(TimeoutException.class);
        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
        assertThat(stage.handle((result, failure) -> failure).join()).isInstanceOf(CancellationException.class);
    }

    @Test
    void completeOnTimeout_isIgnored_andCancelsTheStage() {
        CompletableFuture<String> future =
                breaker.callAsync(() -> stage).completeOnTimeout("substitute", 1, TimeUnit.MILLISECONDS);

        assertThat(future.join()).isEqualTo("substitute");
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
        assertThat(stage.handle((result, failure) -> failure).join()).isInstanceOf(CancellationException.class);
    }

    @Test
    void completeAsync_isIgnored_andCancelsTheStage() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage).completeAsync(() -> "substitute");

        assertThat(future.join()).isEqualTo("substitute");
        assertThat(stage.handle((result, failure) -> failure).join()).isInstanceOf(CancellationException.class);
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
    }

    @Test
    void whoeverWaitsForAFutureEndedFromOutside_findsItCounted_andItsSlotFree() {
        List<String> seen = new ArrayList<>();
        CompletableFuture<String> timedOut = breaker.callAsync(() -> stage);
        CompletableFuture<?> unused = timedOut.whenComplete((result, failure) -> seen.add(counts(breaker)));
        timedOut.completeExceptionally(new TimeoutException());
        assertThat(seen).containsExactly("totalFailures=1 consecutiveFailures=1");

        CircuitBreaker probed = story.halfOpen(story.breaker());
        CompletableFuture<String> cancelled = probed.callAsync(CompletableFuture::new);
        CompletableFuture<Boolean> next =
                cancelled.handle((result, failure) -> probed.tryAcquire().isPresent());
        cancelled.cancel(true);
        assertThat(next).isCompletedWithValue(true);

        CircuitBreaker completed = story.halfOpen(story.breaker());
        CompletableFuture<String> replaced = completed.callAsync(CompletableFuture::new);
        next = replaced.handle((result, failure) -> completed.tryAcquire().isPresent());
        replaced.complete("from the cache");
        assertThat(next).isCompletedWithValue(true);
    }

    @Test
    void rulesAreNotAsked_aboutTheStageThatTheCallersChoiceCancelled() {
        List<Throwable> asked = new ArrayList<>();
        CircuitBreaker asking =
                story.breaker().ignoreIf(thrown -> !asked.add(thrown)).build();

        asking.callAsync(() -> stage).cancel(true);

        assertThat(stage).isCancelled();
        assertThat(asked).isEmpty();
    }

    @Test
    void timeout_isNoAnswer_whateverTheRecordRules_butMayBeIgnored() {
        CircuitBreaker recording =
                story.breaker().recordExceptions(IOException.class).build();
        CircuitBreaker ignoring =
                story.breaker().ignoreExceptions(TimeoutException.class).build();

        recording.callAsync(CompletableFuture::new).completeExceptionally(new TimeoutException());
        ignoring.callAsync(CompletableFuture::new).completeExceptionally(new TimeoutException());

        assertThat(counts(recording)).isEqualTo("totalFailures=1 consecutiveFailures=1");
        assertThat(counts(ignoring)).isEqualTo("totalIgnored=1");
    }

    @Test
    void whatComesAfterTheEnd_changesNothing() {
        CompletableFuture<String> future = breaker.callAsync(() -> stage);
        stage.complete("answer");

        assertThat(future.cancel(true)).isFalse();
        assertThat(future.complete("other")).isFalse();
        assertThat(future.completeExceptionally(new TimeoutException())).isFalse();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1");

        CompletableFuture<String> second = new CompletableFuture<>();
        CompletableFuture<String> cancelled = breaker.callAsync(() -> second.handle((answer, failure) -> "late"));
        cancelled.cancel(true);
        second.complete("answer");
        assertThat(cancelled).isCancelled();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalIgnored=1");
    }

    @Test
    void stageWithoutAFuture_isGuardedToo() {
        CompletableFuture<String> future = breaker.callAsync(() -> stageOnly(stage, false));
        stage.complete("answer");
        assertThat(future).isCompletedWithValue("answer");

        CompletableFuture<String> other = new CompletableFuture<>();
        CompletableFuture<String> cancelled = breaker.callAsync(() -> stageOnly(other, false));
        assertThat(cancelled.cancel(true)).isTrue();
        assertThat(other).as("nobody can reach it").isNotDone();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalIgnored=1");
    }

    @Test
    void stageThatIsNoFuture_isCancelledThroughTheOneItOffers() {
        CompletableFuture<String> future = breaker.callAsync(() -> stageOnly(stage, true));

        assertThat(future.cancel(true)).isTrue();
        assertThat(stage).isCancelled();
    }

    /** The future as a stage that is no future, and that offers it or not. */
    @SuppressWarnings("unchecked")
    private static CompletionStage<String> stageOnly(CompletableFuture<String> future, boolean convertible) {
        return (CompletionStage<String>) Proxy.newProxyInstance(
                FutureEndedFromOutsideTest.class.getClassLoader(),
                new Class<?>[] {CompletionStage.class},
                (proxy, method, args) -> {
                    if (method.getName().equals("toCompletableFuture") && !convertible) {
                        throw new UnsupportedOperationException("no future");
                    }
                    try {
                        return method.invoke(future, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
