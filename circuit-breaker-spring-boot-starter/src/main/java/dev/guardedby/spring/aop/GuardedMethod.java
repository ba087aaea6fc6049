package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import java.lang.reflect.Method;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * Everything about a guarded method that is decided before it is called.
 *
 * @param method the method, as the bean's class has it
 * @param breaker what guards it, and where it has keys, the breaker of the name
 * @param shape how it gives its result
 * @param fallback what answers when it fails, or null
 * @param cost what reads its cost from the result, or null
 * @param key what reads from the arguments whose call it is, or null
 */
record GuardedMethod(
        Method method,
        CircuitBreaker breaker,
        Shape shape,
        @Nullable Fallback fallback,
        @Nullable CostExpression cost,
        @Nullable KeyExpression key) {

    /**
     * What guards one call.
     *
     * @throws InvalidKeyException if it is to have a key and has none
     */
    CircuitBreaker breakerFor(MethodInvocation invocation) {
        return key == null ? breaker : key.breaker(invocation.getArguments());
    }
}
