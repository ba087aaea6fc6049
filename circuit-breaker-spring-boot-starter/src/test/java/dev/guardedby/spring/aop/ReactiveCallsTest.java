package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.bill;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.reactivestreams.Subscription;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.web.context.request.async.DeferredResult;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.test.StepVerifier;
import reactor.test.publisher.TestPublisher;

/** Publishers: a subscription is a call. */
class ReactiveCallsTest {

    @Test
    void eachSubscription_isACall_andAssemblyIsNone() {
        application(State.class, Remote.class).run(context -> {
            Mono<String> answer = remote(context).mono();

            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(List.of(answer.block(), answer.block())).containsExactly("mono 1", "mono 2");
            assertThat(history(context, "llm")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void open_subscribesNothing_andRecoversByOneProbe() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            State state = context.getBean(State.class);
            state.failure = new IllegalStateException("down");

            StepVerifier.create(remote.mono()).verifyErrorMatches(state.failure::equals);
            StepVerifier.create(remote.flux()).expectNext("flux 2").verifyErrorMatches(state.failure::equals);
            StepVerifier.create(remote.mono()).verifyError(CallNotPermittedException.class);
            assertThat(state.subscriptions).isEqualTo(2);
            assertThat(history(context, "llm")).isEqualTo("0 ok, 2 failed, 0 ignored, 1 refused, open");

            advance(context, Duration.ofSeconds(10));
            state.failure = null;
            StepVerifier.create(remote.flux().concatWith(remote.flux()))
                    .expectNext("flux 3", "flux 4")
                    .verifyComplete();
            assertThat(history(context, "llm")).isEqualTo("2 ok, 2 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void whatTheMethodThrowsOrForgets_isHowASubscriptionEnds() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            Error early = new LinkageError("before there is a publisher");

            Mono<String> thrown = remote.throwing(early);
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThatThrownBy(thrown::block).isSameAs(early);
            StepVerifier.create(remote.nothing())
                    .verifyErrorMessage("the guarded call returned null instead of a publisher");
            assertThat(history(context, "llm")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open");
        });
    }

    @Test
    void cancelBeforeTheFirstItem_saysNothing_andAfterIt_isASuccess() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            State state = context.getBean(State.class);

            StepVerifier.create(remote.manual()).thenCancel().verify();
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
            StepVerifier.create(remote.manual())
                    .then(() -> state.source.next("first"))
                    .expectNext("first")
                    .thenCancel()
                    .verify();
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 1 ignored, 0 refused, closed");
            state.source.assertCancelled(2);
        });
    }

    @Test
    void fallback_isAskedAtSubscription_andItsOwnFailureKeepsTheFirst() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            State state = context.getBean(State.class);
            state.failure = new IllegalStateException("down");

            Flux<String> answer = remote.helped();
            assertThat(state.helped).isEmpty();
            StepVerifier.create(answer).expectNext("helped 1", "instead").verifyComplete();
            StepVerifier.create(answer).expectNext("helped 2", "instead").verifyComplete();
            StepVerifier.create(answer).expectNext("instead").verifyComplete();
            assertThat(state.helped)
                    .containsExactly("IllegalStateException", "IllegalStateException", "CallNotPermittedException");

            state.fallbackFailure = new IllegalArgumentException("no help");
            StepVerifier.create(answer)
                    .verifyErrorSatisfies(thrown -> assertThat(thrown)
                            .isSameAs(state.fallbackFailure)
                            .hasSuppressedException(thrown.getSuppressed()[0])
                            .satisfies(it ->
                                    assertThat(it.getSuppressed()[0]).isInstanceOf(CallNotPermittedException.class)));
        });
    }

    @Test
    void cost_isOfTheItem_ofTheLastOne_andNotOfAFailure() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);

            remote.priced(3).blockLast();
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0.03 usd");
            remote.priced(5).take(2).blockLast();
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0.05 usd");
            StepVerifier.create(remote.priced(0)).verifyError();
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0.05 usd");
        });
    }

    @Test
    void recordedCost_belongsToTheSubscription_inTheChainAndByTheHandle() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);

            assertThat(remote.recording(context.getBean(CostRecorder.class))
                            .doOnNext(
                                    item -> context.getBean(CostRecorder.class).record(Cost.usd("100")))
                            .blockLast())
                    .isEqualTo("b");
            assertThat(bill(context, "llm")).isEqualTo("2 in, 4 out, 0 usd");
            assertThat(context.getBean(LostCosts.class).outside().sum()).isEqualTo(2);
        });
    }

    @Test
    void contextPropagation_takesTheCallToOtherThreads() {
        Hooks.enableAutomaticContextPropagation();
        try {
            application(State.class, Remote.class).run(context -> {
                CostRecorder costs = context.getBean(CostRecorder.class);

                assertThat(remote(context)
                                .hopping(costs)
                                .publishOn(Schedulers.parallel())
                                .doOnNext(item -> costs.record(Cost.usd("100")))
                                .block())
                        .isEqualTo("hopped");
                assertThat(bill(context, "llm")).isEqualTo("1 in, 1 out, 0 usd");
                assertThat(context.getBean(LostCosts.class).outside().sum()).isEqualTo(1);
            });
        } finally {
            Hooks.disableAutomaticContextPropagation();
        }
    }

    @Test
    void guardedCallInsideAProbe_ridesOnIt_alsoThroughTheReactorContext() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            Guarded.breaker(context, "llm").forceOpen();
            advance(context, Duration.ofSeconds(10));

            assertThat(remote.nesting(remote).block()).isEqualTo("mono 1");
            assertThat(history(context, "llm")).isEqualTo("2 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void whatTheSubscriberDoesWithAnItem_isNotInsideTheProbe() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            Guarded.breaker(context, "llm").forceOpen();
            advance(context, Duration.ofSeconds(10));

            StepVerifier.create(remote.flux().flatMap(item -> remote.mono()))
                    .verifyError(CallNotPermittedException.class);
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void whatTheSourceDoesAtALaterRequest_isInsideTheProbe() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            Guarded.breaker(context, "llm").forceOpen();
            advance(context, Duration.ofSeconds(10));

            List<String> seen = new ArrayList<>();
            BaseSubscriber<String> subscriber = new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(Subscription subscription) {
                    seen.add("subscribed");
                }

                @Override
                protected void hookOnNext(String item) {
                    seen.add(item);
                }

                @Override
                protected void hookOnError(Throwable failure) {
                    seen.add(failure.toString());
                }
            };
            remote.nestingLater(remote).subscribe(subscriber);
            subscriber.request(1);
            subscriber.request(1);
            assertThat(seen).containsExactly("subscribed", "plain 1", "plain 2");
            assertThat(history(context, "llm")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void clockThatThrows_isASubscriptionThatFails() {
        application(State.class, Remote.class).run(context -> {
            Remote remote = remote(context);
            RuntimeException broken = new IllegalStateException("no clock");
            Guarded.breaker(context, "llm").forceOpen();
            ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).breaks(broken);

            StepVerifier.create(remote.mono()).verifyErrorMatches(broken::equals);
        });
    }

    @Test
    void contextOfTheSubscriber_isSeenUpstream() {
        application(State.class, Remote.class).run(context -> {
            List<String> seen = new ArrayList<>();

            remote(context)
                    .looking(seen)
                    .contextWrite(it -> it.put("user", "ada"))
                    .block();
            assertThat(seen).containsExactly("ada");
        });
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void publisherBehindObject_isWarnedOf_once(CapturedOutput output) {
        application(State.class, Remote.class).run(context -> {
            remote(context).hidden();
            remote(context).hidden();
            remote(context).hiddenLater();

            assertThat(history(context, "llm")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(output.getOut().lines().filter(line -> line.contains("Remote.hidden() has returned a")))
                    .singleElement()
                    .asString()
                    .contains("Let it declare what it returns");
            assertThat(output)
                    .contains("Remote.hiddenLater() has returned a org.springframework.web.context.request.async");
        });
    }

    private static Remote remote(ApplicationContext context) {
        return context.getBean(Remote.class);
    }

    private static void advance(ApplicationContext context, Duration step) {
        ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).advance(step);
    }

    /** What the remote does, and has seen; the fields of the bean itself are behind its proxy. */
    static class State {
        final List<String> helped = new ArrayList<>();
        final TestPublisher<String> source = TestPublisher.create();
        int subscriptions;
        RuntimeException failure;
        RuntimeException fallbackFailure;
    }

    static class Remote {
        private final State state;

        Remote(State state) {
            this.state = state;
        }

        @GuardedBy("llm") public Mono<String> mono() {
            return Mono.defer(() -> {
                state.subscriptions++;
                return state.failure == null ? Mono.just("mono " + state.subscriptions) : Mono.error(state.failure);
            });
        }

        @GuardedBy("llm") public Flux<String> flux() {
            return items("flux");
        }

        private Flux<String> items(String name) {
            return Flux.defer(() -> {
                state.subscriptions++;
                Flux<String> first = Flux.just(name + " " + state.subscriptions);
                return state.failure == null ? first : first.concatWith(Flux.error(state.failure));
            });
        }

        @GuardedBy("llm") public Mono<String> throwing(Error early) {
            throw early;
        }

        @GuardedBy("llm") public Object hiddenLater() {
            return new DeferredResult<>();
        }

        @GuardedBy("llm") public Object hidden() {
            return Mono.error(new IllegalStateException("nobody sees me"));
        }

        @GuardedBy("llm") public Mono<String> nothing() {
            return null;
        }

        @GuardedBy("llm") public Flux<String> manual() {
            return state.source.flux();
        }

        @GuardedBy(name = "llm", fallback = "help") public Flux<String> helped() {
            return items("helped");
        }

        Flux<String> help(Throwable primary) {
            state.helped.add(primary.getClass().getSimpleName());
            return state.fallbackFailure == null ? Flux.just("instead") : Flux.error(state.fallbackFailure);
        }

        @GuardedBy(name = "llm", cost = "#result * 0.01") public Flux<BigDecimal> priced(int items) {
            return items == 0
                    ? Flux.error(new IllegalStateException("no items"))
                    : Flux.range(1, items).map(BigDecimal::valueOf);
        }

        @GuardedBy(name = "llm", cost = "T(java.math.BigDecimal).ONE")
        public Flux<String> recording(CostRecorder costs) {
            CostRecorder handle = costs.current();
            return Flux.just("a", "b").doOnNext(item -> {
                costs.record(1, 1, BigDecimal.ZERO);
                handle.record(0, 1, BigDecimal.ZERO);
            });
        }

        @GuardedBy("llm") public Mono<String> hopping(CostRecorder costs) {
            return Mono.just("hopped")
                    .publishOn(Schedulers.boundedElastic())
                    .doOnNext(item -> costs.record(1, 1, BigDecimal.ZERO));
        }

        @GuardedBy("llm") public Mono<String> nesting(Remote self) {
            return Mono.just("go").publishOn(Schedulers.boundedElastic()).flatMap(item -> self.mono());
        }

        @GuardedBy("llm") public Flux<String> nestingLater(Remote self) {
            return Flux.range(1, 2).map(self::plain);
        }

        @GuardedBy("llm") public String plain(int number) {
            return "plain " + number;
        }

        @GuardedBy("llm") public Mono<String> looking(List<String> seen) {
            return Mono.deferContextual(view -> {
                seen.add(view.get("user"));
                return Mono.just("looked");
            });
        }
    }
}
