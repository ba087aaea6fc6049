package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.GuardedBy;
import io.smallrye.mutiny.Uni;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.MDC;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.security.authentication.TestingAuthenticationToken;
import org.springframework.security.core.context.SecurityContextHolder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Bugs of futures, publishers and threads that were reported against others, as stories with us in their place. Each test
 * begins with the report: {@code r4j} is Resilience4j's tracker, {@code scc} Spring Cloud CircuitBreaker's.
 */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
final class ReportedReactiveBugsTest {
    /** The ways to get a result that is not there yet; a caller that holds it as a future can give it up in all. */
    enum Way {
        STAGE(1_000_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.stage().toCompletableFuture();
            }
        },
        PRICED(100_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.priced();
            }
        },
        HELPED(100_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.helped();
            }
        },
        MONO(1_000_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.mono().toFuture();
            }
        },
        HELPED_MONO(100_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.helpedMono().toFuture();
            }
        },
        FLUX(1_000_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.flux().singleOrEmpty().toFuture();
            }
        },
        UNI(100_000) {
            @Override
            CompletableFuture<Object> call(Remote remote) {
                return remote.uni().subscribeAsCompletionStage();
            }
        };

        /** So many calls are enough to see what is kept of them. */
        final int many;

        Way(int many) {
            this.many = many;
        }

        abstract CompletableFuture<Object> call(Remote remote);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void r4j2198_throwingPredicate_leavesNoStageHanging_andTheCallerItsOwnException(Way way) {
        CircuitBreakerCustomizer throwing = (name, builder) -> builder.recordIf(thrown -> {
                    throw new IllegalStateException("predicate over exceptions");
                })
                .failOnResult(result -> {
                    throw new IllegalStateException("predicate over results");
                });
        application(Remote.class)
                .withBean(CircuitBreakerCustomizer.class, () -> throwing)
                .run(context -> {
                    Remote remote = context.getBean(Remote.class);
                    CompletableFuture<Object> failing = way.call(remote);
                    IOException down = new IOException("down");
                    remote.pending().completeExceptionally(down);
                    if (way == Way.HELPED || way == Way.HELPED_MONO) {
                        assertThat(failing.get(1, TimeUnit.SECONDS)).isEqualTo("instead");
                    } else {
                        assertThat(catchThrowable(() -> failing.get(1, TimeUnit.SECONDS)))
                                .isInstanceOf(ExecutionException.class)
                                .cause()
                                .isSameAs(down);
                    }
                    assertThat(history(context, "remote")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");

                    CompletableFuture<Object> good = way.call(remote);
                    remote.pending().complete("good");
                    assertThat(good.get(1, TimeUnit.SECONDS)).isEqualTo("good");
                    assertThat(history(context, "remote")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open");
                });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void r4j700_nothingAsAResult_isOneSuccess(Way way) {
        application(Remote.class).run(context -> {
            Remote remote = context.getBean(Remote.class);
            CompletableFuture<Object> answer = way.call(remote);
            assertThat(answer).isNotDone();
            remote.pending().complete(null);
            assertThat(answer.get(1, TimeUnit.SECONDS)).isNull();
            assertThat(history(context, "remote")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void r4j497_r4j1427_scc230_whoStopsWaiting_stopsTheCall_andItsProbeIsFree(Way way) {
        application(Remote.class).run(context -> {
            Remote remote = context.getBean(Remote.class);
            breaker(context, "remote").forceOpen();
            advance(context, Duration.ofSeconds(10));
            CompletableFuture<Object> given = way.call(remote);
            CompletableFuture<Object> inner = remote.pending();
            assertThat(inner).isNotDone();

            assertThat(given.cancel(true)).isTrue();

            assertThat(inner).isCancelled();
            assertThat(catchThrowable(() -> given.get(1, TimeUnit.SECONDS))).isInstanceOf(CancellationException.class);
            assertThat(history(context, "remote")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, half_open");
            CompletableFuture<Object> next = way.call(remote);
            remote.pending().complete("recovered");
            assertThat(next.get(1, TimeUnit.SECONDS)).isEqualTo("recovered");
            assertThat(history(context, "remote")).isEqualTo("1 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void scc174_r4j1748_noThreadIsHopped_nothingOfItIsLost_andNothingTimesOut() {
        application(Observer.class)
                .withPropertyValues("guardedby.defaults.failure-threshold=5")
                .run(context -> {
                    Observer observer = context.getBean(Observer.class);
                    Observer.USER.set("ada");
                    MDC.put("trace", "4711");
                    SecurityContextHolder.getContext()
                            .setAuthentication(new TestingAuthenticationToken("lovelace", "secret"));
                    try {
                        observer.plain(() -> advance(context, Duration.ofSeconds(3)));
                        observer.stage(() -> advance(context, Duration.ofHours(3)))
                                .toCompletableFuture()
                                .get();
                        observer.mono(() -> advance(context, Duration.ofHours(3)))
                                .block();
                        observer.flux().blockLast();
                    } finally {
                        Observer.USER.remove();
                        MDC.clear();
                        SecurityContextHolder.clearContext();
                    }
                    String here = " on " + Thread.currentThread().getName() + " for ada lovelace in 4711";
                    assertThat(observer.seen())
                            .containsExactly(
                                    "plain" + here,
                                    "plainly" + here,
                                    "stage" + here,
                                    "soon" + here,
                                    "mono" + here,
                                    "subscribed" + here,
                                    "just" + here,
                                    "flux" + here,
                                    "item" + here,
                                    "item" + here);
                    assertThat(history(context, "observer")).isEqualTo("1 ok, 3 failed, 0 ignored, 0 refused, closed");
                });
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void hystrix1962_quickCalls_areForgottenAtOnce_theFailedOnesToo_whateverTheTimeouts(Way way) {
        patient().run(context -> {
            Remote remote = context.getBean(Remote.class);
            List<WeakReference<Object>> ended = new ArrayList<>();
            // It is the first of the JDK's timers, whose thread would else be woken by each of a million calls.
            CompletableFuture<Object> first = new CompletableFuture<>().orTimeout(9, TimeUnit.MINUTES);
            int done = 0;
            for (int i = 0; i < way.many; i++) {
                CompletableFuture<Object> answer = way.call(remote).orTimeout(10, TimeUnit.MINUTES);
                Object end = i % 2 == 0 ? new Object() : new QuietException();
                if (end instanceof Throwable failure) {
                    remote.pending().completeExceptionally(failure);
                } else {
                    remote.pending().complete(end);
                }
                done += answer.isDone() ? 1 : 0;
                if (i % 1000 < 2) {
                    ended.add(new WeakReference<>(end));
                    ended.add(new WeakReference<>(answer));
                }
            }
            first.cancel(true);
            remote.forget();
            assertThat(done).isEqualTo(way.many);
            assertThat(history(context, "remote"))
                    .isEqualTo(way.many / 2 + " ok, " + way.many / 2 + " failed, 0 ignored, 0 refused, closed");
            collectGarbage(ended);
            assertThat(ended).hasSize(4 * way.many / 1000).allMatch(reference -> reference.get() == null);
        });
    }

    @Test
    void hystrix1962_oneMonoSubscribedAMillionTimes_forgetsItsSubscriptions() {
        patient().run(context -> {
            Remote remote = context.getBean(Remote.class);
            Mono<Object> once = remote.mono();
            List<WeakReference<Object>> ended = new ArrayList<>();
            for (int i = 0; i < Way.MONO.many; i++) {
                CompletableFuture<Object> answer = once.toFuture();
                remote.pending().complete(new Object());
                if (i % 1000 == 0) {
                    ended.add(new WeakReference<>(answer.get()));
                }
            }
            remote.forget();
            assertThat(history(context, "remote"))
                    .isEqualTo(Way.MONO.many + " ok, 0 failed, 0 ignored, 0 refused, closed");
            collectGarbage(ended);
            assertThat(ended).hasSize(Way.MONO.many / 1000).allMatch(reference -> reference.get() == null);
            assertThat(once).isNotNull();
        });
    }

    @Test
    void r4j2122_r4j2224_crowdOfVirtualThreads_pinsNoCarrier(@TempDir Path folder) {
        int java = Runtime.version().feature();
        if (java < 21) {
            System.out.println("Skipped r4j2122: virtual threads came with Java 21, this is Java " + java);
        }
        assumeTrue(java >= 21);
        patient().run(context -> {
            Remote remote = context.getBean(Remote.class);
            // The first to use a class has it loaded, which pins in every version.
            crowd(remote, 1_000);
            long before = breaker(context, "remote").stats().totalSuccesses();
            Path file = folder.resolve("pinned.jfr");
            try (Recording recording = new Recording()) {
                recording
                        .enable("jdk.VirtualThreadPinned")
                        .withThreshold(Duration.ZERO)
                        .withStackTrace();
                recording.start();
                crowd(remote, 10_000);
                recording.stop();
                recording.dump(file);
            }
            assertThat(breaker(context, "remote").stats().totalSuccesses() - before)
                    .isEqualTo(10_000L * (Way.values().length + 1));
            assertThat(RecordingFile.readAllEvents(file))
                    .filteredOn(ReportedReactiveBugsTest::isOurs)
                    .isEmpty();
        });
    }

    private static void crowd(Remote remote, int size) throws Exception {
        // Compiled for Java 17, which has no virtual threads.
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        for (int i = 0; i < size; i++) {
            threads.execute(() -> {
                remote.parking();
                for (Way way : Way.values()) {
                    remote.willEndAtOnce();
                    way.call(remote).join();
                }
            });
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(2, TimeUnit.MINUTES)).isTrue();
    }

    private static boolean isOurs(RecordedEvent event) {
        if (event.getStackTrace() == null) {
            return false;
        }
        for (RecordedFrame frame : event.getStackTrace().getFrames()) {
            String type = frame.getMethod().getType().getName();
            if (type.equals(ClassLoader.class.getName())) {
                return false;
            }
            if (type.startsWith("dev.guardedby.") && !type.startsWith(ReportedReactiveBugsTest.class.getName())) {
                return true;
            }
        }
        return false;
    }

    /** An application whose breaker neither trips nor lets go of a call for ten minutes, and looks for calls that hang. */
    private static ApplicationContextRunner patient() {
        return application(Remote.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=" + Integer.MAX_VALUE,
                        "guardedby.defaults.probe-timeout=10m",
                        "guardedby.defaults.slow-call-duration=10m",
                        "guardedby.defaults.slow-call-rate-threshold=100",
                        "guardedby.defaults.window=10m");
    }

    private static void collectGarbage(List<WeakReference<Object>> examples) {
        for (int i = 0; i < 100 && examples.stream().anyMatch(example -> example.get() != null); i++) {
            System.gc();
        }
    }

    private static void advance(ApplicationContext context, Duration step) {
        ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).advance(step);
    }

    private static final class QuietException extends Exception {
        private static final long serialVersionUID = 1;

        QuietException() {
            super("down", null, true, false);
        }
    }

    static class Remote {
        private static final ThreadLocal<CompletableFuture<Object>> PENDING = new ThreadLocal<>();
        private static final ThreadLocal<Boolean> AT_ONCE = ThreadLocal.withInitial(() -> false);

        CompletableFuture<Object> pending() {
            return PENDING.get();
        }

        void willEndAtOnce() {
            AT_ONCE.set(true);
        }

        void forget() {
            PENDING.remove();
        }

        private CompletableFuture<Object> begin() {
            PENDING.set(AT_ONCE.get() ? CompletableFuture.completedFuture("at once") : new CompletableFuture<>());
            return PENDING.get();
        }

        @GuardedBy("remote") public void parking() {
            LockSupport.parkNanos(1_000);
        }

        @GuardedBy("remote") public CompletionStage<Object> stage() {
            return begin();
        }

        @GuardedBy(name = "remote", cost = "0") public CompletableFuture<Object> priced() {
            return begin();
        }

        @GuardedBy(name = "remote", fallback = "soon") public CompletableFuture<Object> helped() {
            return begin();
        }

        private CompletableFuture<Object> soon(Throwable primary) {
            return CompletableFuture.completedFuture("instead");
        }

        @GuardedBy("remote") public Mono<Object> mono() {
            return Mono.fromFuture(this::begin);
        }

        @GuardedBy(name = "remote", fallback = "just") public Mono<Object> helpedMono() {
            return Mono.fromFuture(this::begin);
        }

        private Mono<Object> just(Throwable primary) {
            return Mono.just("instead");
        }

        @GuardedBy("remote") public Flux<Object> flux() {
            return Flux.from(Mono.fromFuture(this::begin));
        }

        @GuardedBy("remote") public Uni<Object> uni() {
            return Uni.createFrom().completionStage(this::begin);
        }
    }

    static class Observer {
        static final ThreadLocal<String> USER = new ThreadLocal<>();
        private final List<String> seen = new ArrayList<>();

        List<String> seen() {
            return seen;
        }

        private void see(String what) {
            seen.add(what + " on " + Thread.currentThread().getName() + " for " + USER.get() + " "
                    + SecurityContextHolder.getContext().getAuthentication().getName() + " in " + MDC.get("trace"));
        }

        @GuardedBy(name = "observer", fallback = "plainly") public String plain(Runnable work) throws IOException {
            see("plain");
            work.run();
            throw new IOException("down");
        }

        private String plainly(Runnable work) {
            see("plainly");
            return "instead";
        }

        @GuardedBy(name = "observer", fallback = "soon") public CompletionStage<String> stage(Runnable work) {
            see("stage");
            work.run();
            return CompletableFuture.failedStage(new IOException("down"));
        }

        private CompletionStage<String> soon(Runnable work) {
            see("soon");
            return CompletableFuture.completedStage("instead");
        }

        @GuardedBy(name = "observer", fallback = "just") public Mono<String> mono(Runnable work) {
            see("mono");
            return Mono.defer(() -> {
                see("subscribed");
                work.run();
                return Mono.error(new IOException("down"));
            });
        }

        private Mono<String> just(Runnable work) {
            see("just");
            return Mono.just("instead");
        }

        @GuardedBy("observer") public Flux<String> flux() {
            see("flux");
            return Flux.just("a", "b").doOnNext(item -> see("item"));
        }
    }
}
