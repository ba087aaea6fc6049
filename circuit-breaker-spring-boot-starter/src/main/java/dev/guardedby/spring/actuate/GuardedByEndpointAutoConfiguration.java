package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.lang.management.ManagementFactory;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.bind.annotation.ControllerAdvice;

/** The Actuator endpoint {@code guardedby}, where Actuator is there and the endpoint is exposed. */
@AutoConfiguration(after = GuardedByAutoConfiguration.class)
@ConditionalOnClass({Endpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByEndpointAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean(name = "guardedByEndpoint")
    @ConditionalOnAvailableEndpoint(endpoint = GuardedByEndpoint.class)
    GuardedByEndpoint guardedByEndpoint(
            CircuitBreakerRegistry registry, ConfiguredBreakers configured, Environment environment) {
        String application = environment.getProperty("spring.application.name", "application");
        // The name of a Java process is its id and host; to find out the host may take a while.
        return new GuardedByEndpoint(
                registry,
                configured,
                SingletonSupplier.of(() ->
                        application + "/" + ManagementFactory.getRuntimeMXBean().getName()));
    }

    @Bean
    @ConditionalOnBean(GuardedByEndpoint.class)
    GuardedByWebExtension guardedByWebExtension(GuardedByEndpoint endpoint) {
        return new GuardedByWebExtension(endpoint);
    }

    @Bean
    @ConditionalOnMissingBean(name = "guardedByKnownParameters")
    KnownParameters guardedByKnownParameters() {
        return new KnownParameters();
    }

    /** Where there is a web at all. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnWebApplication
    @ConditionalOnClass(ControllerAdvice.class)
    @ConditionalOnAvailableEndpoint(endpoint = GuardedByEndpoint.class)
    static final class OverHttp {
        @Bean
        @ConditionalOnMissingBean(name = "guardedByUnreadableBodyAdvice")
        UnreadableBodyAdvice guardedByUnreadableBodyAdvice() {
            return new UnreadableBodyAdvice();
        }
    }
}
