package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Futures of guarded calls: how they complete, and how they count. */
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
