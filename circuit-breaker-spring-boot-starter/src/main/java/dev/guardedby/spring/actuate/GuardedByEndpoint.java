package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.util.StringUtils;

/** Shows breakers, and lets an operator move them where writing is granted. Never makes one. */
@Endpoint(id = GuardedByEndpoint.NAME, defaultAccess = Access.READ_ONLY)
final class GuardedByEndpoint {
    static final String NAME = "guardedby";
    static final EndpointId ID = EndpointId.of(NAME);

    private static final int NAMES_SHOWN = 10;
    private static final Log LOG = LogFactory.getLog("dev.guardedby");

    private final CircuitBreakerRegistry registry;
    private final ConfiguredBreakers configured;
    private final Supplier<String> instance;

    /**
     * An endpoint over a registry.
     *
     * @param instance which process this is, asked when somebody wants to know: breakers are per process, and a load balancer
     *     asks any of them
     */
    GuardedByEndpoint(CircuitBreakerRegistry registry, ConfiguredBreakers configured, Supplier<String> instance) {
        this.registry = registry;
        this.configured = configured;
        this.instance = instance;
    }

    @ReadOperation
    Map<String, Object> breakers() {
        Map<String, Object> breakers = new LinkedHashMap<>();
        registry.all().forEach(breaker -> breakers.put(breaker.name(), document(breaker)));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("instance", instance.get());
        all.put("breakers", breakers);
        return all;
    }

    /** The breaker of a name or, if one is asked for, of a key; null if there is none. */
    @ReadOperation
    @SuppressWarnings("deprecation")
    @Nullable Map<String, Object> breaker(@Selector String name, @org.springframework.lang.Nullable @Nullable String key) {
        return find(name, key).map(this::document).orElse(null);
    }

    private Optional<CircuitBreaker> find(String name, @Nullable String key) {
        return key == null ? registry.find(name) : registry.find(name, key);
    }

    /** Does what the operator asks; null if there is no such breaker. Spring Boot 3.5 knows only Spring's own Nullable. */
    @WriteOperation
    @SuppressWarnings("deprecation")
    @Nullable Map<String, Object> operate(
            @Selector String name,
            @org.springframework.lang.Nullable @Nullable String action,
            @org.springframework.lang.Nullable @Nullable String mode,
            @org.springframework.lang.Nullable @Nullable String settings,
            @org.springframework.lang.Nullable @Nullable String key,
            @org.springframework.lang.Nullable @Nullable String budget,
            @org.springframework.lang.Nullable @Nullable String limit,
            @org.springframework.lang.Nullable @Nullable String amount,
            @org.springframework.lang.Nullable @Nullable String reason) {
        return operate(name, key, new OperatorAction(action, mode, settings, budget, limit, amount, reason));
    }

    @Nullable Map<String, Object> operate(String name, @Nullable String key, OperatorAction action) {
        CircuitBreaker breaker = find(name, key).orElse(null);
        if (breaker == null) {
            return null;
        }
        String done = action.applyTo(breaker, configured);
        LOG.info("Operator's action on " + StringUtils.uncapitalize(breaker.title()) + ": " + done);
        return document(breaker);
    }

    /** That there is no such breaker, and which is meant or which there are. */
    String unknown(String name, @Nullable String key) {
        CircuitBreaker present = registry.find(name).orElse(null);
        if (present != null && key != null) {
            return present.keys().isPresent()
                    ? "circuit breaker '" + name + "' keeps no such key at present"
                    : "circuit breaker '" + name + "' has no keys";
        }
        List<String> known = registry.all().stream().map(CircuitBreaker::name).toList();
        String none = "there is no circuit breaker '" + name + "'; ";
        Optional<String> meant = ConfiguredBreakers.nearest(name, known);
        if (meant.isPresent()) {
            return none + "did you mean " + meant.get() + "?";
        }
        int more = known.size() - NAMES_SHOWN;
        return none + "there are "
                + (known.isEmpty() ? "none" : known.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", ")))
                + (more > 0 ? " and " + more + " more" : "");
    }

    private Map<String, Object> document(CircuitBreaker breaker) {
        return BreakerDocument.of(
                breaker,
                inForce -> configured.settings(breaker.name(), inForce),
                budget -> configured.budget(breaker.name(), budget));
    }
}
