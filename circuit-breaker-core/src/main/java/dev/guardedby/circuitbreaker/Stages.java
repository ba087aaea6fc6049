package dev.guardedby.circuitbreaker;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** The answers of a ledger, which are there at once or come later. */
final class Stages {
    private Stages() {}

    /**
     * Waits for an answer, if it is not there yet.
     *
     * @throws Exception what the ledger failed with; InterruptedException with the flag set
     */
    static <T> T await(CompletionStage<T> stage) throws Exception {
        try {
            return stage.toCompletableFuture().get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw interrupted;
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof Exception cause ? cause : failed;
        }
    }

    /** Does something with an answer when it is there, and logs if none comes; throws what that does, if the answer is there already. */
    static <T> void then(CompletionStage<T> stage, Consumer<T> next, String lost) {
        if (stage instanceof CompletableFuture<T> future && future.isDone() && !future.isCompletedExceptionally()) {
            next.accept(future.join());
            return;
        }
        CompletionStage<T> unused = stage.whenComplete((answer, failure) -> {
            if (failure != null) {
                Deliveries.warn(lost, cause(failure));
            } else {
                next.accept(answer);
            }
        });
    }

    /** What the wrapper holds that a dependent stage fails with, or who waits for one. */
    static Throwable cause(Throwable failure) {
        boolean wraps = failure instanceof CompletionException || failure instanceof ExecutionException;
        Throwable cause = wraps ? failure.getCause() : null;
        return cause == null ? failure : cause;
    }
}
