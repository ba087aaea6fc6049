package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.models.ModelRequest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Objects;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.Job;
import kotlinx.coroutines.flow.Flow;
import kotlinx.coroutines.reactor.ReactorFlowKt;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.core.CoroutinesUtils;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ReactiveAdapterRegistry;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * A suspend function of Kotlin.
 *
 * <p>Spring hands it to interceptors as a {@link Mono}, or as a {@link Flux} if it returns a flow: the function runs at the
 * subscription, and the proxy subscribes and suspends its caller until the end.
 */
final class SuspendShape implements Shape {
    private final ReactiveShape publisher;

    SuspendShape(boolean returnsFlow) {
        this.publisher = new ReactiveShape(Objects.requireNonNull(
                ReactiveAdapterRegistry.getSharedInstance().getAdapter(returnsFlow ? Flux.class : Mono.class)));
    }

    @Override
    public Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request) {
        @Nullable Object[] arguments = invocation.getArguments().clone();
        int last = arguments.length - 1;
        arguments[last] = new Begun(continuation(arguments[last]));
        ((ProxyMethodInvocation) invocation).setArguments(arguments);
        return publisher.guard(method, breaker, invocation, request);
    }

    @Override
    public Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked) {
        return publisher.guardWithFallback(method, fallback, invocation, asked);
    }

    @Override
    public Object failed(Throwable reason) {
        return publisher.failed(reason);
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return publisher.outcomeOf(breaker, thrown);
    }

    /**
     * Has a fallback answer for a suspend function.
     *
     * @param arguments those of the fallback
     * @param goesOn the last argument of the function
     */
    static Publisher<?> answer(
            Method fallback, @Nullable Object target, @Nullable Object[] arguments, @Nullable Object goesOn)
            throws InvocationTargetException, IllegalAccessException {
        // As Spring does: the job of the caller ends the subscription, not what is subscribed to.
        CoroutineContext context = continuation(goesOn).getContext().minusKey(Job.Key);
        if (KotlinDetector.isSuspendingFunction(fallback)) {
            return CoroutinesUtils.invokeSuspendingFunction(context, fallback, target, arguments);
        }
        Object answer = fallback.invoke(target, arguments);
        return answer instanceof Flow<?> flow ? ReactorFlowKt.asFlux(flow, context) : Mono.justOrEmpty(answer);
    }

    private static Continuation<?> continuation(@Nullable Object argument) {
        return (Continuation<?>)
                Objects.requireNonNull(argument, "a suspend function was called without a continuation");
    }

    /** Where the caller goes on, in a context that tells threads what they are inside of: Spring reads it from here. */
    private static final class Begun implements Continuation<Object> {
        private final Continuation<?> caller;

        Begun(Continuation<?> caller) {
            this.caller = caller;
        }

        @Override
        public CoroutineContext getContext() {
            return InsideElement.addedTo(caller.getContext());
        }

        @Override
        public void resumeWith(Object result) {
            caller.resumeWith(result);
        }
    }
}
