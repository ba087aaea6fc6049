package dev.guardedby.spring.config;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/**
 * One place where settings of a breaker, or of a budget, stand: its own entry, a template, or the defaults.
 *
 * @param label the place as it is shown, {@code breakers.llm}
 * @param roots the names that its keys are written below
 */
record Layer(String label, List<ConfigurationPropertyName> roots) {

    static Layer of(Entries.Entry entry) {
        return new Layer(entry.label(), entry.roots);
    }

    /** What this layer says of a key; null if nothing. */
    @Nullable ConfigurationProperty find(Sources sources, String key) {
        return Stream.of(key, key + "[0]")
                .map(name -> sources.find(
                        roots.stream().map(root -> root.append(name)).toList()))
                .filter(property -> property != null)
                .findFirst()
                .orElse(null);
    }

    /** This layer in a source, as if its keys were written below one element. */
    List<ConfigurationPropertySource> in(ConfigurationPropertySource source) {
        return roots.stream()
                .<ConfigurationPropertySource>map(root -> name -> name.getNumberOfElements() < 2
                        ? null
                        : source.getConfigurationProperty(root.append(name.subName(1))))
                .toList();
    }
}
