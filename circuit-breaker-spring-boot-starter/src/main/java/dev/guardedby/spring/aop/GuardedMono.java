package dev.guardedby.spring.aop;

import reactor.core.CoreSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoOperator;

/** A mono that each subscriber needs a permit for. */
final class GuardedMono<T> extends MonoOperator<T, T> {
    private final Assembly assembly;

    GuardedMono(Mono<T> source, Assembly assembly) {
        super(source);
        this.assembly = assembly;
    }

    Mono<T> assembled() {
        return onAssembly(this);
    }

    @Override
    public void subscribe(CoreSubscriber<? super T> actual) {
        GuardedSubscriber<T> subscriber = assembly.admit(actual, true);
        if (subscriber != null) {
            subscriber.subscribeTo(source);
        }
    }
}
