package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.aop.Trial.Place;
import dev.guardedby.spring.aop.Trial.Told;
import dev.guardedby.spring.aop.Trial.Variant;
import io.reactivex.rxjava3.functions.Consumer;
import io.reactivex.rxjava3.plugins.RxJavaPlugins;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;

/**
 * Every shape of a guarded call, times every way it can end, times every state that it can meet, with and without a fallback
 * and a cost: what was admitted counts once, what was refused is not made, the caller has what the call or the fallback gave,
 * a cost is booked once, no slot is missing afterwards, and the breaker still closes by successes and opens by failures.
 */
final class ContractTest {
    /** Of 20 shapes and 19 endings, less the 71 pairs that a shape rules out by name, by each of 4 methods. */
    private static final int CALLS_PER_STATE = (20 * 19 - 71) * 4;

    private static final LoggingSystem LOGGING = LoggingSystem.get(ContractTest.class.getClassLoader());
    private static final List<String> SILENT = List.of("dev.guardedby", "reactor");
    private static @Nullable Consumer<? super Throwable> rxErrors;

    /** Sources here break rules, and libraries complain of that where nobody reads it. */
    @BeforeAll
    static void silence() {
        SILENT.forEach(name -> LOGGING.setLogLevel(name, LogLevel.OFF));
        rxErrors = RxJavaPlugins.getErrorHandler();
        RxJavaPlugins.setErrorHandler(dropped -> {});
        Infrastructure.setDroppedExceptionHandler(dropped -> {});
    }

    @AfterAll
    static void speakAgain() {
        SILENT.forEach(name -> LOGGING.setLogLevel(name, null));
        RxJavaPlugins.setErrorHandler(rxErrors);
        Infrastructure.resetDroppedExceptionHandler();
    }

    @ParameterizedTest
    @EnumSource
    void everyCall_keepsTheContract_whereNobodyJudgesResults(Start start) {
        contractApplication().run(context -> check(context, start, null));
    }

    @ParameterizedTest
    @EnumSource
    void everyCall_keepsTheContract_whereResultsAreJudgedAndTold(Start start) {
        contractApplication()
                .withBean(Told.class)
                .withBean(
                        "judge",
                        CircuitBreakerCustomizer.class,
                        () -> (name, breaker) -> breaker.failOnResult(Script.BAD::equals))
                .run(context -> check(context, start, context.getBean(Told.class)));
    }

    private static ApplicationContextRunner contractApplication() {
        return application(CallShape.all().stream()
                        .map(shape -> shape.bean)
                        .distinct()
                        .toArray(Class<?>[]::new))
                .withUserConfiguration(WithAsync.class)
                .withPropertyValues(
                        "guardedby.breakers.llm.failure-threshold=" + Start.THRESHOLD,
                        "guardedby.breakers.llm.probes=" + Start.PROBES,
                        "guardedby.breakers.llm.recovery-timeout=" + Start.WAIT,
                        "guardedby.breakers.llm.probe-timeout=" + Start.LEASE,
                        "guardedby.breakers.llm.ignore-exceptions=" + Ending.BadRequest.class.getName());
    }

    private static void check(ApplicationContext context, Start start, @Nullable Told told) {
        Place place = new Place(
                Guarded.breaker(context, "llm"),
                (FakeTicker) context.getBean("guardedByTicker", LongSupplier.class),
                told,
                context.getBean(AsyncTaskExecutor.class));
        List<String> broken = new ArrayList<>();
        int run = 0;
        for (CallShape shape : CallShape.all()) {
            Object bean = context.getBean(shape.bean);
            for (Ending ending : Ending.values()) {
                if (shape.impossible.containsKey(ending)) {
                    continue;
                }
                for (Variant variant : Variant.values()) {
                    run++;
                    try {
                        new Trial(place, start, shape, variant, ending, bean).check();
                    } catch (Throwable thrown) {
                        broken.add((shape + ", " + variant + ", " + ending).toLowerCase(Locale.ROOT) + ": " + thrown);
                    }
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(run).isEqualTo(CALLS_PER_STATE);
    }

    @Configuration
    @EnableAsync
    static class WithAsync {
        @Bean
        AsyncTaskExecutor taskExecutor() {
            ThreadPoolTaskExecutor one = new ThreadPoolTaskExecutor();
            one.setCorePoolSize(1);
            one.setDaemon(true);
            return one;
        }
    }
}
