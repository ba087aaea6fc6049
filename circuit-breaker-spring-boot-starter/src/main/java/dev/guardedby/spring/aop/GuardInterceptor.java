package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
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
        if (method == null) {
            return invocation.proceed();
        }
        CircuitBreaker breaker;
        try {
            breaker = method.breakerFor(invocation);
        } catch (InvalidKeyException refused) {
            return method.shape().failed(refused);
        }
        return method.shape().guard(method, breaker, invocation, method.request(invocation));
    }
}
