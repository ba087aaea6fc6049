package dev.guardedby.spring.config;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/** All places that say something about one breaker, or one budget. The first that speaks of a key is heard, the others not. */
record Layers(Sources sources, List<Layer> all) {
    /** What the layers are bound below. */
    private static final ConfigurationPropertyName BOUND = ConfigurationPropertyName.of("bound");

    /** The strongest place, as messages name it. */
    String label() {
        return all.get(0).label();
    }

    /**
     * What results for some keys of a record, but for maps, which are bound entry by entry.
     *
     * @param keys which of them
     */
    <T> T bind(Values values, Class<T> type, Predicate<String> keys) {
        List<ConfigurationPropertyName> wanted = Schema.keys(type).entrySet().stream()
                .filter(key -> keys.test(key.getKey()) && !Schema.isMap(key.getValue()))
                .map(key -> BOUND.append(key.getKey()))
                .toList();
        List<ConfigurationPropertySource> stack = all.stream()
                .flatMap(layer -> sources.all().stream().flatMap(source -> layer.in(source).stream()))
                .map(source -> source.filter(
                        name -> wanted.stream().anyMatch(key -> key.equals(name) || key.isAncestorOf(name))))
                .toList();
        return values.bind(stack, BOUND.toString(), type);
    }

    /** The first place that says something of one of the keys. */
    Optional<Layer> speaking(Stream<String> keys) {
        List<String> asked = keys.toList();
        return all.stream()
                .filter(layer -> asked.stream().anyMatch(key -> layer.find(sources, key) != null))
                .findFirst();
    }

    /** What is said of a key; null if nothing. */
    @Nullable ConfigurationProperty written(String key) {
        Layer layer = speaking(Stream.of(key)).orElse(null);
        return layer == null ? null : layer.find(sources, key);
    }
}
