package dev.guardedby.spring.aop;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * Lets the fallback answer for a guarded call that was refused or has failed.
 *
 * <p>It stands outside caches, so that they store no substitute. Spring's {@code @Retryable} is further out still, by a proxy
 * or post-processor of its own, and finds nothing to retry where the fallback has answered.
 */
final class FallbackInterceptor implements MethodInterceptor {
    private final GuardedMethods methods;

    FallbackInterceptor(GuardedMethods methods) {
        this.methods = methods;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        GuardedMethod method = methods.of(invocation);
        Fallback fallback = method == null ? null : method.fallback();
        return method == null || fallback == null
                ? invocation.proceed()
                : method.shape().guardWithFallback(method, fallback, invocation);
    }
}
