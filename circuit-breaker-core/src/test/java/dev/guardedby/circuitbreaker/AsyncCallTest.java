package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Futures of guarded calls: how they complete, how they count, and what becomes of the stage inside. */
final class AsyncCallTest {
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
    void call_isCountedWhenItsStageEnds_beforeItsFutureDoes() {
        List<String> seen = new ArrayList<>();
        CompletableFuture<String> future = breaker.callAsync(() -> stage);
        CompletableFuture<Void> dependent = future.thenAccept(answer -> seen.add(answer + ": " + counts(breaker)));
        assertThat(counts(breaker)).as("in flight").isEmpty();
        assertThat(future).isNotDone();

        stage.complete("answer");

        assertThat(dependent).isCompleted();
        assertThat(seen).containsExactly("answer: totalSuccesses=1");
    }

    @Test
    void stageThatEndedBefore_completesTheFutureAtOnce() {
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture("answer")))
                .isCompletedWithValue("answer");
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(null)))
                .isCompletedWithValue(null);
        IOException down = new IOException("down");
        assertThat(failureOf(breaker.callAsync(() -> CompletableFuture.failedFuture(down))))
                .isSameAs(down);

        assertThat(counts(breaker)).isEqualTo("totalSuccesses=2 totalFailures=1 consecutiveFailures=1");
    }

    @Test
    void future_failsWithTheVeryExceptionOfTheRemote() {
        CircuitBreaker patient = story.breaker().failureThreshold(100).build();
        IOException down = new IOException("down");
        CompletableFuture<String> direct = patient.callAsync(() -> stage);
        CompletableFuture<Integer> dependent = patient.callAsync(() -> stage.thenApply(String::length));
        CompletableFuture<Integer> deeper =
                patient.callAsync(() -> stage.thenApply(String::length).thenApply(length -> length + 1));
        CompletableFuture<String> wrapped =
                patient.callAsync(() -> CompletableFuture.failedFuture(new CompletionException(down)));

        stage.completeExceptionally(down);

        assertThat(failureOf(direct)).isSameAs(down);
        assertThat(failureOf(dependent)).isSameAs(down);
        assertThat(failureOf(deeper)).isSameAs(down);
        assertThat(failureOf(wrapped)).isSameAs(down);
        CompletionException empty = new CompletionException(null);
        assertThat(failureOf(patient.callAsync(() -> CompletableFuture.failedFuture(empty))))
                .isSameAs(empty);
        assertThat(counts(patient)).isEqualTo("totalFailures=5 consecutiveFailures=5");
    }

    @Test
    void exceptionThrownInsideAStage_reachesTheCallerUnwrapped() {
        IllegalStateException broken = new IllegalStateException("broken");

        CompletableFuture<Object> future = breaker.callAsync(() -> CompletableFuture.supplyAsync(() -> {
            throw broken;
        }));

        assertThat(future.handle((result, failure) -> failure).join()).isSameAs(broken);
    }

    @Test
    void refusal_isAFailedFuture_andNothingIsCalled() {
        breaker.holdOpen();
        List<String> called = new ArrayList<>();

        CompletableFuture<String> future = breaker.callAsync(() -> {
            called.add("called");
            return stage;
        });

        assertThat(failureOf(future))
                .isInstanceOf(CallNotPermittedException.class)
                .hasMessage("Circuit breaker 'llm' is held open by an operator");
        assertThat(called).isEmpty();
        assertThat(counts(breaker)).isEqualTo("timesOpened=1 totalRejected=1");
    }

    @Test
    void throwingSupplier_isAFailedFutureWithThatVeryObject() {
        for (Throwable thrown : List.of(new IllegalStateException(), new IOException(), new StackOverflowError())) {
            CircuitBreaker fresh = story.breaker().build();

            CompletableFuture<String> future = fresh.callAsync(() -> sneak(thrown));

            assertThat(failureOf(future)).isSameAs(thrown);
            assertThat(counts(fresh)).isEqualTo("totalFailures=1 consecutiveFailures=1");
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T, X extends Throwable> T sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    @Test
    void nullStage_isAFailure() {
        CompletableFuture<String> future = breaker.callAsync(() -> null);

        assertThat(failureOf(future))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("the guarded call returned null instead of a stage");
        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }

    @Test
    void missingArguments_areTheOnlyThingThatIsThrown() {
        assertThatNullPointerException()
                .isThrownBy(() -> breaker.callAsync(null))
                .withMessage("call");
        assertThatNullPointerException()
                .isThrownBy(() -> breaker.callAsync(Cost.ZERO, null))
                .withMessage("call");
        assertThatNullPointerException()
                .isThrownBy(() -> breaker.callAsync(null, permit -> stage))
                .withMessage("hold");
        assertThat(counts(breaker)).isEmpty();
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
                AsyncCallTest.class.getClassLoader(), new Class<?>[] {CompletionStage.class}, (proxy, method, args) -> {
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

    @Test
    void stageThatCannotBeListenedTo_isAFailure() {
        CompletionStage<String> broken = brokenStage();

        CompletableFuture<String> future = breaker.callAsync(() -> broken);

        assertThat(failureOf(future)).hasMessage("planned");
        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }

    @SuppressWarnings("unchecked")
    private static CompletionStage<String> brokenStage() {
        return (CompletionStage<String>) Proxy.newProxyInstance(
                AsyncCallTest.class.getClassLoader(), new Class<?>[] {CompletionStage.class}, (proxy, method, args) -> {
                    throw new IllegalStateException("planned");
                });
    }

    @Test
    void resultRules_judgeTheStagesResult_andTheFutureGetsIt() {
        CircuitBreaker judging = story.breaker()
                .failOnResult(result -> {
                    if (result == null) {
                        throw new IllegalStateException("a broken rule");
                    }
                    return result.equals("overloaded");
                })
                .build();

        assertThat(judging.callAsync(() -> CompletableFuture.completedFuture("overloaded")))
                .isCompletedWithValue("overloaded");
        assertThat(judging.callAsync(() -> CompletableFuture.completedFuture(null)))
                .isCompletedWithValue(null);
        assertThat(counts(judging)).isEqualTo("totalFailures=2 consecutiveFailures=2");

        assertThat(judging.callAsync(() -> CompletableFuture.completedFuture("fine")))
                .isCompletedWithValue("fine");
        assertThat(counts(judging)).isEqualTo("totalSuccesses=1 totalFailures=2");
    }

    @Test
    void permitOfTheCall_booksCosts_andMayReportByItself() {
        CompletableFuture<String> future = breaker.callAsync(Cost.usd("0.10"), permit -> {
            permit.recordCost(Cost.usd("0.04"));
            return stage.whenComplete((answer, failure) -> permit.ignore());
        });

        stage.complete("answer");

        assertThat(future).isCompletedWithValue("answer");
        assertThat(counts(breaker)).isEqualTo("totalIgnored=1");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualTo("0.04");
    }

    @Test
    void outage_isCutOffAndOver() {
        for (int i = 0; i < 3; i++) {
            assertThat(breaker.callAsync(() -> CompletableFuture.failedFuture(new IOException("down"))))
                    .isCompletedExceptionally();
        }
        assertThat(breaker.callAsync(() -> stage)).isCompletedExceptionally();
        story.time.advance("PT10S");
        CompletableFuture<String> probe = breaker.callAsync(() -> stage);
        assertThat(breaker.callAsync(() -> stage)).as("one probe").isCompletedExceptionally();
        stage.complete("back");

        assertThat(probe).isCompletedWithValue("back");
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo(
                        "totalSuccesses=1 totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1 totalRejected=2");
    }
}
