package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static dev.guardedby.spring.aop.Guarded.order;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.keys.Keys;
import io.github.resilience4j.bulkhead.BulkheadFullException;
import io.github.resilience4j.bulkhead.annotation.Bulkhead;
import io.github.resilience4j.retry.annotation.Retry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.resilience.InvocationRejectedException;
import org.springframework.resilience.annotation.ConcurrencyLimit;
import org.springframework.resilience.annotation.EnableResilientMethods;
import org.springframework.resilience.annotation.Retryable;
import org.springframework.resilience.retry.MethodRetryPredicate;
import org.springframework.retry.annotation.Backoff;
import org.springframework.retry.annotation.EnableRetry;
import reactor.core.publisher.Mono;

/** A retry makes guarded calls, each of them one record, and the fallback answers after the last. */
@ExtendWith(OutputCaptureExtension.class)
final class RetryTest {

    private static ApplicationContextRunner ofSpring(Class<?>... beans) {
        return application(beans).withUserConfiguration(WithRetryable.class);
    }

    private static ApplicationContextRunner ofSpringRetry(Class<?>... beans) {
        return application(beans).withUserConfiguration(WithSpringRetry.class);
    }

    private static ApplicationContextRunner ofResilience4j(Class<?>... beans) {
        return application(beans)
                .withConfiguration(AutoConfigurations.of(
                        io.github.resilience4j.springboot.retry.autoconfigure.RetryAutoConfiguration.class,
                        io.github.resilience4j.springboot.bulkhead.autoconfigure.BulkheadAutoConfiguration.class))
                .withPropertyValues(
                        "resilience4j.retry.instances.shop.max-attempts=3",
                        "resilience4j.retry.instances.shop.wait-duration=1ms",
                        "resilience4j.bulkhead.instances.full.max-concurrent-calls=1");
    }

    private static void advance(ApplicationContext context, Duration step) {
        ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).advance(step);
    }

    private static void eachAttemptIsOneRecord_andTheFallbackAnswersAfterTheLast(ApplicationContext context) {
        Shop shop = context.getBean(Shop.class);
        assertThat(order(shop)).isEqualTo("fallback > retry > guard");
        shop.failing(2);
        assertThat(shop.buy("a")).isEqualTo("bought a");
        assertThat(history(context, "shop")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, closed");
        shop.failing(3);
        assertThat(shop.buy("b")).isEqualTo("later b: b fails");
        assertThat(history(context, "shop")).isEqualTo("1 ok, 5 failed, 0 ignored, 0 refused, closed");
    }

    private static void openBreaker_isAnsweredForBeforeTheFirstAttempt(ApplicationContext context) {
        Shop shop = context.getBean(Shop.class);
        breaker(context, "shop").forceOpen();
        assertThat(shop.buy("a"))
                .isEqualTo("later a: Circuit breaker 'shop' is forced open by an operator," + " next probe in 10.0 s");
        assertThat(history(context, "shop")).isEqualTo("0 ok, 0 failed, 0 ignored, 1 refused, open");
        advance(context, Duration.ofSeconds(10));
        assertThat(shop.buy("b")).isEqualTo("bought b");
        assertThat(history(context, "shop")).isEqualTo("1 ok, 0 failed, 0 ignored, 1 refused, closed");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofSpring_surroundsTheGuard(boolean proxyTargetClass) {
        ApplicationContextRunner runner = ofSpring(OfSpring.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9", "spring.aop.proxy-target-class=" + proxyTargetClass);
        runner.run(RetryTest::eachAttemptIsOneRecord_andTheFallbackAnswersAfterTheLast);
        runner.run(RetryTest::openBreaker_isAnsweredForBeforeTheFirstAttempt);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofSpringRetry_surroundsTheGuard(boolean proxyTargetClass) {
        ApplicationContextRunner runner = ofSpringRetry(OfSpringRetry.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9", "spring.aop.proxy-target-class=" + proxyTargetClass);
        runner.run(RetryTest::eachAttemptIsOneRecord_andTheFallbackAnswersAfterTheLast);
        runner.run(RetryTest::openBreaker_isAnsweredForBeforeTheFirstAttempt);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofResilience4j_surroundsTheGuard(boolean proxyTargetClass) {
        ApplicationContextRunner runner = ofResilience4j(OfResilience4j.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9", "spring.aop.proxy-target-class=" + proxyTargetClass);
        runner.run(RetryTest::eachAttemptIsOneRecord_andTheFallbackAnswersAfterTheLast);
        runner.run(RetryTest::openBreaker_isAnsweredForBeforeTheFirstAttempt);
    }

    @Test
    void breakerThatOpensBetweenAttempts_refusesTheRest_unlessRefusalsAreExcluded() {
        ofSpring(OfSpring.class).run(context -> {
            OfSpring shop = context.getBean(OfSpring.class);
            shop.failing(9);
            assertThat(shop.buy("a")).startsWith("later a: Circuit breaker 'shop' is open");
            assertThat(history(context, "shop")).isEqualTo("0 ok, 2 failed, 0 ignored, 1 refused, open");
        });
        ofSpring(Careful.class).run(context -> {
            Careful careful = context.getBean(Careful.class);
            assertThat(careful.call()).startsWith("Circuit breaker 'careful' is open");
            assertThat(history(context, "careful")).isEqualTo("0 ok, 2 failed, 0 ignored, 1 refused, open");
        });
    }

    @Test
    void withoutAFallback_theRetryIsAskedAboutRefusals() {
        ofSpring(Bare.class).run(context -> {
            breaker(context, "bare").holdOpen();
            Bare bare = context.getBean(Bare.class);
            assertThat(order(bare)).isEqualTo("retry > guard");
            assertThatExceptionOfType(CallNotPermittedException.class).isThrownBy(bare::call);
            assertThat(history(context, "bare")).isEqualTo("0 ok, 0 failed, 0 ignored, 4 refused, open");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "stage", "mono"})
    void keyThatSharesTheBreakerOfTheName_isCountedOnceAnAttempt_andOnceIfItIsRefusedBefore(String shape) {
        ofSpring(Tenants.class)
                .withPropertyValues("guardedby.defaults.max-keys=1")
                .run(context -> {
                    Tenants tenants = context.getBean(Tenants.class);
                    CircuitBreaker name = breaker(context, shape);
                    LongAdder overflow = context.getBean(Keys.class).of(name).overflow();
                    name.forKey("full").holdOpen();

                    assertThat(ask(tenants, shape, "works")).isEqualTo("for works");
                    assertThat(overflow.sum()).isEqualTo(1);
                    name.forceOpen();
                    assertThat(ask(tenants, shape, "works")).isEqualTo("later, works");
                    assertThat(overflow.sum()).isEqualTo(2);
                    name.reset();
                    name.forKey("full").holdOpen();
                    tenants.failing(1);
                    // Spring retries no future, and subscribes once more to the same publisher.
                    assertThat(ask(tenants, shape, "again"))
                            .isEqualTo(shape.equals("stage") ? "later, again" : "for again");
                    assertThat(overflow.sum()).isEqualTo(shape.equals("plain") ? 4 : 3);
                });
    }

    private static @Nullable String ask(Tenants tenants, String shape, String tenant) {
        return switch (shape) {
            case "plain" -> tenants.plain(tenant);
            case "stage" -> tenants.stage(tenant).join();
            default -> tenants.mono(tenant).block();
        };
    }

    @Test
    void openBreaker_isAnsweredForAtOnce_whereAFutureIsReturned() {
        ofSpring(Later.class).run(context -> {
            breaker(context, "later").holdOpen();
            Later later = context.getBean(Later.class);
            assertThat(later.call("a").join()).isEqualTo("kept a");
            assertThat(history(context, "later")).isEqualTo("0 ok, 0 failed, 0 ignored, 1 refused, open");
        });
    }

    @Test
    void fallbackOfARetriedPublisher_isChosenByTheLastFailure_notByItsWrapper() {
        ofSpring(RetriedPublisher.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9",
                        "guardedby.defaults.ignore-exceptions=java.lang.IllegalArgumentException")
                .run(context -> {
                    RetriedPublisher remote = context.getBean(RetriedPublisher.class);

                    assertThat(remote.ask(new UncheckedIOException(new IOException("down")))
                                    .block())
                            .isEqualTo("after UncheckedIOException");
                    assertThat(history(context, "published")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, closed");
                    assertThatThrownBy(() -> remote.ask(new IllegalArgumentException("bad question"))
                                    .block())
                            .hasRootCauseMessage("bad question");
                    assertThat(history(context, "published")).isEqualTo("0 ok, 2 failed, 2 ignored, 0 refused, closed");
                });
    }

    @Test
    void limits_standOutsideTheGuard_andNeverCount() {
        ofSpring(Limited.class).run(context -> {
            Limited limited = context.getBean(Limited.class);
            assertThat(order(limited)).isEqualTo("limit > guard");
            // A call further in: the one place of all is taken as long as this one runs.
            limited.call(() -> {
                for (int i = 0; i < 100; i++) {
                    assertThatExceptionOfType(InvocationRejectedException.class)
                            .isThrownBy(() -> limited.call(() -> {}));
                }
            });
            assertThat(history(context, "limited")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void retriesOfRefusals_areWarnedOf_onceAMethod(CapturedOutput output) {
        ofSpring(Warnings.class)
                .withUserConfiguration(WithSpringRetry.class)
                .withBean("another", Warnings.class, () -> new Warnings())
                .run(context -> {
                    List<String> warned = output.getAll()
                            .lines()
                            .filter(line -> line.contains("@Retryable on"))
                            .map(line -> line.replaceAll(".*Warnings\\.(\\w+)\\(\\).*@(.*)\\)", "$1 $2"))
                            .sorted()
                            .toList();
                    assertThat(warned)
                            .containsExactly(
                                    "allOfSpring Retryable(excludes = CallNotPermittedException.class",
                                    "allOfSpringRetry Retryable(noRetryFor = CallNotPermittedException.class",
                                    "nearestOfSpringRetry Retryable(noRetryFor = CallNotPermittedException.class",
                                    "runtimeOfSpring Retryable(excludes = CallNotPermittedException.class",
                                    "runtimeOfSpringRetry Retryable(noRetryFor = CallNotPermittedException.class");
                });
    }

    @Test
    void warning_saysWhatToWrite(CapturedOutput output) {
        ofSpring(Bare.class)
                .run(context -> assertThat(output.getAll())
                        .contains(
                                "@Retryable on dev.guardedby.spring.aop.RetryTest.Bare.call() makes the call again when the"
                                        + " circuit breaker has refused it, and it is refused again. Exclude refusals, with"
                                        + " @Retryable(excludes = CallNotPermittedException.class)"));
    }

    @Test
    void retryOfAFuture_neverCallsAgain_ofWhichStartUpWarns(CapturedOutput output) {
        ofSpring(Futures.class)
                .withUserConfiguration(WithSpringRetry.class)
                .withPropertyValues("guardedby.defaults.failure-threshold=9")
                .run(context -> {
                    Futures futures = context.getBean(Futures.class);
                    assertThatThrownBy(() -> futures.ofSpring().join()).hasRootCauseMessage("down");
                    assertThatThrownBy(() -> futures.ofSpringRetry().join()).hasRootCauseMessage("down");
                    assertThatThrownBy(
                                    () -> futures.stage().toCompletableFuture().join())
                            .hasRootCauseMessage("down");
                    assertThatThrownBy(() -> futures.mono().block()).hasRootCauseMessage("down");

                    assertThat(history(context, "futures")).isEqualTo("0 ok, 3 failed, 0 ignored, 0 refused, closed");
                    assertThat(history(context, "monos")).isEqualTo("0 ok, 3 failed, 0 ignored, 0 refused, closed");
                    String futuresOf = "dev.guardedby.spring.aop.RetryTest.Futures.";
                    String never =
                            "() never makes the call again: it retries what the method throws, and a CompletableFuture or"
                                    + " CompletionStage fails later. Retry inside the method, or let it return Mono";
                    assertThat(output.getAll().lines().filter(line -> line.contains("@Retryable")))
                            .map(line -> line.substring(line.indexOf("@Retryable")))
                            .containsExactlyInAnyOrder(
                                    "@Retryable on " + futuresOf + "ofSpring" + never,
                                    "@Retryable on " + futuresOf + "ofSpringRetry" + never,
                                    "@Retryable on " + futuresOf + "stage" + never);
                });
    }

    @Test
    void localRejectionFurtherIn_isNoFailureOfTheOuterCall() {
        ofSpring(Limited.class, AroundLimited.class).run(context -> {
            Limited limited = context.getBean(Limited.class);
            AroundLimited around = context.getBean(AroundLimited.class);
            limited.call(() -> {
                for (int i = 0; i < 100; i++) {
                    assertThatExceptionOfType(InvocationRejectedException.class).isThrownBy(around::call);
                }
            });
            assertThat(history(context, "around")).isEqualTo("0 ok, 0 failed, 100 ignored, 0 refused, closed");
        });
    }

    @Test
    void reported_resilience4j364_resilience4j534_documentedOrderIsTheOneThereIs() {
        // Equal numbers of aspects, and a getter that returned a constant, made the order one of chance.
        ofResilience4j(OfResilience4j.class, FullBulkhead.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=9",
                        "resilience4j.retry.retry-aspect-order=2147483646",
                        "resilience4j.bulkhead.bulkhead-aspect-order=2147483647")
                .run(context -> {
                    assertThat(order(context.getBean(OfResilience4j.class))).isEqualTo("fallback > retry > guard");
                    assertThat(order(context.getBean(FullBulkhead.class))).isEqualTo("retry > limit > guard");
                });
    }

    @Test
    void reported_resilience4j558_retryStillRetries_andTheFallbackHidesNothingFromIt() {
        ofResilience4j(OfResilience4j.class)
                .withPropertyValues("guardedby.defaults.failure-threshold=9")
                .run(context -> {
                    OfResilience4j shop = context.getBean(OfResilience4j.class);
                    shop.failing(2);
                    assertThat(shop.buy("a")).isEqualTo("bought a");
                    assertThat(history(context, "shop")).isEqualTo("1 ok, 2 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void reported_resilience4j1657_hundredLocalRejections_openNothing() {
        ofResilience4j(FullBulkhead.class).run(context -> {
            FullBulkhead full = context.getBean(FullBulkhead.class);
            full.call(() -> {
                for (int i = 0; i < 100; i++) {
                    assertThatExceptionOfType(BulkheadFullException.class).isThrownBy(() -> full.call(() -> {}));
                }
            });
            assertThat(history(context, "full")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Configuration
    @EnableResilientMethods
    static class WithRetryable {}

    @Configuration
    @EnableRetry
    static class WithSpringRetry {}

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    static class Tenants {
        private int failing;

        void failing(int times) {
            failing = times;
        }

        @GuardedBy(name = "plain", key = "#a0", fallback = "later") @Retryable(maxRetries = 2, delay = 0)
        public String plain(String tenant) {
            if (failing > 0) {
                failing--;
                throw new IllegalStateException(tenant + " fails");
            }
            return "for " + tenant;
        }

        @GuardedBy(name = "stage", key = "#a0", fallback = "laterStage") @Retryable(maxRetries = 2, delay = 0)
        public CompletableFuture<String> stage(String tenant) {
            return CompletableFuture.completedFuture(plain(tenant));
        }

        @GuardedBy(name = "mono", key = "#a0", fallback = "laterMono") @Retryable(maxRetries = 2, delay = 0)
        public Mono<String> mono(String tenant) {
            return Mono.fromCallable(() -> plain(tenant));
        }

        String later(String tenant) {
            return "later, " + tenant;
        }

        CompletableFuture<String> laterStage(String tenant) {
            return CompletableFuture.completedFuture(later(tenant));
        }

        Mono<String> laterMono(String tenant) {
            return Mono.just(later(tenant));
        }
    }

    interface Shop {
        void failing(int times);

        String buy(String what);
    }

    /** On the interface, where Spring finds it also if that is all that a proxy has. */
    interface RetriedShop extends Shop {
        @Override
        @Retryable(maxRetries = 2, delay = 0)
        String buy(String what);
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
    abstract static class AnyShop implements Shop {
        private int failing;

        @Override
        public void failing(int times) {
            failing = times;
        }

        String sell(String what) {
            if (failing > 0) {
                failing--;
                throw new IllegalStateException(what + " fails");
            }
            return "bought " + what;
        }

        private String later(String what, Exception failure) {
            return "later " + what + ": " + failure.getMessage();
        }
    }

    static class OfSpring extends AnyShop implements RetriedShop {
        @Override
        @GuardedBy(name = "shop", fallback = "later") public String buy(String what) {
            return sell(what);
        }
    }

    static class OfSpringRetry extends AnyShop {
        @Override
        @org.springframework.retry.annotation.Retryable(maxAttempts = 3, backoff = @Backoff(0))
        @GuardedBy(name = "shop", fallback = "later") public String buy(String what) {
            return sell(what);
        }
    }

    static class OfResilience4j extends AnyShop {
        @Override
        @Retry(name = "shop")
        @GuardedBy(name = "shop", fallback = "later") public String buy(String what) {
            return sell(what);
        }
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Careful {
        @Retryable(maxRetries = 9, delay = 0, excludes = CallNotPermittedException.class)
        @GuardedBy(name = "careful", fallback = "message") public String call() {
            throw new IllegalStateException("down");
        }

        private String message(Exception failure) {
            return failure.getMessage();
        }
    }

    static class Bare {
        @Retryable(delay = 0)
        @GuardedBy("bare") public String call() {
            return "done";
        }
    }

    @SuppressWarnings("UnusedMethod") // fallbacks are found by name
    static class Later {
        @Retryable(delay = 0)
        @GuardedBy(name = "later", fallback = "kept") public CompletableFuture<String> call(String what) {
            return CompletableFuture.completedFuture("done " + what);
        }

        private CompletableFuture<String> kept(String what) {
            return CompletableFuture.completedFuture("kept " + what);
        }
    }

    static class RetriedPublisher {
        @Retryable(maxRetries = 1, delay = 0, excludes = CallNotPermittedException.class)
        @GuardedBy(name = "published", fallback = "after") public Mono<String> ask(RuntimeException failure) {
            return Mono.error(failure);
        }

        Mono<String> after(RuntimeException failure, UncheckedIOException last) {
            return Mono.just("after " + last.getClass().getSimpleName());
        }

        Mono<String> after(RuntimeException failure, IllegalStateException wrapper) {
            return Mono.just("after " + wrapper.getClass().getSimpleName());
        }

        Mono<String> after(RuntimeException failure, IllegalArgumentException ignored) {
            return Mono.just("after " + ignored.getClass().getSimpleName());
        }
    }

    static class Limited {
        @ConcurrencyLimit(limit = 1, policy = ConcurrencyLimit.ThrottlePolicy.REJECT)
        @GuardedBy("limited") public void call(Runnable inside) {
            inside.run();
        }
    }

    static class AroundLimited {
        private final Limited limited;

        AroundLimited(Limited limited) {
            this.limited = limited;
        }

        @GuardedBy("around") public void call() {
            limited.call(() -> {});
        }
    }

    static class Futures {
        @Retryable(maxRetries = 2, delay = 0)
        @GuardedBy("futures") public CompletableFuture<String> ofSpring() {
            return CompletableFuture.failedFuture(new IOException("down"));
        }

        @org.springframework.retry.annotation.Retryable(backoff = @Backoff(0))
        @GuardedBy("futures") public CompletableFuture<String> ofSpringRetry() {
            return CompletableFuture.failedFuture(new IOException("down"));
        }

        @Retryable(maxRetries = 2, delay = 0)
        @GuardedBy("futures") public CompletionStage<String> stage() {
            return CompletableFuture.failedFuture(new IOException("down"));
        }

        @Retryable(maxRetries = 2, delay = 0, excludes = CallNotPermittedException.class)
        @GuardedBy("monos") public Mono<String> mono() {
            return Mono.error(new IOException("down"));
        }
    }

    static class FullBulkhead {
        @Retry(name = "shop")
        @Bulkhead(name = "full")
        @GuardedBy("full") public void call(Runnable inside) {
            inside.run();
        }
    }

    static class Warnings {
        @Retryable
        @GuardedBy("w") public void allOfSpring() {}

        @Retryable(RuntimeException.class)
        @GuardedBy("w") public void runtimeOfSpring() {}

        @Retryable(includes = IOException.class)
        @GuardedBy("w") public void othersOfSpring() {}

        @Retryable(excludes = RuntimeException.class)
        @GuardedBy("w") public void excludedOfSpring() {}

        @Retryable(predicate = Never.class)
        @GuardedBy("w") public void predicateOfSpring() {}

        @org.springframework.retry.annotation.Retryable
        @GuardedBy("w") public void allOfSpringRetry() {}

        @org.springframework.retry.annotation.Retryable(retryFor = RuntimeException.class)
        @GuardedBy("w") public void runtimeOfSpringRetry() {}

        @org.springframework.retry.annotation.Retryable(
                retryFor = CallNotPermittedException.class,
                noRetryFor = RuntimeException.class)
        @GuardedBy("w") public void nearestOfSpringRetry() {}

        @org.springframework.retry.annotation.Retryable(retryFor = IOException.class)
        @GuardedBy("w") public void othersOfSpringRetry() {}

        @org.springframework.retry.annotation.Retryable(noRetryFor = CallNotPermittedException.class)
        @GuardedBy("w") public void excludedOfSpringRetry() {}

        @org.springframework.retry.annotation.Retryable(exceptionExpression = "message != null")
        @GuardedBy("w") public void expressionOfSpringRetry() {}

        @Retryable
        public void unguarded() {}

        @GuardedBy("w") public void notRetried() {}
    }

    static final class Never implements MethodRetryPredicate {
        @Override
        public boolean shouldRetry(Method method, Throwable failure) {
            return false;
        }
    }
}
