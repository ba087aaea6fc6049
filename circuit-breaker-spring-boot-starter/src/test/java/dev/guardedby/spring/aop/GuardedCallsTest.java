package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

final class GuardedCallsTest {
    private final ApplicationContextRunner application = application(Wire.class, Remote.class);

    @Test
    void outage_isCutOff_andEndsWithTheFirstCallThatWorks() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            FakeTicker time = context.getBean(FakeTicker.class);

            assertThat(remote.ask("a")).isEqualTo("answer to a");
            wire.outage = new IOException("down");
            failing(() -> remote.ask("b"));
            failing(() -> remote.ask("c"));
            assertThat(history(context, "remote")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, open");

            assertThatExceptionOfType(CallNotPermittedException.class)
                    .isThrownBy(() -> remote.ask("d"))
                    .satisfies(refused -> {
                        assertThat(refused.name()).isEqualTo("remote");
                        assertThat(refused.state()).isEqualTo(CircuitState.OPEN);
                        assertThat(refused.retryAfter()).contains(Duration.ofSeconds(10));
                    });
            assertThat(wire.asked).hasValue(3);

            wire.outage = null;
            time.advance(Duration.ofSeconds(10));
            assertThat(remote.ask("e")).isEqualTo("answer to e");
            assertThat(history(context, "remote")).isEqualTo("2 ok, 2 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void caller_getsTheVeryExceptionThatWasThrown() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            for (Throwable thrown : new Throwable[] {
                new IOException("checked"), new IllegalStateException("unchecked"), new StackOverflowError("error")
            }) {
                wire.outage = thrown;
                assertThat(catchThrowable(() -> remote.ask("a"))).isSameAs(thrown);
                Guarded.breaker(context, "remote").reset();
            }
            assertThat(history(context, "remote")).isEqualTo("0 ok, 3 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void ignoredException_isNoFailure() {
        application
                .withPropertyValues("guardedby.defaults.ignore-exceptions=java.lang.IllegalArgumentException")
                .run(context -> {
                    Remote remote = context.getBean(Remote.class);
                    Wire wire = context.getBean(Wire.class);
                    wire.outage = new IllegalArgumentException("the caller's mistake");
                    for (int i = 0; i < 5; i++) {
                        assertThat(catchThrowable(() -> remote.ask("a"))).isSameAs(wire.outage);
                    }
                    assertThat(history(context, "remote")).isEqualTo("0 ok, 0 failed, 5 ignored, 0 refused, closed");
                });
    }

    @Test
    void methodThatReturnsNothing_isGuarded() {
        application.run(context -> {
            context.getBean(Remote.class).tell("a");
            assertThat(history(context, "remote")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void nullIsAResult() {
        application.run(context -> {
            assertThat(context.getBean(Remote.class).nothing()).isNull();
            assertThat(history(context, "remote")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void future_countsWhenItEnds_notWhenItIsReturned() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            CompletableFuture<String> good = remote.askLater();
            CompletableFuture<String> bad = remote.pending();
            assertThat(history(context, "later")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");

            CompletableFuture<String> answer = wire.inner;
            assertThat(good).isNotDone();
            answer.complete("late");
            assertThat(good.get()).isEqualTo("late");
            assertThat(history(context, "later")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");

            IOException down = new IOException("down");
            wire.other.completeExceptionally(down);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(bad::get)
                    .satisfies(e -> assertThat(e.getCause()).isSameAs(down));
            assertThat(history(context, "later")).isEqualTo("1 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void refusedFuture_isAFailedOne_andNothingIsCalled() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            Guarded.breaker(context, "later").forceOpen();
            CompletableFuture<String> refused = remote.askLater();
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(refused::get)
                    .withCauseInstanceOf(CallNotPermittedException.class);
            assertThat(wire.inner).isNull();
        });
    }

    @Test
    void methodThatThrowsBeforeItHasAFuture_givesAFailedOne() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            wire.outage = new IOException("no connection");
            CompletionStage<String> failed = remote.stage();
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> failed.toCompletableFuture().get())
                    .satisfies(e -> assertThat(e.getCause()).isSameAs(wire.outage));
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void methodThatReturnsNullForAFuture_hasFailed() {
        application.run(context -> {
            CompletableFuture<String> failed = context.getBean(Remote.class).noFuture();
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(failed::get)
                    .withCauseInstanceOf(NullPointerException.class);
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void cancellingTheFuture_cancelsTheCall_andIsNoFailure() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            CompletableFuture<String> future = remote.askLater();
            future.cancel(true);
            assertThat(wire.inner).isCancelled();
            assertThatExceptionOfType(CancellationException.class).isThrownBy(future::get);
            assertThat(history(context, "later")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void futureThatTheCallerGivesUpOnByATimeout_isAFailure() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            Wire wire = context.getBean(Wire.class);
            CompletableFuture<String> future = remote.askLater().orTimeout(1, TimeUnit.MILLISECONDS);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(future::get)
                    .withCauseInstanceOf(TimeoutException.class);
            assertThat(wire.inner).isCancelled();
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void callMadeInsideAProbe_ofTheSameBreaker_ridesOnIt() {
        application(Wire.class, Remote.class, Outer.class).run(context -> {
            Guarded.breaker(context, "remote").forceOpen();
            context.getBean(FakeTicker.class).advance(Duration.ofSeconds(10));
            assertThat(context.getBean(Outer.class).askTwice()).isEqualTo("answer to a, answer to b");
            assertThat(history(context, "remote")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    /** What is behind the bean: a test reaches it past the proxy. */
    static final class Wire {
        volatile @Nullable Throwable outage;
        volatile @Nullable CompletableFuture<String> inner;
        volatile @Nullable CompletableFuture<String> other;
        final AtomicInteger asked = new AtomicInteger();
    }

    static class Remote {
        private final Wire wire;

        Remote(Wire wire) {
            this.wire = wire;
        }

        @GuardedBy("remote") public String ask(String question) throws IOException {
            wire.asked.incrementAndGet();
            fail();
            return "answer to " + question;
        }

        @GuardedBy("remote") public void tell(String news) {
            wire.asked.incrementAndGet();
        }

        @GuardedBy("remote") public @Nullable String nothing() {
            return null;
        }

        @GuardedBy("later") public CompletableFuture<String> askLater() {
            wire.inner = new CompletableFuture<>();
            return wire.inner;
        }

        @GuardedBy("later") public CompletableFuture<String> pending() {
            wire.other = new CompletableFuture<>();
            return wire.other;
        }

        @GuardedBy("later") public CompletionStage<String> stage() throws IOException {
            fail();
            return CompletableFuture.completedStage("stage");
        }

        @GuardedBy("later") public @Nullable CompletableFuture<String> noFuture() {
            return null;
        }

        private void fail() throws IOException {
            if (wire.outage instanceof IOException e) {
                throw e;
            }
            if (wire.outage instanceof RuntimeException e) {
                throw e;
            }
            if (wire.outage instanceof Error e) {
                throw e;
            }
        }
    }

    static class Outer {
        private final Remote remote;

        Outer(Remote remote) {
            this.remote = remote;
        }

        @GuardedBy("remote") public String askTwice() throws IOException {
            return remote.ask("a") + ", " + remote.ask("b");
        }
    }
}
