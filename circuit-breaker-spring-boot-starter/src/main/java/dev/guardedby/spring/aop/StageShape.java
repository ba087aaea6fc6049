package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.aop.Fallback.Choice;
import dev.guardedby.spring.models.ModelRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** A method that returns a stage, which ends later. */
@SuppressWarnings("FutureReturnValueIgnored") // it goes to the caller
final class StageShape implements Shape {

    @Override
    @SuppressWarnings("NullAway") // a stage that is null is the breaker's to count
    public @Nullable Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request) {
        return breaker.callAsyncFor(
                method.estimate(request),
                permit -> stage(method, new GuardedCall(method, invocation, breaker, permit)));
    }

    @SuppressWarnings("unchecked") // the shape says so
    private static @Nullable CompletionStage<@Nullable Object> stage(GuardedMethod method, GuardedCall call) {
        CompletionStage<@Nullable Object> stage;
        try {
            stage = (CompletionStage<@Nullable Object>) call.proceed();
        } catch (Throwable thrown) {
            // What the breaker calls declares no exception, and it hands on whatever comes.
            throw Shape.sneak(thrown);
        }
        if (stage == null || !(method.readsResult() || method.learns())) {
            return stage;
        }
        LinkedFuture<@Nullable Object> afterwards = new LinkedFuture<>(stage);
        stage.whenComplete((result, failure) -> {
            if (failure == null) {
                call.returned(result);
            }
            afterwards.end(result, failure);
        });
        return afterwards;
    }

    @Override
    @SuppressWarnings("unchecked") // the shape says so
    public @Nullable Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked) {
        CompletionStage<@Nullable Object> first;
        try {
            if (asked != null) {
                asked.checkPermitted();
            }
            first = (CompletionStage<@Nullable Object>) invocation.proceed();
        } catch (Throwable thrown) {
            first = CompletableFuture.failedFuture(thrown);
        }
        if (first == null || (first instanceof CompletableFuture<?> future && hasSucceeded(future))) {
            return first;
        }
        LinkedFuture<@Nullable Object> answer = new LinkedFuture<>(first);
        first.whenComplete((result, failure) -> {
            if (failure == null || answer.isDone()) {
                answer.end(result, failure);
                return;
            }
            Throwable primary = LinkedFuture.unwrapped(failure);
            try {
                Choice choice = fallback.choose(method, primary);
                if (choice == null) {
                    answer.end(result, primary);
                } else {
                    follow(answer, choice, invocation, primary);
                }
            } catch (Throwable thrown) {
                // Nobody sees what comes out of here, and somebody waits.
                answer.completeExceptionally(thrown);
            }
        });
        return answer;
    }

    private static boolean hasSucceeded(CompletableFuture<?> future) {
        return future.isDone() && !future.isCompletedExceptionally();
    }

    @SuppressWarnings("unchecked") // what a fallback returns is assignable to what the method does
    private static void follow(
            LinkedFuture<@Nullable Object> answer, Choice choice, MethodInvocation invocation, Throwable primary)
            throws Throwable {
        CompletionStage<@Nullable Object> second =
                (CompletionStage<@Nullable Object>) choice.answer(invocation, primary);
        if (second == null) {
            throw Fallback.suppress(primary, new NullPointerException("the fallback returned null instead of a stage"));
        }
        answer.await(second);
        second.whenComplete((result, failure) -> answer.end(
                result, failure == null ? null : Fallback.suppress(primary, LinkedFuture.unwrapped(failure))));
    }

    @Override
    public Object failed(Throwable reason) {
        return CompletableFuture.failedFuture(reason);
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return breaker.outcomeOfStage(thrown);
    }
}
