package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.models.ModelRequest;
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
        ModelRequest request;
        try {
            breaker = method.breakerFor(invocation);
            UsageCost usage = method.usage();
            if (usage != null) {
                usage.refuseIfUnpriced(breaker);
            }
            request = method.request(breaker, invocation);
        } catch (InvalidKeyException | BudgetExceededException refused) {
            return method.shape().failed(refused);
        }
        return method.shape().guard(method, breaker, invocation, request);
    }
}
