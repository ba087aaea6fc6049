package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import java.lang.reflect.Method;
import java.util.Set;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * Lets the fallback answer for a guarded call that was refused or has failed.
 *
 * <p>It stands outside caches, so that they store no substitute, and outside retries, so that it answers after the last
 * attempt. Where a retry is all that may answer in between, it asks the breaker before the first one.
 */
final class FallbackInterceptor implements MethodInterceptor {
    private final GuardedMethods methods;
    private final Set<Method> retried;

    FallbackInterceptor(GuardedMethods methods) {
        this(methods, Set.of());
    }

    private FallbackInterceptor(GuardedMethods methods, Set<Method> retried) {
        this.methods = methods;
        this.retried = retried;
    }

    /** The same for one proxy, asking the breaker first about methods that are retried there, and not cached. */
    FallbackInterceptor askingFirst(Set<Method> retriedMethods) {
        return new FallbackInterceptor(methods, Set.copyOf(retriedMethods));
    }

    boolean isAskingFirst() {
        return !retried.isEmpty();
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        GuardedMethod method = methods.of(invocation);
        Fallback fallback = method == null ? null : method.fallback();
        if (method == null || fallback == null) {
            return invocation.proceed();
        }
        CircuitBreaker asked;
        try {
            asked = !retried.isEmpty() && retried.contains(method.method()) ? method.askedFor(invocation) : null;
        } catch (InvalidKeyException invalid) {
            return method.shape().failed(invalid);
        }
        return method.shape().guardWithFallback(method, fallback, invocation, asked);
    }
}
