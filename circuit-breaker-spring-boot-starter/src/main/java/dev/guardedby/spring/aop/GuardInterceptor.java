package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Permit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** Makes a guarded call through its breaker. */
final class GuardInterceptor implements MethodInterceptor {
    private final GuardedMethods methods;

    GuardInterceptor(GuardedMethods methods) {
        this.methods = methods;
    }

    @Override
    @SuppressWarnings("NullAway") // does not see that the type argument lets the lambda return null
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        GuardedMethod method = methods.of(invocation);
        if (method == null) {
            return invocation.proceed();
        }
        CircuitBreaker breaker;
        try {
            breaker = method.breakerFor(invocation);
        } catch (InvalidKeyException invalid) {
            if (method.shape() == Shape.STAGE) {
                return CompletableFuture.failedFuture(invalid);
            }
            throw invalid;
        }
        return switch (method.shape()) {
            case PLAIN -> breaker.call(Cost.ZERO, permit -> plain(method, invocation, permit));
            case STAGE -> breaker.callAsync(Cost.ZERO, permit -> stage(method, invocation, permit));
            case ASYNC_FUTURE ->
                CompletableFuture.completedFuture(
                        breaker.call(Cost.ZERO, permit -> future(method, invocation, permit)));
        };
    }

    private static @Nullable Object plain(GuardedMethod method, MethodInvocation invocation, Permit permit)
            throws Throwable {
        GuardedCall call = new GuardedCall(permit);
        Object result = call.proceed(invocation);
        call.returned(method, invocation, result);
        return result;
    }

    private static @Nullable Object future(GuardedMethod method, MethodInvocation invocation, Permit permit)
            throws Throwable {
        GuardedCall call = new GuardedCall(permit);
        Future<?> future = (Future<?>) call.proceed(invocation);
        Object result;
        try {
            result = future == null ? null : future.get();
        } catch (ExecutionException e) {
            throw e.getCause() == null ? e : e.getCause();
        }
        call.returned(method, invocation, result);
        return result;
    }

    @SuppressWarnings("unchecked") // the shape says so
    private static @Nullable CompletionStage<@Nullable Object> stage(
            GuardedMethod method, MethodInvocation invocation, Permit permit) {
        GuardedCall call = new GuardedCall(permit);
        CompletionStage<@Nullable Object> stage;
        try {
            stage = (CompletionStage<@Nullable Object>) call.proceed(invocation);
        } catch (Throwable thrown) {
            throw sneak(thrown);
        }
        if (stage == null || method.cost() == null) {
            return stage;
        }
        LinkedFuture<@Nullable Object> afterwards = new LinkedFuture<>(stage);
        stage.whenComplete((result, failure) -> {
            if (failure == null) {
                call.returned(method, invocation, result);
            }
            afterwards.end(result, failure);
        });
        return afterwards;
    }

    // A functional interface declares no exception, and the breaker hands on whatever comes out of it.
    @SuppressWarnings("unchecked")
    private static <X extends Throwable> RuntimeException sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }
}
