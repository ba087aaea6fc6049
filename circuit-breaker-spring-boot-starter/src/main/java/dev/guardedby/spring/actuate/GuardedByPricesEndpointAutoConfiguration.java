package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import dev.guardedby.spring.prices.PriceSource;
import java.time.InstantSource;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;

/** The Actuator endpoint {@code guardedbyprices}, where Actuator is there and the endpoint is exposed. */
@AutoConfiguration(after = GuardedByPricesAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByPricesEndpointAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = "guardedByPricesEndpoint")
    @ConditionalOnBean(PriceSource.class)
    @ConditionalOnSingleCandidate(Prices.class)
    @ConditionalOnAvailableEndpoint(endpoint = GuardedByPricesEndpoint.class)
    GuardedByPricesEndpoint guardedByPricesEndpoint(Prices prices, PriceSource source, ConfiguredPrices configured) {
        return new GuardedByPricesEndpoint(prices, source, configured, InstantSource.system());
    }

    @Bean
    @ConditionalOnBean(GuardedByPricesEndpoint.class)
    GuardedByPricesWebExtension guardedByPricesWebExtension(GuardedByPricesEndpoint endpoint) {
        return new GuardedByPricesWebExtension(endpoint);
    }
}
