package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.aop.LostCosts;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.ConfigDataApplicationContextInitializer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** An application with the starter and the prices of {@code application.yml}, and what its breakers have booked. */
final class Bills {
    private Bills() {}

    static ApplicationContextRunner application(Class<?>... beans) {
        ApplicationContextRunner runner = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        AopAutoConfiguration.class,
                        GuardedByAutoConfiguration.class,
                        GuardedByAopAutoConfiguration.class,
                        GuardedByPricesAutoConfiguration.class,
                        GuardedByUsageAutoConfiguration.class))
                .withInitializer(new ConfigDataApplicationContextInitializer())
                .withSystemProperties("spring.config.location=classpath:dev/guardedby/spring/usage/application.yml");
        for (Class<?> bean : beans) {
            runner = runner.withBean(bean);
        }
        return runner;
    }

    /** {@code "12 in, 7 out, 0.02 usd"}. */
    static String bill(ApplicationContext context, String name) {
        CircuitBreakerStats stats = context.getBean(CircuitBreakerRegistry.class)
                .find(name)
                .orElseThrow()
                .stats();
        return stats.totalInputTokens() + " in, " + stats.totalOutputTokens() + " out, "
                + stats.totalEstimatedCost().toPlainString() + " usd";
    }

    /** What the readers of an application make of a result. */
    static ModelUsage told(ApplicationContext context, Object result) {
        return context.getBeanProvider(UsageExtractor.class)
                .orderedStream()
                .filter(reader -> reader.types().stream().anyMatch(type -> type.isInstance(result)))
                .flatMap(reader -> reader.extract(result).stream())
                .findFirst()
                .orElseThrow();
    }

    /** How many costs of a breaker were lost, by reason. */
    static Map<String, Long> lost(ApplicationContext context, String name) {
        Map<String, Long> lost = new TreeMap<>();
        context.getBean(LostCosts.class).onCount((breaker, reason, count) -> {
            if (breaker.equals(name) && count.sum() > 0) {
                lost.put(reason.key(), count.sum());
            }
        });
        return lost;
    }
}
