package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.aop.LostCosts;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.keys.Keys;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

/** Meters for every breaker in the registry, where there is a {@link MeterRegistry}. */
@AutoConfiguration(
        after = {GuardedByAutoConfiguration.class, GuardedByAopAutoConfiguration.class},
        afterName = {
            // Spring Boot 4, then 3.5
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration"
        })
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean(MeterRegistry.class)
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByMetricsAutoConfiguration {

    @Bean
    MeteredBreakers guardedByMeteredBreakers(
            ObjectProvider<CircuitBreakerRegistry> breakers,
            ObjectProvider<MeterRegistry> meters,
            ConfiguredBreakers configured,
            ObjectProvider<Keys> keys) {
        return new MeteredBreakers(breakers, meters, InstantSource.system(), configured, keys);
    }

    @Bean
    @ConditionalOnBean(LostCosts.class)
    LostCostMeters guardedByLostCostMeters(LostCosts lost) {
        return new LostCostMeters(lost);
    }
}
