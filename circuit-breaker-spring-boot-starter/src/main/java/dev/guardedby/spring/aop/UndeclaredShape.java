package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.models.ModelRequest;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aopalliance.intercept.MethodInvocation;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ReactiveAdapterRegistry;

/**
 * A method of which nothing is known but that it returns an object. It is guarded as if that were the result, and what turns
 * out to end later is warned of, once.
 */
final class UndeclaredShape implements Shape {
    private static final Log LOG = LogFactory.getLog(UndeclaredShape.class);

    // Asked with every call, and a registry of adapters takes its time.
    private static final ClassValue<Boolean> ENDS_LATER = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return Future.class.isAssignableFrom(type)
                    || CompletionStage.class.isAssignableFrom(type)
                    || LaterWork.is(type)
                    || ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null;
        }
    };

    private final AtomicBoolean warned = new AtomicBoolean();

    @Override
    public @Nullable Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request)
            throws Throwable {
        Object result = PlainShape.OF_RESULT.guard(method, breaker, invocation, request);
        if (result != null && !warned.get() && ENDS_LATER.get(result.getClass()) && warned.compareAndSet(false, true)) {
            LOG.warn(Signature.qualified(method.method()) + " has returned a "
                    + Signature.name(result.getClass()) + ", and is guarded by '"
                    + method.breaker().name()
                    + "' only until it returned: how that ends is not counted, because the method declares to return Object."
                    + " Let it declare what it returns. Further ones are not logged.");
        }
        return result;
    }

    @Override
    public @Nullable Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked)
            throws Throwable {
        return PlainShape.OF_RESULT.guardWithFallback(method, fallback, invocation, asked);
    }

    @Override
    public @Nullable Object failed(Throwable reason) throws Throwable {
        return PlainShape.OF_RESULT.failed(reason);
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return PlainShape.OF_RESULT.outcomeOf(breaker, thrown);
    }
}
