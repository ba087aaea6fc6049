package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.aop.Fallback.Choice;
import dev.guardedby.spring.models.ModelRequest;
import java.util.function.Function;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.ReactiveAdapter;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * A method that returns a publisher of some library: each subscription is a call.
 *
 * <p>The method itself is called when its caller calls it, as it would be without a guard. What it throws then, and a null
 * that it returns, are how every subscription ends.
 */
final class ReactiveShape implements Shape {
    private final ReactiveAdapter adapter;
    private final boolean hot;

    ReactiveShape(ReactiveAdapter adapter) {
        this(adapter, false);
    }

    /**
     * The shape for a type.
     *
     * @param hot whether what the method returns is under way already, so that the method is called at the subscription, which
     *     such a type has at once and on the thread of its caller
     */
    ReactiveShape(ReactiveAdapter adapter, boolean hot) {
        this.adapter = adapter;
        this.hot = hot;
    }

    @Override
    public Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request) {
        GuardedCall assembly = new GuardedCall(method, invocation, breaker, null);
        // A hot call is the admitted one itself, which is current when it is subscribed.
        Publisher<?> source = source(hot ? invocation::proceed : assembly::proceed);
        Assembly guard = new Assembly(method, invocation, breaker, request, assembly);
        return adapter.fromPublisher(
                source instanceof Mono<?> mono
                        ? new GuardedMono<>(mono, guard).assembled()
                        : new GuardedFlux<>(Flux.from(source), guard, adapter.isMultiValue()).assembled());
    }

    @Override
    public Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked) {
        Publisher<?> returned = source(invocation::proceed);
        Publisher<?> first = asked == null ? returned : asking(asked, returned);
        Function<Throwable, Publisher<?>> answer = thrown -> {
            Throwable primary = lastOfRetries(thrown);
            Choice choice = fallback.choose(method, primary);
            return choice == null ? Mono.error(thrown) : answer(choice, invocation, primary);
        };
        return adapter.fromPublisher(first instanceof Mono<?> mono ? resumed(mono, answer) : resumed(first, answer));
    }

    // What a retry in between wraps it in says that it was retried, and not what was wrong.
    private static Throwable lastOfRetries(Throwable thrown) {
        Throwable last = Exceptions.isRetryExhausted(thrown) ? thrown.getCause() : null;
        return last == null ? thrown : last;
    }

    private static <T> Publisher<T> asking(CircuitBreaker breaker, Publisher<T> retried) {
        // A supplier that throws is a subscription that fails.
        if (retried instanceof Mono<T> mono) {
            return Mono.deferContextual(context -> {
                check(breaker, context);
                return mono;
            });
        }
        return Flux.deferContextual(context -> {
            check(breaker, context);
            return retried;
        });
    }

    // Inside of what the subscriber is, as the call itself would be admitted.
    private static void check(CircuitBreaker breaker, ContextView context) {
        Inside.orPresent(context.getOrDefault(Inside.KEY, null)).check(breaker);
    }

    private static <T> Mono<T> resumed(Mono<T> first, Function<Throwable, Publisher<?>> answer) {
        return first.onErrorResume(primary -> Mono.from(ReactiveShape.<T>typed(answer.apply(primary))));
    }

    private static <T> Flux<T> resumed(Publisher<T> first, Function<Throwable, Publisher<?>> answer) {
        return Flux.from(first).onErrorResume(primary -> ReactiveShape.<T>typed(answer.apply(primary)));
    }

    private Publisher<?> answer(Choice choice, MethodInvocation invocation, Throwable primary) {
        Publisher<?> second = publisher(() -> choice.answer(invocation, primary), "fallback");
        return second instanceof Mono<?> mono
                ? mono.onErrorMap(thrown -> Fallback.suppress(primary, thrown))
                : Flux.from(second).onErrorMap(thrown -> Fallback.suppress(primary, thrown));
    }

    @SuppressWarnings("unchecked") // what a fallback returns is assignable to what the method does
    private static <T> Publisher<T> typed(Publisher<?> publisher) {
        return (Publisher<T>) publisher;
    }

    /** What the guarded method returns; what is under way as soon as it returns is called at the subscription. */
    private Publisher<?> source(Returning method) {
        String what = "guarded call";
        return hot ? Mono.defer(() -> Mono.from(publisher(method, what))) : publisher(method, what);
    }

    /** What a method returns, as a publisher; what it throws is one, too. */
    private Publisher<?> publisher(Returning method, String what) {
        Object returned;
        try {
            returned = method.call();
        } catch (Throwable thrown) {
            return Mono.error(thrown);
        }
        return returned == null
                ? Mono.error(new NullPointerException("the " + what + " returned null instead of a publisher"))
                : adapter.toPublisher(returned);
    }

    @Override
    public Object failed(Throwable reason) {
        return adapter.fromPublisher(Mono.error(reason));
    }

    @Override
    public Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown) {
        return breaker.outcomeOfStage(thrown);
    }

    private interface Returning {
        @Nullable Object call() throws Throwable;
    }
}
