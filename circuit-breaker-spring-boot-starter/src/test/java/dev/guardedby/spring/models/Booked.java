package dev.guardedby.spring.models;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.aop.LostCosts;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import dev.guardedby.spring.usage.GuardedByUsageAutoConfiguration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** An application whose breaker {@code llm} may spend 1 USD a lifetime, unless said otherwise, and what it has booked. */
final class Booked {
    private Booked() {}

    static ApplicationContextRunner application() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        AopAutoConfiguration.class,
                        GuardedByAutoConfiguration.class,
                        GuardedByAopAutoConfiguration.class,
                        GuardedByPricesAutoConfiguration.class,
                        GuardedByUsageAutoConfiguration.class,
                        GuardedByLangChain4jAutoConfiguration.class))
                .withBean(Costs.class)
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.all.window=lifetime",
                        "guardedby.breakers.llm.budgets.all.usd=1",
                        "guardedby.prices.models[0].model=gpt-4o",
                        "guardedby.prices.models[0].input=2.50",
                        "guardedby.prices.models[0].cached-input=1.25",
                        "guardedby.prices.models[0].output=10",
                        "guardedby.prices.models[1].model=gpt-4o-mini",
                        "guardedby.prices.models[1].input=0.15",
                        "guardedby.prices.models[1].output=0.60");
    }

    /** {@code "30 in, 12 out, 0.000175 usd"}: what was recorded. */
    static String bill(ApplicationContext context) {
        CircuitBreakerStats stats = breaker(context).stats();
        return stats.totalInputTokens() + " in, " + stats.totalOutputTokens() + " out, "
                + stats.totalEstimatedCost().toPlainString() + " usd";
    }

    /** {@code "0.000175 spent, 0 held"}: what the budget was charged. */
    static String budget(ApplicationContext context) {
        BudgetStatus budget = breaker(context).budgets().get(0);
        return budget.spent().toPlainString() + " spent, " + budget.held().toPlainString() + " held";
    }

    /** How many calls have a cost that is in no total, by the reason. */
    static Map<String, Long> lost(ApplicationContext context) {
        Map<String, Long> lost = new TreeMap<>();
        context.getBean(LostCosts.class).onCount((breaker, reason, count) -> {
            if (count.sum() > 0) {
                lost.put(reason.key(), count.sum());
            }
        });
        return lost;
    }

    static CircuitBreaker breaker(ApplicationContext context) {
        return context.getBean(CircuitBreakerRegistry.class).find("llm").orElseThrow();
    }

    /** How far each cost that listeners were told of can be trusted. */
    static List<Confidence> confidences(ApplicationContext context) {
        return context.getBean(Costs.class).confidences;
    }

    static final class Costs implements CircuitBreakerListener {
        private final List<Confidence> confidences = new CopyOnWriteArrayList<>();

        @Override
        public void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
            confidences.add(confidence);
        }
    }
}
