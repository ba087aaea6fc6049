package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Gate.guarded;
import static dev.guardedby.spring.aop.Guarded.bill;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import reactor.core.Scannable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.publisher.TestPublisher.Violation;

/** Subscribers, sources and tools that keep to the rules of Reactive Streams, and those that do not. */
final class ReactiveStreamsRulesTest {
    private final IllegalStateException down = new IllegalStateException("down");

    @Test
    void requestThatIsNotPositive_endsAsItWouldWithoutTheGuard() {
        guarded((context, gate) -> {
            Flux<Integer> source = Flux.range(1, 3).hide();
            assertThat(afterBadRequest(gate.flux(source))).isEqualTo(afterBadRequest(source));
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    private static List<String> afterBadRequest(Flux<Integer> flux) {
        List<String> seen = new ArrayList<>();
        flux.subscribe(new Recording(seen, subscription -> subscription.request(0)));
        return seen;
    }

    @Test
    void subscriberThatCancelsAtOnce_orTwice_orAsksAfterwards_countsOnce() {
        guarded((context, gate) -> {
            List<String> seen = new ArrayList<>();
            TestPublisher<Integer> source = TestPublisher.create();
            gate.flux(source.flux()).subscribe(new Recording(seen, subscription -> {
                subscription.cancel();
                subscription.cancel();
                subscription.request(1);
            }));
            source.assertCancelled();
            assertThat(seen).isEmpty();
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void subscriberThatThrows_countsAsOneThatGaveUp() {
        guarded((context, gate) -> {
            Error broken = new NoClassDefFoundError("in the subscriber");
            assertThatThrownBy(() -> gate.flux(Flux.just(1, 2).hide()).subscribe(item -> {
                        throw broken;
                    }))
                    .isSameAs(broken);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThatThrownBy(() -> gate.flux(Flux.just(1, 2).hide())
                            .subscribe(new Recording(new ArrayList<>(), subscription -> {
                                throw broken;
                            })))
                    .isSameAs(broken);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void errorThatReactorThrows_isAFailure_atTheFirstRequestAndLater() {
        guarded((context, gate) -> {
            Error gone = new NoClassDefFoundError("gone");
            Mono<Integer> callable = Mono.fromCallable(() -> {
                throw gone;
            });
            assertThatThrownBy(() -> gate.mono(callable).subscribe()).isSameAs(gone);
            assertThat(history(context, "llm")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
            Flux<Integer> generated = Flux.generate(() -> 1, (state, sink) -> {
                if (state == 2) {
                    throw gone;
                }
                sink.next(state);
                return state + 1;
            });
            assertThatThrownBy(() -> gate.flux(generated).subscribe()).isSameAs(gone);
            assertThat(history(context, "llm")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open");
        });
    }

    // Sources that break the rules

    @Test
    void sourceThatSignalsAfterItsEnd_isHeardOnce_andItsFallbackIsAskedOnce() {
        guarded((context, gate) -> {
            List<Object> dropped = new ArrayList<>();
            Hooks.onErrorDropped(dropped::add);
            Hooks.onNextDropped(dropped::add);
            try {
                TestPublisher<Integer> source = TestPublisher.createNoncompliant(Violation.CLEANUP_ON_TERMINATE);
                StepVerifier.create(gate.helped(source.flux()))
                        .then(() ->
                                source.next(1).error(down).next(2).error(down).complete())
                        .expectNext(1, -1)
                        .verifyComplete();
                assertThat(dropped).containsExactly(2, down);
            } finally {
                Hooks.resetOnErrorDropped();
                Hooks.resetOnNextDropped();
            }
            assertThat(history(context, "llm")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void sourceThatGivesMoreThanItWasAskedFor_countsOnce() {
        guarded((context, gate) -> {
            TestPublisher<Integer> source = TestPublisher.createNoncompliant(Violation.REQUEST_OVERFLOW);
            List<String> seen = new ArrayList<>();
            gate.flux(source.flux()).subscribe(new Recording(seen, subscription -> subscription.request(1)));
            source.next(1, 2, 3).complete();
            assertThat(seen).containsExactly("item 1", "item 2", "item 3", "complete");
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void itemsThatWereUnderWayAtACancellation_costNothing() {
        guarded((context, gate) -> {
            TestPublisher<Integer> source = TestPublisher.createNoncompliant(Violation.DEFER_CANCELLATION);
            BaseSubscriber<Integer> subscriber = new BaseSubscriber<>() {};
            gate.priced(source.flux()).subscribe(subscriber);
            subscriber.cancel();
            source.next(1).complete();
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
        });
    }

    @Test
    void sourceThatSubscribesTwice_keepsItsFirstSubscription() {
        guarded((context, gate) -> {
            AtomicInteger cancelled = new AtomicInteger();
            Flux<Integer> source = Flux.from(subscriber -> {
                subscriber.onSubscribe(counting(new AtomicInteger()));
                subscriber.onSubscribe(counting(cancelled));
                subscriber.onNext(1);
                subscriber.onComplete();
            });
            assertThat(gate.flux(source).collectList().block()).containsExactly(1);
            assertThat(cancelled).hasValue(1);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    private static Subscription counting(AtomicInteger cancelled) {
        return new Subscription() {
            @Override
            public void request(long n) {}

            @Override
            public void cancel() {
                cancelled.incrementAndGet();
            }
        };
    }

    // Hooks, context and what tools see

    @Test
    void wellBehavedCalls_dropNothing() {
        guarded((context, gate) -> {
            List<Object> dropped = new ArrayList<>();
            Hooks.onErrorDropped(dropped::add);
            Hooks.onNextDropped(dropped::add);
            try {
                StepVerifier.create(gate.flux(Flux.just(1, 2))).expectNext(1, 2).verifyComplete();
                StepVerifier.create(gate.flux(Flux.just(1, 2).concatWith(Flux.error(down))))
                        .expectNext(1, 2)
                        .verifyErrorMatches(down::equals);
                StepVerifier.create(gate.flux(Flux.just(1, 2)), 1)
                        .expectNext(1)
                        .thenCancel()
                        .verify();
                StepVerifier.create(gate.mono(Mono.empty())).verifyComplete();
                StepVerifier.create(gate.mono(Mono.error(down))).verifyErrorMatches(down::equals);
            } finally {
                Hooks.resetOnErrorDropped();
                Hooks.resetOnNextDropped();
            }
            assertThat(dropped).isEmpty();
            assertThat(history(context, "llm")).isEqualTo("3 ok, 2 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void operatorDebugging_seesTheGuardedPublisher_andChangesNothing() {
        guarded((context, gate) -> {
            Hooks.onOperatorDebug();
            try {
                StepVerifier.create(gate.mono(Mono.error(down))).verifyErrorSatisfies(thrown -> {
                    assertThat(thrown).isSameAs(down);
                    assertThat(thrown.getSuppressed()[0]).hasMessageContaining("GuardedMono");
                });
                assertThat(gate.flux(Flux.range(1, 3)).collectList().block()).containsExactly(1, 2, 3);
            } finally {
                Hooks.resetOnOperatorDebug();
            }
            assertThat(history(context, "llm")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void contextOfTheSubscriber_isSeenBySourceAndFallback() {
        guarded((context, gate) -> {
            Flux<Integer> looking = Flux.deferContextual(view -> Flux.just(view.<Integer>get("user")));
            assertThat(gate.flux(looking).contextWrite(it -> it.put("user", 7)).blockLast())
                    .isEqualTo(7);
            assertThat(gate.helped(looking.concatWith(Flux.error(down)))
                            .contextWrite(it -> it.put("user", 8))
                            .collectList()
                            .block())
                    .containsExactly(8, -1);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void scan_goesThroughTheGuard() {
        guarded((context, gate) -> {
            List<String> steps = new ArrayList<>();
            gate.flux(Flux.range(1, 2).hide().map(it -> it)).filter(it -> true).subscribe(new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(Subscription subscription) {
                    Scannable.from(subscription).parents().forEach(each -> steps.add(each.stepName()));
                    subscription.cancel();
                }
            });
            assertThat(steps).containsExactly("guarded", "map", "hide", "range");
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    /** A subscriber of no library that notes what it hears. */
    private static final class Recording implements Subscriber<Integer> {
        private final List<String> seen;
        private final Consumer<Subscription> first;

        Recording(List<String> seen, Consumer<Subscription> first) {
            this.seen = seen;
            this.first = first;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            first.accept(subscription);
        }

        @Override
        public void onNext(Integer item) {
            seen.add("item " + item);
        }

        @Override
        public void onError(Throwable thrown) {
            seen.add("failed: " + thrown);
        }

        @Override
        public void onComplete() {
            seen.add("complete");
        }
    }
}
