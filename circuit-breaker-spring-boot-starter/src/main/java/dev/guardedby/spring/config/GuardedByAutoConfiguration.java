package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import java.util.function.LongSupplier;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * The registry of circuit breakers, set up as the configuration says. With {@code guardedby.enabled=false} it hands out
 * breakers that let every call pass.
 */
@AutoConfiguration
public final class GuardedByAutoConfiguration {

    @Bean
    ConfiguredBreakers guardedByConfiguredBreakers(
            ConfigurableEnvironment environment, ConfigurableListableBeanFactory beans) {
        return SettingsReader.read(environment, beans.getBeanClassLoader());
    }

    @Bean
    ConfiguredPrices guardedByConfiguredPrices(
            ConfiguredBreakers checked, ConfigurableEnvironment environment, ConfigurableListableBeanFactory beans) {
        return checked.isSwitchedOff()
                ? ConfiguredPrices.switchedOff()
                : PricesReader.read(environment, beans.getBeanClassLoader());
    }

    /** Where all breakers of the application keep what their budgets have spent. */
    @Bean
    @ConditionalOnMissingBean
    Ledger guardedByLedger() {
        return Ledger.inMemory();
    }

    @Bean
    BreakerBeans guardedByBreakerBeans(
            ConfiguredBreakers configured,
            ObjectProvider<CircuitBreakerRegistry> registry,
            ConfigurableListableBeanFactory beans) {
        return new BreakerBeans(configured, registry, beans);
    }

    @Bean
    @ConditionalOnMissingBean
    CircuitBreakerRegistry guardedByRegistry(
            ConfiguredBreakers configured,
            BreakerBeans own,
            ObjectProvider<CircuitBreakerCustomizer> customizers,
            ObjectProvider<CircuitBreakerListener> listeners,
            ObjectProvider<AnswerReader> answers,
            @Qualifier("guardedByTicker") ObjectProvider<LongSupplier> ticker,
            ObjectProvider<Ledger> ledger) {
        return own.fills(CircuitBreakerRegistry.of(
                new BreakerFactory(configured, own, customizers, listeners, answers, ticker, ledger)));
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    BudgetsCheck guardedByBudgetsCheck(
            ConfiguredBreakers configured, ConfiguredPrices unpriced, ObjectProvider<Prices> prices) {
        return new BudgetsCheck(configured, unpriced, prices);
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    SettlementAtTheEnd guardedBySettlementAtTheEnd(CircuitBreakerRegistry registry) {
        return new SettlementAtTheEnd(registry);
    }
}
