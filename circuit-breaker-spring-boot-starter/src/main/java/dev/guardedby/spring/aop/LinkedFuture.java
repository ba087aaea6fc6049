package dev.guardedby.spring.aop;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A future that stands before another stage and must not cut it off: whoever cancels it, or ends it by a timeout, does the
 * same to the stage that it is waiting for.
 */
final class LinkedFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private volatile CompletionStage<T> awaited;

    @SuppressWarnings("FutureReturnValueIgnored") // the same future's own end, seen from inside
    LinkedFuture(CompletionStage<T> awaited) {
        this.awaited = awaited;
        whenComplete((result, failure) -> passOn(failure));
    }

    /** Waits for another stage from now on. */
    void await(CompletionStage<T> next) {
        awaited = next;
        if (isDone()) {
            // Somebody ended this future in between, when the stage before was still the one to tell.
            passOn(null);
        }
    }

    /** Ends as the stage did. */
    void end(T result, @Nullable Throwable failure) {
        if (failure == null) {
            complete(result);
        } else {
            completeExceptionally(unwrapped(failure));
        }
    }

    /** What really happened: dependent stages wrap it. */
    static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
        return cause == null ? failure : cause;
    }

    // A stage that has ended takes no notice.
    private void passOn(@Nullable Throwable failure) {
        CompletionStage<T> stage = awaited;
        if (stage instanceof CompletableFuture<?> future && failure instanceof TimeoutException) {
            future.completeExceptionally(failure);
        } else if (stage instanceof Future<?> future) {
            future.cancel(true);
        } else {
            try {
                stage.toCompletableFuture().cancel(true);
            } catch (UnsupportedOperationException e) {
                // A stage is allowed to offer no future: then there is nothing to cancel.
            }
        }
    }
}
