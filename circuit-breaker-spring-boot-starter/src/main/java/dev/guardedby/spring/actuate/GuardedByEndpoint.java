package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
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
    private static final Map<String, Consumer<CircuitBreaker>> MOVES = new LinkedHashMap<>();
    private static final String MODE = "mode";
    private static final String RECONFIGURE = "reconfigure";
    private static final Set<String> OPENING = Set.of("force-open", "hold-open");

    static {
        MOVES.put("force-open", CircuitBreaker::forceOpen);
        MOVES.put("hold-open", CircuitBreaker::holdOpen);
        MOVES.put("force-close", CircuitBreaker::forceClose);
        MOVES.put("reset", CircuitBreaker::reset);
    }

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
            @org.springframework.lang.Nullable @Nullable String key) {
        CircuitBreaker breaker = find(name, key).orElse(null);
        if (breaker == null) {
            return null;
        }
        refuseWithout(RECONFIGURE, action, "settings", settings);
        refuseWithout(MODE, action, "mode", mode);
        Function<CircuitBreaker, String> move = move(action, mode, settings);
        if (breaker.mode() == Mode.DISABLED && action != null && OPENING.contains(action)) {
            throw new NoEffectException(action + " has no effect on " + named(breaker)
                    + ", which is disabled; switch its mode to enforce first");
        }
        String done = move.apply(breaker);
        LOG.info("Operator's action on " + named(breaker) + ": " + action + done);
        return document(breaker);
    }

    private static String named(CircuitBreaker breaker) {
        return StringUtils.uncapitalize(breaker.title());
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

    private static void refuseWithout(String owner, @Nullable String action, String parameter, @Nullable String value) {
        if (value != null && isKnown(action) && !owner.equals(action)) {
            throw invalid(parameter + " goes with the action " + owner + " alone, but the action was '" + action + "'");
        }
    }

    private static boolean isKnown(@Nullable String action) {
        return action != null && (MOVES.containsKey(action) || action.equals(MODE) || action.equals(RECONFIGURE));
    }

    /** What the action does, and what the log says beside its name. */
    private Function<CircuitBreaker, String> move(
            @Nullable String action, @Nullable String mode, @Nullable String settings) {
        if (MODE.equals(action)) {
            Mode wanted = mode(mode);
            return breaker -> {
                breaker.mode(wanted);
                return " " + wanted.name().toLowerCase(Locale.ROOT);
            };
        }
        if (RECONFIGURE.equals(action)) {
            return breaker -> " " + reconfigured(breaker, settings);
        }
        Consumer<CircuitBreaker> move = action == null ? null : MOVES.get(action);
        if (move == null) {
            throw invalid("action", String.join(", ", MOVES.keySet()) + ", " + MODE + ", " + RECONFIGURE, action);
        }
        return breaker -> {
            move.accept(breaker);
            return "";
        };
    }

    private String reconfigured(CircuitBreaker breaker, @Nullable String settings) {
        if (settings == null) {
            throw invalid("settings must be pairs such as failure-threshold=5,window=100, but was missing");
        }
        try {
            // What holds now, rather than what was sent: no one else's text gets into the log.
            return configured.reconfigure(breaker, settings).entrySet().stream()
                    .map(setting -> setting.getKey() + "=" + setting.getValue())
                    .collect(Collectors.joining(","));
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
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
        return invalid(parameter + " must be one of " + allowed + ", but was "
                + (value == null ? "missing" : "'" + value + "'"));
    }

    private static InvalidEndpointRequestException invalid(String message) {
        return new InvalidEndpointRequestException(message, message);
    }

    private Map<String, Object> document(CircuitBreaker breaker) {
        return BreakerDocument.of(breaker, inForce -> configured.settings(breaker.name(), inForce));
    }
}
