package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.springframework.aop.framework.Advised;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;

/** An application with the starter on a fake clock, and what its breakers have counted. */
final class Guarded {
    private Guarded() {}

    /** The application; its breakers trip at the second failure and wait ten seconds. */
    static ApplicationContextRunner application(Class<?>... beans) {
        ApplicationContextRunner runner = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        AopAutoConfiguration.class,
                        PropertyPlaceholderAutoConfiguration.class,
                        GuardedByAutoConfiguration.class,
                        GuardedByAopAutoConfiguration.class))
                .withUserConfiguration(Time.class)
                .withPropertyValues(
                        "guardedby.defaults.failure-threshold=2", "guardedby.defaults.recovery-timeout=10s");
        for (Class<?> bean : beans) {
            runner = runner.withBean(bean);
        }
        return runner;
    }

    static CircuitBreaker breaker(ApplicationContext context, String name) {
        return context.getBean(CircuitBreakerRegistry.class)
                .find(name)
                .orElseThrow(() -> new AssertionError("no circuit breaker '" + name + "'"));
    }

    /** {@code "2 ok, 1 failed, 0 ignored, 3 refused, open"}. */
    static String history(ApplicationContext context, String name) {
        CircuitBreakerStats stats = breaker(context, name).stats();
        return stats.totalSuccesses() + " ok, " + stats.totalFailures() + " failed, " + stats.totalIgnored()
                + " ignored, " + stats.totalRejected() + " refused, "
                + stats.state().name().toLowerCase(Locale.ROOT);
    }

    /** The neighbours of a guard and itself, the outermost first: {@code "fallback > retry > guard"}. */
    static String order(Object bean) {
        return Placing.inWords(Arrays.stream(((Advised) bean).getAdvisors())
                .map(Placing.Placed::of)
                .toList());
    }

    /** {@code "12 in, 7 out, 0.02 usd"}. */
    static String bill(ApplicationContext context, String name) {
        CircuitBreakerStats stats = breaker(context, name).stats();
        return stats.totalInputTokens() + " in, " + stats.totalOutputTokens() + " out, "
                + stats.totalEstimatedCost().toPlainString() + " usd";
    }

    /** Makes a call that must fail, whatever with. */
    static void failing(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(Throwable.class);
    }

    static final class Time {
        @Bean
        LongSupplier guardedByTicker() {
            return new FakeTicker();
        }
    }
}
