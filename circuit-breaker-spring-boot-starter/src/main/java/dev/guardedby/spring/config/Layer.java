package dev.guardedby.spring.config;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;

/**
 * One place where settings of a breaker stand: its own entry, a template, or the defaults.
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
        ConfigurationProperty whole =
                sources.find(roots.stream().map(root -> root.append(key)).toList());
        return whole != null
                ? whole
                : sources.find(
                        roots.stream().map(root -> root.append(key + "[0]")).toList());
    }

    /** This layer in a source, as if its keys were written below the one element {@code breaker}. */
    List<ConfigurationPropertySource> in(ConfigurationPropertySource source) {
        return roots.stream()
                .<ConfigurationPropertySource>map(root -> name -> name.getNumberOfElements() < 2
                        ? null
                        : source.getConfigurationProperty(root.append(name.subName(1))))
                .toList();
    }
}
