package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.circuitbreaker.Scope;
import dev.guardedby.spring.models.ModelRequest;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.Exceptions;
import reactor.core.publisher.Operators;

/** One invocation of a method that returned a publisher: makes a guarded call of each subscription to it. */
final class Assembly {
    private final GuardedMethod method;
    private final MethodInvocation invocation;
    private final CircuitBreaker breaker;
    private final @Nullable ModelRequest request;
    private final GuardedCall assembling;

    /**
     * An invocation that has returned.
     *
     * @param request what a model will be asked for with each subscription; null if that is not known
     * @param assembling what was current while the method ran; handles that it took record on the latest subscription
     */
    Assembly(
            GuardedMethod method,
            MethodInvocation invocation,
            CircuitBreaker breaker,
            @Nullable ModelRequest request,
            GuardedCall assembling) {
        this.method = method;
        this.invocation = invocation;
        this.breaker = breaker;
        this.request = request;
        this.assembling = assembling;
    }

    /** A subscription that the breaker has let through. */
    record Admitted(Permit permit, GuardedCall call, Border border) {}

    /**
     * Asks the breaker for a subscription, and answers what is to be subscribed then; null if it was refused, and the
     * subscriber has been told.
     *
     * @param first whether the first item is the result, so that the call has ended with it
     */
    <T> @Nullable GuardedSubscriber<T> admit(CoreSubscriber<? super T> actual, boolean first) {
        Admitted admitted;
        try {
            admitted = admit(actual.currentContext().getOrDefault(Inside.KEY, null));
        } catch (Throwable refused) {
            // The refusal, or what a ticker of the application throws: no subscription throws it.
            Exceptions.throwIfFatal(refused);
            Operators.error(actual, refused);
            return null;
        }
        return new GuardedSubscriber<>(actual, admitted, first);
    }

    /**
     * Asks the breaker for a subscription.
     *
     * @param known what the subscriber is inside of; null if only its thread knows
     * @throws dev.guardedby.circuitbreaker.CallNotPermittedException if it is refused
     */
    Admitted admit(@Nullable Inside known) {
        Inside around = Inside.orPresent(known);
        return around.within(() -> {
            Permit permit = breaker.acquireFor(method.estimate(request));
            GuardedCall call = new GuardedCall(method, invocation, breaker, permit).inside(around.call());
            assembling.continuedBy(call);
            return new Admitted(permit, call, new Border(insideOf(permit, call), around));
        });
    }

    private static Inside insideOf(Permit permit, GuardedCall call) {
        if (!permit.isToAttach()) {
            return new Inside(call, Scope.current().orElse(null));
        }
        try (Scope within = permit.attach()) {
            return new Inside(call, within);
        }
    }
}
