package dev.guardedby.circuitbreaker;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The future of a guarded call whose permit is yet to come: it becomes what the {@link GuardedFuture} of the call becomes. Who
 * ends it before the permit is there prevents the call; afterwards, what is done to it is done to the call.
 */
final class AwaitedFuture<T extends @Nullable Object> extends CompletableFuture<T> {
    private AwaitedFuture() {}

    static <T extends @Nullable Object> CompletableFuture<T> of(
            CompletableFuture<Permit> admission, Function<Permit, CompletableFuture<T>> start) {
        AwaitedFuture<T> future = new AwaitedFuture<>();
        @Nullable Scope inside = Scope.current().orElse(null);
        CompletableFuture<Permit> unused = admission.whenComplete((permit, refused) -> {
            if (refused != null) {
                future.completeExceptionally(Stages.cause(refused));
            } else {
                future.begin(permit, inside, start);
            }
        });
        // A permit that nobody wants any more goes back by itself.
        CompletableFuture<T> unusedEnd = future.whenComplete((result, failure) -> admission.cancel(false));
        return future;
    }

    private void begin(Permit permit, @Nullable Scope inside, Function<Permit, CompletableFuture<T>> start) {
        if (isDone()) {
            permit.ignore();
            return;
        }
        CompletableFuture<T> call;
        // The ledger answers in a thread of its own: what is called there is still made by who asked.
        Scope scope = inside == null ? Scope.outside() : inside.attach();
        try {
            call = start.apply(permit);
        } finally {
            scope.close();
        }
        CompletableFuture<T> unusedThere = call.whenComplete((result, failure) -> {
            if (failure == null) {
                complete(result);
            } else {
                completeExceptionally(Stages.cause(failure));
            }
        });
        CompletableFuture<T> unusedBack = whenComplete((result, failure) -> {
            if (failure instanceof TimeoutException) {
                call.completeExceptionally(failure);
            } else {
                call.cancel(true);
            }
        });
    }
}
