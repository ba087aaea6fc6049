package dev.guardedby.circuitbreaker;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The ways to make a guarded call. */
final class CallShape {
    /** What the caller holds in hands instead of a result where the call was refused without an exception. */
    static final Object REFUSED = "refused";

    private static final Cost HOLD = Cost.usd("0.01");

    private CallShape() {}

    /** Makes a call to the remote in one shape; answers or throws what the caller sees. */
    interface Shape {
        @Nullable Object call(CircuitBreaker breaker, Remote remote) throws Throwable;
    }

    /** What is guarded. */
    interface Remote {
        @Nullable Object answer() throws Throwable;
    }

    /** Starts a call whose stage somebody else ends. */
    interface AsyncShape {
        CompletableFuture<Object> start(CircuitBreaker breaker, Supplier<? extends CompletionStage<Object>> call);
    }

    /** Takes a permit, or null if that is how this shape tells a refusal. */
    interface PermitShape {
        @Nullable Permit take(CircuitBreaker breaker) throws Throwable;
    }

    static @Nullable Object call(CircuitBreaker breaker, Remote remote) throws Throwable {
        return breaker.call(remote::answer);
    }

    static @Nullable Object run(CircuitBreaker breaker, Remote remote) throws Throwable {
        breaker.run(remote::answer);
        return null;
    }

    static @Nullable Object callWithPermit(CircuitBreaker breaker, Remote remote) throws Throwable {
        return breaker.call(HOLD, permit -> remote.answer());
    }

    /** The call whose result or exception is there when the supplier returns or throws. */
    static Shape atOnce(AsyncShape shape) {
        return (breaker, remote) -> outcome(shape.start(breaker, () -> {
            try {
                return CompletableFuture.completedFuture(remote.answer());
            } catch (Throwable thrown) {
                throw CallShape.<RuntimeException>sneaky(thrown);
            }
        }));
    }

    /** The call whose stage ends after it was started. */
    static Shape later(AsyncShape shape) {
        return (breaker, remote) -> {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            CompletableFuture<Object> future = shape.start(breaker, () -> stage);
            if (!future.isDone()) {
                try {
                    stage.complete(remote.answer());
                } catch (Throwable thrown) {
                    stage.completeExceptionally(thrown);
                }
            }
            return outcome(future);
        };
    }

    static CompletableFuture<Object> async(CircuitBreaker breaker, Supplier<? extends CompletionStage<Object>> call) {
        return breaker.callAsync(call);
    }

    static CompletableFuture<Object> asyncWithPermit(
            CircuitBreaker breaker, Supplier<? extends CompletionStage<Object>> call) {
        return breaker.callAsync(HOLD, permit -> call.get());
    }

    /** The call whose maker reports everything, as the documentation says. */
    static Shape reported(PermitShape shape) {
        return (breaker, remote) -> {
            try (Permit permit = shape.take(breaker)) {
                if (permit == null) {
                    return REFUSED;
                }
                try {
                    Object result = remote.answer();
                    permit.success(result);
                    return result;
                } catch (Throwable thrown) {
                    permit.failure(thrown);
                    throw thrown;
                }
            }
        };
    }

    /** The call whose maker does something else with its permit. */
    static Shape handled(PermitShape shape, Consumer<Permit> deed) {
        return (breaker, remote) -> {
            Permit permit = shape.take(breaker);
            if (permit == null) {
                return REFUSED;
            }
            Object result = remote.answer();
            deed.accept(permit);
            return result;
        };
    }

    /** The call whose future or stage something else happens to. */
    static Shape handled(AsyncShape shape, AsyncDeed deed) {
        return (breaker, remote) -> {
            CompletableFuture<Object> stage = new CompletableFuture<>();
            CompletableFuture<Object> future = shape.start(breaker, () -> stage);
            if (future.isDone()) {
                return outcome(future);
            }
            Object result = remote.answer();
            deed.does(future, stage);
            return result;
        };
    }

    /** What happens to a future and its stage. */
    interface AsyncDeed {
        void does(CompletableFuture<Object> future, CompletableFuture<Object> stage);
    }

    static void timesOut(CompletableFuture<Object> future) {
        future.orTimeout(1, TimeUnit.NANOSECONDS)
                .handle((result, failure) -> failure instanceof TimeoutException)
                .join();
    }

    static Shape nullStage(AsyncShape shape) {
        return (breaker, remote) -> {
            Object[] result = {REFUSED};
            CompletableFuture<Object> future = shape.start(breaker, () -> {
                try {
                    result[0] = remote.answer();
                    return null;
                } catch (Throwable thrown) {
                    throw CallShape.<RuntimeException>sneaky(thrown);
                }
            });
            return future.isCompletedExceptionally() ? result[0] : "a future that did not fail";
        };
    }

    static @Nullable Permit acquired(CompletionStage<Permit> stage) throws Throwable {
        return outcome(stage);
    }

    /** The result of a future that is done, or its very exception. */
    private static <T> @Nullable T outcome(CompletionStage<T> future) throws Throwable {
        Throwable[] failed = {null};
        Object[] result = {"not done"};
        CompletionStage<T> unused = future.whenComplete((value, failure) -> {
            result[0] = value;
            failed[0] = failure;
        });
        if (failed[0] != null) {
            throw failed[0];
        }
        @SuppressWarnings("unchecked") // what the future was completed with, or a text that no assertion expects
        T value = (T) result[0];
        return value;
    }

    @SuppressWarnings("unchecked") // the point of it
    private static <X extends Throwable> CompletionException sneaky(Throwable thrown) throws X {
        throw (X) thrown;
    }
}
