package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/** Fills the registry while the application starts: its own breaker beans join, then the configured ones are made. */
final class BreakerBeans implements SmartInitializingSingleton {
    private final ConfiguredBreakers configured;
    private final ObjectProvider<CircuitBreakerRegistry> registry;
    private final ConfigurableListableBeanFactory beans;
    private final Map<String, String> joined = new ConcurrentHashMap<>();
    private volatile boolean started;
    private volatile @Nullable CircuitBreakerRegistry asConfigured;

    BreakerBeans(
            ConfiguredBreakers configured,
            ObjectProvider<CircuitBreakerRegistry> registry,
            ConfigurableListableBeanFactory beans) {
        this.configured = configured;
        this.registry = registry;
        this.beans = beans;
    }

    /** Takes note of the registry that makes breakers as configured; any other is the application's own. */
    CircuitBreakerRegistry fills(CircuitBreakerRegistry made) {
        asConfigured = made;
        return made;
    }

    @Override
    public void afterSingletonsInstantiated() {
        if (!configured.isSwitchedOff()) {
            if (registry.getObject() != asConfigured) {
                configured.notInForce();
            }
            join();
            configured.entries().forEach(this::make);
        }
        started = true;
    }

    private void make(ConfiguredBreakers.Entry entry) {
        CircuitBreakerRegistry all = registry.getObject();
        String canonical = Spelling.canonical(entry.name());
        // Environment variables leave neither case nor dashes of a name, so the spelling in code is the true one.
        if (entry.spelled()
                || all.all().stream()
                        .noneMatch(breaker -> Spelling.canonical(breaker.name()).equals(canonical))) {
            all.get(entry.name());
        }
    }

    /** Lets the breaker beans join; whether one of them has that name. */
    boolean join(String name) {
        if (started) {
            return false;
        }
        join();
        return joined.containsKey(name);
    }

    /** Takes every {@link CircuitBreaker} bean into the registry; one that is being made at the moment follows later. */
    private void join() {
        for (String bean : beans.getBeanNamesForType(CircuitBreaker.class, false, true)) {
            if (!beans.isCurrentlyInCreation(bean)) {
                join(bean, beans.getBean(bean, CircuitBreaker.class));
            }
        }
    }

    private void join(String bean, CircuitBreaker breaker) {
        String name = breaker.name();
        Optional<CircuitBreaker> present = registry.getObject().find(name);
        // A bean may well be one that was asked of the registry.
        if (present.isPresent() && present.get() == breaker) {
            return;
        }
        Optional<String> entry = configured.entryOf(name);
        if (entry.isPresent()) {
            throw clash(bean, name, "guardedby.breakers." + entry.get() + " sets it up, too");
        }
        if (present.isPresent()) {
            String other = joined.get(name);
            throw clash(
                    bean,
                    name,
                    other == null ? "that name was asked of the registry before" : "so is the bean '" + other + "'");
        }
        joined.put(name, bean);
        configured.setInCode(name);
        registry.getObject().add(breaker);
    }

    private static BadConfigurationException clash(String bean, String name, String other) {
        return new BadConfigurationException(
                "The bean '" + bean + "' is circuit breaker '" + name + "', but " + other,
                "Keep one of the two. To change a configured breaker in code, declare a CircuitBreakerCustomizer.",
                null);
    }
}
