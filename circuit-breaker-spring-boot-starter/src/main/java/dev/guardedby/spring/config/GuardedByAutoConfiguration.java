package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import java.util.Set;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** Publishes the registry of circuit breakers, set up as {@code application.yml} says. */
@AutoConfiguration
public final class GuardedByAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    ConfiguredBreakers guardedByConfiguredBreakers() {
        return new ConfiguredBreakers(Set.of(), ConfiguredBreakers.UnknownName.NEAR_MISS);
    }

    @Bean
    @ConditionalOnMissingBean
    CircuitBreakerRegistry guardedByRegistry() {
        return CircuitBreakerRegistry.of(CircuitBreaker::builder);
    }
}
