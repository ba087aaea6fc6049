package dev.guardedby.spring.aop;

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
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        GuardedMethod method = methods.of(invocation);
        return method == null ? invocation.proceed() : method.shape().guard(method, invocation);
    }
}
