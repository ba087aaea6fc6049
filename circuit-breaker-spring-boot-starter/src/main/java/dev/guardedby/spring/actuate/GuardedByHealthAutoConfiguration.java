package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** The health contributor {@code guardedBy}, on Spring Boot 4. */
@AutoConfiguration(after = GuardedByAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByHealthAutoConfiguration {

    @Bean
    @ConditionalOnEnabledHealthIndicator("guardedby")
    @ConditionalOnMissingBean(name = "guardedByHealthContributor")
    HealthIndicator guardedByHealthContributor(CircuitBreakerRegistry registry, ConfiguredBreakers configured) {
        return new GuardedByHealthIndicator(registry, configured.downWhenOpen());
    }
}
