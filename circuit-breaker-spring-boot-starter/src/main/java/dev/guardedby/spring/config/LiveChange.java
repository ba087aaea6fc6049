package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.config.GuardedByProperties.Breaker;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.PlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/**
 * A change of a live breaker as an operator writes it, {@code failure-threshold=5,window=100}: all or nothing.
 *
 * @param keys the keys that are written
 * @param settings what they are to be
 */
record LiveChange(Set<String> keys, Breaker settings) {
    private static final String EXAMPLE = "failure-threshold=5,window=100";
    // Without placeholders: what the application knows is not for everybody who may write here.
    private static final Values VALUES = new Values(PlaceholdersResolver.NONE, null);
    private static final ConfigurationPropertyName BREAKER = ConfigurationPropertyName.of("breaker");
    // Rules for exceptions add up in a builder, so they cannot be replaced; budgets have an action of their own.
    private static final List<String> KEYS =
            Schema.BREAKER.keySet().stream().filter(Schema::isOfLiveBreaker).toList();

    /**
     * Reads a change.
     *
     * @throws IllegalArgumentException if it is none; the message names what is wrong
     */
    static LiveChange read(String written) {
        Map<ConfigurationPropertyName, String> values = new LinkedHashMap<>();
        for (String pair : written.split(",", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 0) {
                throw new IllegalArgumentException(
                        "settings must be pairs such as " + EXAMPLE + ", but was '" + written + "'");
            }
            String key = key(pair.substring(0, equals).strip());
            String before =
                    values.put(BREAKER.append(key), pair.substring(equals + 1).strip());
            if (before != null) {
                throw new IllegalArgumentException(key + " must be given once, but was given twice");
            }
        }
        Set<String> keys = values.keySet().stream()
                .map(name -> name.subName(1).toString())
                .collect(Collectors.toUnmodifiableSet());
        ConfigurationPropertySource source = name -> {
            String value = values.get(name);
            // Named as it was written, which is what messages show.
            return value == null ? null : new ConfigurationProperty(name.subName(1), value, null);
        };
        try {
            return new LiveChange(keys, VALUES.bind(List.of(source), BREAKER.toString(), Breaker.class));
        } catch (BadConfigurationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static String key(String written) {
        String canonical = Spelling.canonical(written);
        return KEYS.stream()
                .filter(key -> Spelling.canonical(key).equals(canonical))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(Spelling.nearest(written, KEYS)
                        .map(meant -> written + " is not a setting; did you mean " + meant + "?")
                        .orElseGet(() -> "'" + written + "' is not a setting that a live circuit breaker can change;"
                                + " it has " + String.join(", ", KEYS))));
    }

    /** Makes the change; what then holds of the keys that were written, in the order of the documentation. */
    Map<String, Object> applyTo(CircuitBreaker breaker) {
        breaker.reconfigure(settings::applyTo);
        Map<String, Object> changed = new LinkedHashMap<>();
        breaker.settings().forEach((key, value) -> {
            if (keys.contains(key)) {
                changed.put(key, Values.shown(value));
            }
        });
        return changed;
    }
}
