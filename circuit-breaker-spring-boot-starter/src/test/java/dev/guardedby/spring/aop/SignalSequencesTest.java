package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.Permit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.context.ApplicationContext;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Hooks;
import reactor.core.publisher.Mono;

/**
 * Random signals of several subscriptions at a time, beside a breaker that is told by hand what each subscription comes to:
 * after every step both have counted the same and are in the same state, the source has seen what was asked of it and the
 * subscriber what was signalled up to the end.
 */
final class SignalSequencesTest {
    private static final LoggingSystem LOGGING = LoggingSystem.get(SignalSequencesTest.class.getClassLoader());
    private static final int SEEDS = 300;
    private static final int STEPS = 60;

    private final List<Object> dropped = new ArrayList<>();
    private final Set<String> seen = new LinkedHashSet<>();

    @BeforeEach
    void listenToWhatIsDropped_andToNoLog() {
        LOGGING.setLogLevel("dev.guardedby", LogLevel.OFF);
        Hooks.onErrorDropped(dropped::add);
        Hooks.onNextDropped(dropped::add);
    }

    @AfterEach
    void asBefore() {
        LOGGING.setLogLevel("dev.guardedby", null);
        Hooks.resetOnErrorDropped();
        Hooks.resetOnNextDropped();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sourcesThatKeepTheRules(boolean many) {
        application(Gate.class).run(context -> {
            for (int seed = 0; seed < SEEDS; seed++) {
                new Sequence(context, many, false, new Random(seed)).run(seed);
            }
        });
        assertThat(dropped).isEmpty();
        assertThat(seen).contains("refused", "item", "failure", "completion", "cancelled before", "empty");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void sourcesThatGoOnAfterTheirEnd(boolean many) {
        application(Gate.class).run(context -> {
            for (int seed = 0; seed < SEEDS; seed++) {
                new Sequence(context, many, true, new Random(seed)).run(seed);
            }
        });
        assertThat(dropped).isNotEmpty();
        assertThat(seen).contains("signal after the end");
    }

    /** Some subscriptions, and what is to come of them. */
    private final class Sequence {
        private final boolean many;
        private final boolean lawless;
        private final Random random;
        private final Gate gate;
        private final CircuitBreaker breaker;
        private final FakeTicker time;
        private final CircuitBreaker model;
        private final List<Call> calls = new ArrayList<>();
        private final CircuitBreakerStats before;

        Sequence(ApplicationContext context, boolean many, boolean lawless, Random random) {
            this.many = many;
            this.lawless = lawless;
            this.random = random;
            gate = context.getBean(Gate.class);
            breaker = Guarded.breaker(context, "llm");
            time = (FakeTicker) context.getBean("guardedByTicker", LongSupplier.class);
            breaker.reset();
            before = breaker.stats();
            model = CircuitBreaker.builder("model")
                    .failureThreshold(2)
                    .recoveryTimeout(Duration.ofSeconds(10))
                    .ticker(time)
                    .build();
        }

        void run(int seed) {
            for (int step = 0; step < STEPS; step++) {
                step();
                assertThat(added(breaker.stats(), before))
                        .as("seed %s, step %s, %s", seed, step, calls)
                        .isEqualTo(added(model.stats(), null));
                for (Call call : calls) {
                    call.check();
                }
            }
            calls.forEach(Call::cancel);
            assertThat(added(breaker.stats(), before)).as("seed %s", seed).isEqualTo(added(model.stats(), null));
        }

        private void step() {
            if (calls.isEmpty() || random.nextInt(6) == 0) {
                calls.add(new Call());
                return;
            }
            if (random.nextInt(10) == 0) {
                time.advance(Duration.ofSeconds(5));
                return;
            }
            Call call = calls.get(random.nextInt(calls.size()));
            switch (random.nextInt(9)) {
                case 0, 1, 2 -> call.request(1 + random.nextInt(3));
                case 3, 4, 5 -> call.item();
                case 6 -> call.complete();
                case 7 -> call.fail();
                default -> call.cancel();
            }
        }

        private String added(CircuitBreakerStats stats, @Nullable CircuitBreakerStats since) {
            return stats.totalSuccesses() - (since == null ? 0 : since.totalSuccesses()) + " ok, "
                    + (stats.totalFailures() - (since == null ? 0 : since.totalFailures())) + " failed, "
                    + (stats.totalIgnored() - (since == null ? 0 : since.totalIgnored())) + " ignored, "
                    + (stats.totalRejected() - (since == null ? 0 : since.totalRejected())) + " refused, "
                    + (stats.stale() - (since == null ? 0 : since.stale())) + " stale, "
                    + stats.consecutiveFailures() + " in a row, " + stats.state();
        }

        /** One subscription with its source, its subscriber and its permit in the model. */
        private final class Call implements Publisher<Integer> {
            private final @Nullable Permit permit = model.tryAcquire().orElse(null);
            private final List<Long> asked = new ArrayList<>();
            private final List<Long> requested = new ArrayList<>();
            private final List<String> heard = new ArrayList<>();
            private final List<String> expected = new ArrayList<>();
            private @Nullable Subscriber<? super Integer> source;
            private @Nullable Subscription subscription;
            private long demand;
            private int items;
            private boolean cancelled;
            private boolean sourceCancelled;
            private boolean sourceEnded;

            Call() {
                if (many) {
                    gate.flux(Flux.from(this)).subscribe(hearing());
                } else {
                    gate.mono(Mono.fromDirect(this)).subscribe(hearing());
                }
                if (permit == null) {
                    expected.add("CallNotPermittedException");
                    seen.add("refused");
                }
            }

            void request(long n) {
                if (isOver()) {
                    return;
                }
                requested.add(n);
                demand += n;
                subscription.request(n);
            }

            void item() {
                boolean isLawful = !sourceEnded && demand > 0 && (many || items == 0);
                if (source == null || sourceCancelled || (!isLawful && !(lawless && sourceEnded))) {
                    return;
                }
                if (isLawful) {
                    demand--;
                    items++;
                    expected.add("item " + items);
                    seen.add("item");
                    if (!many) {
                        permit.success();
                    }
                } else {
                    seen.add("signal after the end");
                }
                source.onNext(isLawful ? items : -1);
            }

            void complete() {
                if (ends("complete", items == 0 ? "empty" : "completion")) {
                    permit.success();
                    source.onComplete();
                } else if (mayBreakTheRules()) {
                    source.onComplete();
                }
            }

            void fail() {
                if (ends("IllegalStateException", "failure")) {
                    permit.failure(new IllegalStateException("down"));
                    source.onError(new IllegalStateException("down"));
                } else if (mayBreakTheRules()) {
                    source.onError(new IllegalStateException("late"));
                }
            }

            private boolean mayBreakTheRules() {
                return lawless && source != null && sourceEnded;
            }

            private boolean ends(String signal, String rarity) {
                if (source == null || sourceCancelled || sourceEnded) {
                    return false;
                }
                sourceEnded = true;
                expected.add(signal);
                seen.add(rarity);
                return true;
            }

            void cancel() {
                if (isOver()) {
                    return;
                }
                cancelled = true;
                if (items > 0) {
                    permit.success();
                } else {
                    permit.cancel();
                    seen.add("cancelled before");
                }
                subscription.cancel();
            }

            private boolean isOver() {
                return permit == null || cancelled || sourceEnded;
            }

            void check() {
                assertThat(heard).isEqualTo(expected);
                assertThat(asked).isEqualTo(requested);
                assertThat(sourceCancelled).isEqualTo(cancelled);
                assertThat(source == null).isEqualTo(permit == null);
            }

            @Override
            public void subscribe(Subscriber<? super Integer> subscriber) {
                source = subscriber;
                subscriber.onSubscribe(new Subscription() {
                    @Override
                    public void request(long n) {
                        asked.add(n);
                    }

                    @Override
                    public void cancel() {
                        sourceCancelled = true;
                    }
                });
            }

            private CoreSubscriber<Integer> hearing() {
                return new CoreSubscriber<>() {
                    @Override
                    public void onSubscribe(Subscription given) {
                        subscription = given;
                    }

                    @Override
                    public void onNext(Integer item) {
                        heard.add("item " + item);
                    }

                    @Override
                    public void onError(Throwable thrown) {
                        heard.add(thrown.getClass().getSimpleName());
                    }

                    @Override
                    public void onComplete() {
                        heard.add("complete");
                    }
                };
            }

            @Override
            public String toString() {
                return expected + (cancelled ? " cancelled" : "");
            }
        }
    }
}
