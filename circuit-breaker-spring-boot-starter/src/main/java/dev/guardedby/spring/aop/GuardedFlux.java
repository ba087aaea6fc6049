package dev.guardedby.spring.aop;

import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxOperator;

/** A flux that each subscriber needs a permit for. */
final class GuardedFlux<T> extends FluxOperator<T, T> {
    private final Assembly assembly;
    private final boolean many;

    /**
     * A guarded flux.
     *
     * @param many whether there may be more than one item
     */
    GuardedFlux(Flux<T> source, Assembly assembly, boolean many) {
        super(source);
        this.assembly = assembly;
        this.many = many;
    }

    Flux<T> assembled() {
        return onAssembly(this);
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        GuardedSubscriber<T> subscriber = assembly.admit(actual, !many);
        if (subscriber != null) {
            subscriber.subscribeTo(source);
        }
    }
}
