package dev.guardedby.spring.aop;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import reactor.core.publisher.Flux;
import reactor.test.publisher.TestPublisher;

/** How a caller makes a call of some shape and brings it to the end that a script wants. */
interface Calling {

    /**
     * Makes the call.
     *
     * @param returning calls the guarded method
     * @param script what the remote does, and how far the caller goes along
     */
    Seen call(Returning returning, Script script) throws Exception;

    /** A guarded method. */
    interface Returning {
        @Nullable Object call() throws Throwable;
    }

    static Seen plainly(Returning returning, Script script) {
        Seen seen = new Seen();
        try {
            seen.returned(returning.call());
        } catch (Throwable thrown) {
            seen.threw(thrown);
        }
        return seen;
    }

    /** Somebody else ends the stage after it was returned, unless it was done by then. */
    static Seen staged(Returning returning, Script script) {
        CompletableFuture<?> future = ((CompletionStage<?>) returned(returning)).toCompletableFuture();
        if (script.ending == Ending.CANCELLED_BEFORE_AN_ITEM) {
            future.cancel(true);
        } else if (script.ending == Ending.TIMEOUT_OUTSIDE) {
            future.orTimeout(1, TimeUnit.NANOSECONDS)
                    .handle((result, failure) -> failure)
                    .join();
            if (script.entered.get() > 0) {
                // The thread of the timeout comes to the stage after it has woken this one.
                script.stage
                        .handle((result, failure) -> failure)
                        .orTimeout(20, TimeUnit.SECONDS)
                        .join();
            }
        } else {
            script.endStage();
        }
        Seen seen = new Seen();
        future.handle((result, failure) -> {
                    if (failure == null) {
                        seen.returned(result);
                    } else {
                        seen.threw(failure);
                    }
                    return seen;
                })
                .join();
        return seen;
    }

    static Seen inAnotherThread(Returning returning, Script script) throws InterruptedException {
        Future<?> future = (Future<?>) returned(returning);
        while (script.entered.get() == 0 && !future.isDone()) {
            LockSupport.parkNanos(10_000);
        }
        boolean entered = script.entered.get() > 0;
        Seen seen = new Seen();
        if (script.ending == Ending.CANCELLED_BEFORE_AN_ITEM && entered) {
            future.cancel(true);
        }
        if (!entered || script.ending != Ending.TIMEOUT_OUTSIDE) {
            if (script.ending != Ending.CANCELLED_BEFORE_AN_ITEM) {
                script.endStage();
            }
            await(seen, future, 20_000);
        } else {
            await(seen, future, 1);
        }
        return seen;
    }

    private static void await(Seen seen, Future<?> future, long millis) throws InterruptedException {
        try {
            seen.returned(future.get(millis, TimeUnit.MILLISECONDS));
        } catch (ExecutionException failed) {
            Throwable cause = failed.getCause();
            seen.threw(cause instanceof CompletionException ? cause.getCause() : cause);
        } catch (TimeoutException | RuntimeException thrown) {
            seen.threw(thrown);
        }
    }

    static Calling subscribing(Class<?> type) {
        ReactiveAdapter adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(type);
        return (returning, script) -> subscribed(adapter.toPublisher(returned(returning)), script);
    }

    private static Seen subscribed(Publisher<?> publisher, Script script) {
        Seen seen = new Seen();
        TestPublisher<String> trigger = TestPublisher.create();
        try {
            if (script.ending == Ending.TIMEOUT_OUTSIDE) {
                Flux.from(publisher).timeout(trigger.flux()).subscribe(seen);
            } else {
                publisher.subscribe(seen);
            }
        } catch (Throwable fatal) {
            if (!script.ending.isFatal()) {
                throw fatal;
            }
        }
        if (script.source.waits()) {
            script.play();
            if (script.ending == Ending.TIMEOUT_OUTSIDE) {
                trigger.next("now");
            } else if (script.ending.isOutside()) {
                seen.cancel();
            }
        }
        return seen;
    }

    private static @Nullable Object returned(Returning returning) {
        try {
            return returning.call();
        } catch (Throwable thrown) {
            throw new AssertionError("thrown at the caller, and not a signal", thrown);
        }
    }
}
