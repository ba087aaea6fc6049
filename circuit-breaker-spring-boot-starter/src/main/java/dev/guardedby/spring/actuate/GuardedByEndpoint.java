package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/** Shows breakers, and lets an operator move them where writing is granted. Never makes one. */
@Endpoint(id = "guardedby", defaultAccess = Access.READ_ONLY)
final class GuardedByEndpoint {
    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    private static final Map<String, Consumer<CircuitBreaker>> MOVES = new LinkedHashMap<>();

    static {
        MOVES.put("force-open", CircuitBreaker::forceOpen);
        MOVES.put("hold-open", CircuitBreaker::holdOpen);
        MOVES.put("force-close", CircuitBreaker::forceClose);
        MOVES.put("reset", CircuitBreaker::reset);
    }

    private final CircuitBreakerRegistry registry;
    private final ConfiguredBreakers configured;
    private final String instance;

    /**
     * An endpoint over a registry.
     *
     * @param instance which process this is: breakers are per process, and a load balancer asks any of them
     */
    GuardedByEndpoint(CircuitBreakerRegistry registry, ConfiguredBreakers configured, String instance) {
        this.registry = registry;
        this.configured = configured;
        this.instance = instance;
    }

    @ReadOperation
    Map<String, Object> breakers() {
        Map<String, Object> breakers = new LinkedHashMap<>();
        registry.all().forEach(breaker -> breakers.put(breaker.name(), document(breaker)));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("instance", instance);
        all.put("breakers", breakers);
        return all;
    }

    @ReadOperation
    @Nullable Map<String, Object> breaker(@Selector String name) {
        return registry.find(name).map(this::document).orElse(null);
    }

    /** Does what the operator asks; null if there is no such breaker. Spring Boot 3.5 knows only Spring's own Nullable. */
    @WriteOperation
    @SuppressWarnings("deprecation")
    @Nullable Map<String, Object> operate(
            @Selector String name,
            @org.springframework.lang.Nullable @Nullable String action,
            @org.springframework.lang.Nullable @Nullable String mode) {
        CircuitBreaker breaker = registry.find(name).orElse(null);
        if (breaker == null) {
            return null;
        }
        move(action, mode).accept(breaker);
        LOG.info("Operator's action on circuit breaker '" + breaker.name() + "': " + action
                + (mode == null ? "" : " " + mode.toLowerCase(Locale.ROOT)));
        return document(breaker);
    }

    private static Consumer<CircuitBreaker> move(@Nullable String action, @Nullable String mode) {
        if ("mode".equals(action)) {
            Mode wanted = mode(mode);
            return breaker -> breaker.mode(wanted);
        }
        Consumer<CircuitBreaker> move = action == null ? null : MOVES.get(action);
        if (move == null) {
            throw invalid("action", String.join(", ", MOVES.keySet()) + ", mode", action);
        }
        return move;
    }

    private static Mode mode(@Nullable String mode) {
        return Arrays.stream(Mode.values())
                .filter(each -> each.name().equalsIgnoreCase(mode))
                .findFirst()
                .orElseThrow(() -> invalid(
                        "mode",
                        Arrays.stream(Mode.values())
                                .map(each -> each.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", ")),
                        mode));
    }

    private static InvalidEndpointRequestException invalid(String parameter, String allowed, @Nullable String value) {
        String message = parameter + " must be one of " + allowed + ", but was "
                + (value == null ? "missing" : "'" + value + "'");
        return new InvalidEndpointRequestException(message, message);
    }

    private Map<String, Object> document(CircuitBreaker breaker) {
        return BreakerDocument.of(breaker, configured.settings(breaker.name()));
    }
}
