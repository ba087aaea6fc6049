package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A subscriber that cancels while the source signals: one of them ends the call, and only one. */
final class SignalRacesTest {
    private static final int ROUNDS = 500;

    /** What the source does meanwhile. */
    enum Signal {
        FIRST_ITEM,
        COMPLETION,
        FAILURE,
        ITEM_AND_FAILURE;

        void by(Subscriber<? super Integer> source) {
            if (this == FIRST_ITEM || this == ITEM_AND_FAILURE) {
                source.onNext(1);
            }
            if (this == FAILURE || this == ITEM_AND_FAILURE) {
                source.onError(new IllegalStateException("down"));
            }
            if (this == COMPLETION) {
                source.onComplete();
            }
        }

        Set<Outcome> possible() {
            return switch (this) {
                case FIRST_ITEM, COMPLETION -> Set.of(Outcome.SUCCESS, Outcome.IGNORED);
                case FAILURE -> Set.of(Outcome.FAILURE, Outcome.IGNORED);
                case ITEM_AND_FAILURE -> Set.of(Outcome.SUCCESS, Outcome.IGNORED, Outcome.FAILURE);
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void flux_againstACancellation(Signal signal) {
        race(signal, (gate, source) -> gate.flux(Flux.from(source)));
    }

    @ParameterizedTest
    @EnumSource
    void mono_againstACancellation(Signal signal) {
        race(signal, (gate, source) -> Flux.from(gate.mono(Mono.fromDirect(source))));
    }

    private interface Shape {
        Flux<Integer> of(Gate gate, Publisher<Integer> source);
    }

    private static void race(Signal signal, Shape shape) {
        application(Gate.class)
                .withPropertyValues("guardedby.breakers.llm.failure-threshold=1000000")
                .run(context -> {
                    Gate gate = context.getBean(Gate.class);
                    CircuitBreaker breaker = Guarded.breaker(context, "llm");
                    ExecutorService other = Executors.newSingleThreadExecutor();
                    try {
                        for (int round = 0; round < ROUNDS; round++) {
                            check(signal, round(signal, shape, gate, other), breaker, round + 1);
                        }
                    } finally {
                        other.shutdownNow();
                    }
                });
    }

    private static Source round(Signal signal, Shape shape, Gate gate, ExecutorService other) throws Exception {
        Source source = new Source();
        Deaf subscriber = new Deaf();
        shape.of(gate, source).subscribe(subscriber);
        AtomicInteger ready = new AtomicInteger();
        Future<?> cancelling = other.submit(() -> {
            meet(ready);
            subscriber.subscription.cancel();
        });
        meet(ready);
        signal.by(source.subscriber);
        cancelling.get();
        return source;
    }

    private static void meet(AtomicInteger ready) {
        ready.incrementAndGet();
        for (int spins = 0; ready.get() < 2; spins++) {
            if (spins < 1_000) {
                Thread.onSpinWait();
            } else {
                // On a busy machine the other may be waiting for this core.
                LockSupport.parkNanos(10_000);
            }
        }
    }

    private static void check(Signal signal, Source source, CircuitBreaker breaker, int rounds) {
        CircuitBreakerStats stats = breaker.stats();
        List<Outcome> counted = new ArrayList<>();
        if (stats.totalSuccesses() > 0) {
            counted.add(Outcome.SUCCESS);
        }
        if (stats.totalFailures() > 0) {
            counted.add(Outcome.FAILURE);
        }
        if (stats.totalIgnored() > 0) {
            counted.add(Outcome.IGNORED);
        }
        assertThat(signal.possible()).containsAll(counted);
        assertThat(stats.totalSuccesses() + stats.totalFailures() + stats.totalIgnored())
                .as("outcomes of %s subscriptions", rounds)
                .isEqualTo(rounds);
        assertThat(stats.unreported()).isZero();
        assertThat(source.cancellations)
                .as("cancellations that the source has seen")
                .isLessThanOrEqualTo(1);
    }

    /** Nothing that comes after a cancellation makes a difference to it, and nothing is worth a log. */
    private static final class Deaf implements CoreSubscriber<Integer> {
        private Subscription subscription;

        @Override
        public void onSubscribe(Subscription given) {
            subscription = given;
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(Integer item) {}

        @Override
        public void onError(Throwable thrown) {}

        @Override
        public void onComplete() {}
    }

    private static final class Source implements Publisher<Integer>, Subscription {
        private Subscriber<? super Integer> subscriber;
        private volatile int cancellations;

        @Override
        public void subscribe(Subscriber<? super Integer> asking) {
            subscriber = asking;
            asking.onSubscribe(this);
        }

        @Override
        public void request(long n) {}

        @Override
        public synchronized void cancel() {
            cancellations++;
        }
    }
}
