package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Gate.guarded;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Subscription;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.ConnectableFlux;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;
import reactor.test.scheduler.VirtualTimeScheduler;
import reactor.util.retry.Retry;

/** Reactor's operators after a guarded publisher: they see and ask for what they would without the guard; each of their subscriptions is a call. */
final class ReactorOperatorsTest {
    private final IllegalStateException down = new IllegalStateException("down");

    @Test
    void everyOperatorDownstream_asksTheSourceForTheSame_andSeesTheSame() {
        guarded((context, gate) -> {
            List<Function<Flux<Integer>, Object>> operators = List.of(
                    flux -> flux.collectList().block(),
                    flux -> flux.limitRate(10).collectList().block(),
                    flux -> flux.limitRate(10, 3).collectList().block(),
                    flux -> flux.take(5).collectList().block(),
                    flux -> flux.takeLast(3).collectList().block(),
                    flux -> flux.skip(3).next().block(),
                    flux -> flux.publishOn(Schedulers.immediate(), 7)
                            .collectList()
                            .block(),
                    flux -> flux.flatMap(Mono::just, 4, 2).collectList().block(),
                    flux -> flux.concatMap(Mono::just, 3).collectList().block(),
                    flux -> flux.buffer(4, 2).collectList().block(),
                    flux -> flux.window(5).flatMap(Flux::count).collectList().block(),
                    flux -> flux.zipWith(Flux.just("a", "b"), 2)
                            .collectList()
                            .block()
                            .toString(),
                    flux -> flux.blockFirst(),
                    flux -> flux.onBackpressureBuffer(5).collectList().block(),
                    flux -> flux.share().collectList().block(),
                    flux -> List.copyOf(flux.toStream(6).toList()),
                    ReactorOperatorsTest::askedInSmallSteps);
            for (int i = 0; i < operators.size(); i++) {
                Trace bare = Trace.of(operators.get(i), Function.identity());
                Trace guarded = Trace.of(operators.get(i), gate::flux);
                assertThat(guarded).as("operator %s", i).isEqualTo(bare);
                assertThat(bare.source).as("operator %s", i).isNotEmpty();
            }
            assertThat(history(context, "llm")).isEqualTo("17 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    private static Object askedInSmallSteps(Flux<Integer> flux) {
        List<Object> seen = new ArrayList<>();
        flux.subscribe(new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                subscription.request(1);
            }

            @Override
            protected void hookOnNext(Integer item) {
                seen.add(item);
                request(item % 3 == 0 ? 2 : 1);
            }

            @Override
            protected void hookOnComplete() {
                seen.add("complete");
            }
        });
        return seen;
    }

    /** What a source was asked for, and what came out. */
    private record Trace(List<String> source, Object result) {
        static Trace of(Function<Flux<Integer>, Object> operator, Function<Flux<Integer>, Flux<Integer>> guard) {
            List<String> source = new ArrayList<>();
            Flux<Integer> watched = Flux.range(1, 20)
                    .hide()
                    .doOnSubscribe(subscription -> source.add("subscribed"))
                    .doOnRequest(n -> source.add("request " + n))
                    .doOnCancel(() -> source.add("cancel"))
                    .doOnTerminate(() -> source.add("end"));
            Object result = operator.apply(guard.apply(watched));
            return new Trace(source, result == null ? "nothing" : result);
        }
    }

    @Test
    void sourcesThatAreFusedOrCallable_giveTheSameItems() {
        guarded((context, gate) -> {
            assertThat(gate.flux(Flux.range(1, 1000))
                            .publishOn(Schedulers.parallel(), 16)
                            .collectList()
                            .block())
                    .isEqualTo(Flux.range(1, 1000).collectList().block());
            assertThat(gate.flux(Flux.range(1, 3).map(it -> it * 2).filter(it -> it > 2))
                            .flatMapIterable(it -> List.of(it, it))
                            .collectList()
                            .block())
                    .containsExactly(4, 4, 6, 6);
            assertThat(gate.flux(Flux.just(1)).flatMap(Flux::just).blockLast()).isEqualTo(1);
            assertThat(gate.mono(Mono.fromCallable(() -> 1)).flatMap(Mono::just).block())
                    .isEqualTo(1);
            assertThat(Flux.just(1, 2, 3)
                            .concatMap(it -> gate.mono(Mono.just(it)))
                            .collectList()
                            .block())
                    .containsExactly(1, 2, 3);
            assertThat(history(context, "llm")).isEqualTo("7 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void operatorsThatLoseInterest_areCancellations() {
        guarded((context, gate) -> {
            TestPublisher<Integer> quiet = TestPublisher.create();
            TestPublisher<Integer> other = TestPublisher.create();
            StepVerifier.create(gate.flux(quiet.flux()).timeout(other.flux()))
                    .then(() -> other.next(1))
                    .verifyError(TimeoutException.class);
            StepVerifier.create(gate.flux(quiet.flux()).takeUntilOther(Mono.just("enough")))
                    .verifyComplete();
            StepVerifier.create(Flux.firstWithSignal(gate.flux(quiet.flux()), Flux.just(7)))
                    .expectNext(7)
                    .verifyComplete();
            StepVerifier.create(Flux.just(1, 2).switchMap(it -> it == 1 ? gate.flux(quiet.flux()) : Flux.just(it)))
                    .expectNext(2)
                    .verifyComplete();
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 4 ignored, 0 refused, closed");
            quiet.assertNoSubscribers();
        });
    }

    @Test
    void retries_countEachAttempt_andStopSubscribingOnceItIsOpen() {
        guarded((context, gate) -> {
            AtomicInteger attempts = new AtomicInteger();
            Mono<Integer> failing = Mono.defer(() -> {
                attempts.incrementAndGet();
                return Mono.error(down);
            });
            StepVerifier.create(gate.mono(failing).retry(3)).verifyError(CallNotPermittedException.class);
            assertThat(attempts).hasValue(2);
            assertThat(history(context, "llm")).isEqualTo("0 ok, 2 failed, 0 ignored, 2 refused, open");
        });
    }

    @Test
    void retryWithBackoff_recoversByAProbe() {
        guarded((context, gate) -> {
            FakeTicker time = (FakeTicker) context.getBean("guardedByTicker", LongSupplier.class);
            VirtualTimeScheduler virtual = VirtualTimeScheduler.getOrSet();
            try {
                AtomicInteger attempts = new AtomicInteger();
                Flux<Integer> recovering =
                        Flux.defer(() -> attempts.incrementAndGet() < 3 ? Flux.error(down) : Flux.just(1, 2));
                List<Integer> seen = new ArrayList<>();
                Disposable running = gate.flux(recovering)
                        .retryWhen(Retry.fixedDelay(4, Duration.ofSeconds(5)))
                        .subscribe(seen::add);
                for (int i = 0; i < 4; i++) {
                    time.advance(Duration.ofSeconds(5));
                    virtual.advanceTimeBy(Duration.ofSeconds(5));
                }
                assertThat(running.isDisposed()).isTrue();
                assertThat(seen).containsExactly(1, 2);
            } finally {
                VirtualTimeScheduler.reset();
            }
            assertThat(history(context, "llm")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void repeats_andSubscriptionsAtOneTime_areCallsOfTheirOwn() {
        guarded((context, gate) -> {
            assertThat(gate.mono(Mono.just(1)).repeat(4).count().block()).isEqualTo(5);
            assertThat(history(context, "llm")).isEqualTo("5 ok, 0 failed, 0 ignored, 0 refused, closed");
            Mono<Integer> one = gate.mono(Mono.just(1));
            assertThat(Flux.range(0, 200)
                            .flatMap(it -> one.subscribeOn(Schedulers.parallel()), 50)
                            .count()
                            .block())
                    .isEqualTo(200);
            assertThat(history(context, "llm")).isEqualTo("205 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void sharedSubscriptions_areOneCall() {
        guarded((context, gate) -> {
            Mono<Integer> cached = gate.mono(Mono.just(1)).cache();
            assertThat(List.of(cached.block(), cached.block())).containsExactly(1, 1);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");

            ConnectableFlux<Integer> published = gate.flux(Flux.just(1, 2)).publish();
            List<Integer> seen = new ArrayList<>();
            published.subscribe(seen::add);
            published.subscribe(seen::add);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
            published.connect();
            assertThat(seen).containsExactly(1, 1, 2, 2);
            assertThat(history(context, "llm")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed");

            TestPublisher<Integer> source = TestPublisher.create();
            Flux<Integer> counted = gate.flux(source.flux()).publish().refCount(2);
            Disposable first = counted.subscribe();
            Disposable second = counted.subscribe();
            first.dispose();
            source.assertNotCancelled();
            second.dispose();
            source.assertCancelled();
            assertThat(history(context, "llm")).isEqualTo("2 ok, 0 failed, 1 ignored, 0 refused, closed");

            Flux<Integer> replayed = gate.flux(Flux.just(1, 2)).replay().autoConnect();
            assertThat(replayed.collectList().block())
                    .isEqualTo(replayed.collectList().block());
            assertThat(history(context, "llm")).isEqualTo("3 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void blockingWithALimit_andFuturesThatAreCancelled_giveTheCallUp() {
        guarded((context, gate) -> {
            TestPublisher<Integer> quiet = TestPublisher.create();
            assertThatThrownBy(() -> gate.mono(quiet.mono()).block(Duration.ofMillis(1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Timeout on blocking read");
            CompletableFuture<Integer> future = gate.mono(quiet.mono()).toFuture();
            assertThat(future.cancel(true)).isTrue();
            quiet.assertCancelled(2);
            assertThat(gate.mono(Mono.just(1)).toFuture().join()).isEqualTo(1);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 2 ignored, 0 refused, closed");
        });
    }
}
