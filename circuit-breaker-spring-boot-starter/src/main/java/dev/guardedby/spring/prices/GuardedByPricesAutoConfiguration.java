package dev.guardedby.spring.prices;

import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.ResourceLoader;

/** The prices of models, as the configuration says, unless the application has a {@link Prices} bean of its own. */
@AutoConfiguration(after = GuardedByAutoConfiguration.class)
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByPricesAutoConfiguration {

    @Bean
    PriceSource guardedByPriceSource(ConfiguredPrices configured, ResourceLoader files) {
        return new PriceSource(configured, files);
    }

    @Bean
    @ConditionalOnMissingBean
    Prices guardedByPrices(PriceSource source) {
        return Prices.from(source::read);
    }
}
