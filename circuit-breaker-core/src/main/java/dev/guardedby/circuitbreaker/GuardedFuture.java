package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The future of a guarded call: reports its permit, whoever ends it.
 *
 * <p>Either the call ends, and its stage completes this future, or somebody outside completes this future first: a timeout
 * is the remote's failure, anything else is the caller's choice and says nothing, and in both cases the stage is cancelled.
 */
final class GuardedFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private final Permit permit;
    private volatile boolean stageEnded;

    private GuardedFuture(Permit permit) {
        this.permit = permit;
    }

    static <T extends @Nullable Object> CompletableFuture<T> start(
            CircuitBreaker breaker, Estimate hold, Function<? super Permit, ? extends CompletionStage<T>> call) {
        CompletableFuture<Permit> admission =
                Admission.later(breaker.engine(), hold).toCompletableFuture();
        if (!admission.isDone()) {
            return AwaitedFuture.of(admission, permit -> start(permit, call));
        }
        try {
            return start(admission.join(), call);
        } catch (CompletionException refused) {
            return failedFuture(Stages.cause(refused));
        }
    }

    private static <T extends @Nullable Object> CompletableFuture<T> start(
            Permit permit, Function<? super Permit, ? extends CompletionStage<T>> call) {
        try {
            @Nullable CompletionStage<T> stage = callInside(permit, call);
            if (stage == null) {
                permit.report(Verdict.FAILURE, null, false);
                return failedFuture(new NullPointerException("the guarded call returned null instead of a stage"));
            }
            GuardedFuture<T> future = new GuardedFuture<>(permit);
            stage.whenComplete(future::stageEnded);
            CompletableFuture<T> unused = future.whenComplete((result, failure) -> future.ended(stage, failure));
            return future;
        } catch (Throwable thrown) {
            permit.failure(thrown);
            return failedFuture(thrown);
        }
    }

    private static <T extends @Nullable Object> @Nullable CompletionStage<T> callInside(
            Permit permit, Function<? super Permit, ? extends CompletionStage<T>> call) {
        Scope scope = permit.isToAttach() ? permit.attach() : null;
        try {
            return call.apply(permit);
        } finally {
            if (scope != null) {
                scope.close();
            }
        }
    }

    // However it ends, the permit is reported before the future completes: whoever waits for it,
    // or hangs a retry on it, finds the call counted and its slot free.

    private void stageEnded(T result, @Nullable Throwable failure) {
        stageEnded = true;
        if (failure == null) {
            permit.success(result);
            super.complete(result);
        } else {
            // A dependent stage wraps what the remote threw; our caller gets the remote's own exception.
            Throwable cause = failure instanceof CompletionException ? OutcomeRules.cause(failure) : null;
            Throwable thrown = cause == null ? failure : cause;
            permit.failureAsync(thrown);
            super.completeExceptionally(thrown);
        }
    }

    @Override
    public boolean complete(T result) {
        reportFromOutside(null);
        return super.complete(result);
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        reportFromOutside(Objects.requireNonNull(failure, "failure"));
        return super.completeExceptionally(failure);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        reportFromOutside(null);
        return super.cancel(mayInterruptIfRunning);
    }

    private void reportFromOutside(@Nullable Throwable failure) {
        if (failure instanceof TimeoutException timeout) {
            permit.timedOut(timeout);
        } else {
            permit.report(Verdict.IGNORED, failure, true);
        }
    }

    private void ended(CompletionStage<T> stage, @Nullable Throwable failure) {
        if (!stageEnded) {
            // Reported already, unless by a way that passes the methods above, such as completeAsync.
            reportFromOutside(failure);
            cancel(stage);
        }
    }

    private static void cancel(CompletionStage<?> stage) {
        if (stage instanceof Future<?> future) {
            future.cancel(true);
            return;
        }
        try {
            stage.toCompletableFuture().cancel(true);
        } catch (UnsupportedOperationException e) {
            // A stage is allowed to offer no future: then there is nothing to cancel.
        }
    }
}
