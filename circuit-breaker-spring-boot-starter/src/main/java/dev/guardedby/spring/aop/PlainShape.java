package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.aop.Fallback.Choice;
import dev.guardedby.spring.models.ModelRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.scheduling.annotation.Async;

/** A method that has ended when it returns, or throws. */
enum PlainShape implements Shape {
    /** It returns the result. */
    OF_RESULT {
        @Override
        @SuppressWarnings("NullAway") // does not see that the type argument lets the lambda return null
        public @Nullable Object guard(
                GuardedMethod method,
                CircuitBreaker breaker,
                MethodInvocation invocation,
                @Nullable ModelRequest request)
                throws Throwable {
            if (!method.needsPermit()) {
                return breaker.call(new GuardedCall(method, invocation, breaker, null));
            }
            // With its permit at hand, what the call costs is booked on it from any thread, and when it has ended, too.
            return breaker.<@Nullable Object, Throwable>callFor(
                    method.estimate(request), permit -> new GuardedCall(method, invocation, breaker, permit).call());
        }
    },

    /** It returns a {@link Future} to the executor of {@link Async}, which waits for it on the same thread. */
    OF_FUTURE {
        // NullAway does not see that the type argument lets the lambda return null; the future goes to the caller.
        @Override
        @SuppressWarnings({"NullAway", "FutureReturnValueIgnored"})
        public @Nullable Object guard(
                GuardedMethod method,
                CircuitBreaker breaker,
                MethodInvocation invocation,
                @Nullable ModelRequest request)
                throws Throwable {
            return CompletableFuture.completedFuture(breaker.<@Nullable Object, Throwable>callFor(
                    method.estimate(request), permit -> ended(new GuardedCall(method, invocation, breaker, permit))));
        }

        private @Nullable Object ended(GuardedCall call) throws Throwable {
            Future<?> future = (Future<?>) call.proceed();
            Object result;
            try {
                result = future == null ? null : future.get();
            } catch (ExecutionException e) {
                throw e.getCause() == null ? e : e.getCause();
            } catch (InterruptedException e) {
                // The caller has cancelled the executor's future, which interrupts this thread and knows of no other
                // future.
                future.cancel(true);
                throw e;
            }
            call.returned(result);
            return result;
        }
    };

    @Override
    public @Nullable Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked)
            throws Throwable {
        try {
            if (asked != null) {
                asked.checkPermitted();
            }
            return invocation.proceed();
        } catch (Throwable primary) {
            Choice choice = fallback.choose(method, primary);
            if (choice == null) {
                throw primary;
            }
            return choice.answer(invocation, primary);
        }
    }

    @Override
    public Object failed(Throwable reason) throws Throwable {
        throw reason;
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return breaker.outcomeOf(thrown);
    }
}
