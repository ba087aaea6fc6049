package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.models.ModelRequest;
import kotlinx.coroutines.flow.Flow;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * A method that returns a Kotlin flow: each collection is a call.
 *
 * <p>Not by way of a publisher, which would collect the flow in a coroutine of its own, without what is in the context of the
 * collector. As there, the method itself is called when its caller calls it.
 */
final class FlowShape implements Shape {

    @Override
    public Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request) {
        GuardedCall assembling = new GuardedCall(method, invocation, breaker, null);
        Flow<?> source = flow(assembling::proceed, "guarded call");
        return new GuardedFlow<>(source, new Assembly(method, invocation, breaker, request, assembling));
    }

    @Override
    public Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked) {
        Flow<?> returned = flow(invocation::proceed, "guarded call");
        Flow<?> first = asked == null ? returned : asking(asked, returned);
        return new FallbackFlow<Object>(first, primary -> {
            Fallback.Choice choice = fallback.choose(method, primary);
            return choice == null ? null : flow(() -> choice.answer(invocation, primary), "fallback");
        });
    }

    @Override
    public Flow<?> failed(Throwable reason) {
        return (collector, continuation) -> {
            throw Shape.sneak(reason);
        };
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return breaker.outcomeOfStage(thrown);
    }

    /** What a method returns; if it throws, a flow that does. */
    private Flow<?> flow(Returning method, String what) {
        Object returned;
        try {
            returned = method.call();
        } catch (Throwable thrown) {
            return failed(thrown);
        }
        return returned == null
                ? failed(new NullPointerException("the " + what + " returned null instead of a flow"))
                : (Flow<?>) returned;
    }

    private static <T> Flow<T> asking(CircuitBreaker breaker, Flow<T> retried) {
        return (collector, continuation) -> {
            Inside.orPresent(InsideElement.of(continuation.getContext())).check(breaker);
            return retried.collect(collector, continuation);
        };
    }

    private interface Returning {
        @Nullable Object call() throws Throwable;
    }
}
