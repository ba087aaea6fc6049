package dev.guardedby.spring.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyState;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.PropertySourceOrigin;

/**
 * Finds environment variables that begin with {@code GUARDEDBY_} and set nothing.
 *
 * <p>They have lost the dashes of their keys, so they cannot be followed key by key. Instead every setting there is, is
 * asked which variable it would read; what remains is unknown.
 */
final class UnknownVariables {
    private static final Log LOG = LogFactory.getLog(UnknownVariables.class);

    private final Sources sources;
    private final Map<String, Entries> branches;

    /**
     * Looks through the environment.
     *
     * @param sources where properties come from
     * @param branches the entries of each key that holds a map
     */
    UnknownVariables(Sources sources, Map<String, Entries> branches) {
        this.sources = sources;
        this.branches = branches;
    }

    /** Warns of them; they may be meant for somebody else. */
    void warn() {
        sources.listable().stream().filter(Sources::isEnvironment).forEach(this::warnOf);
    }

    private void warnOf(IterableConfigurationPropertySource source) {
        List<ConfigurationPropertyName> settings = new ArrayList<>();
        collect(Sources.ROOT, GuardedByProperties.class, settings);
        Set<String> read = new HashSet<>();
        for (ConfigurationPropertyName setting : settings) {
            addVariable(source, setting, read);
            for (int i = 0; addVariable(source, setting.append("[" + i + "]"), read); ) {
                i++;
            }
        }
        Sources.names(source)
                .map(name -> variable(source.getConfigurationProperty(name)))
                .filter(Objects::nonNull)
                .filter(variable -> !read.contains(variable))
                .distinct()
                .forEach(variable -> warn(variable, settings));
    }

    private void collect(ConfigurationPropertyName root, Class<?> type, List<ConfigurationPropertyName> settings) {
        Schema.keys(type).forEach((key, component) -> {
            Class<?> below = Schema.typeBelow(component);
            if (!below.isRecord()) {
                settings.add(root.append(key));
            } else if (Schema.isMap(component)) {
                Objects.requireNonNull(branches.get(key)).all().stream()
                        .flatMap(entry -> entry.roots.stream())
                        .forEach(entry -> collect(entry, below, settings));
            } else if (Schema.isList(component)) {
                collectElements(root.append(key), below, settings);
            } else {
                collect(root.append(key), below, settings);
            }
        });
    }

    private void collectElements(
            ConfigurationPropertyName list, Class<?> type, List<ConfigurationPropertyName> settings) {
        int index = 0;
        ConfigurationPropertyName element = list.append("[0]");
        while (isThere(element)) {
            collect(element, type, settings);
            index++;
            element = list.append("[" + index + "]");
        }
    }

    private boolean isThere(ConfigurationPropertyName branch) {
        return sources.listable().stream()
                .anyMatch(source -> source.containsDescendantOf(branch) == ConfigurationPropertyState.PRESENT);
    }

    private static boolean addVariable(
            IterableConfigurationPropertySource source, ConfigurationPropertyName setting, Set<String> read) {
        String variable = variable(source.getConfigurationProperty(setting));
        return variable != null && read.add(variable);
    }

    private static @Nullable String variable(@Nullable ConfigurationProperty property) {
        return Origin.from(property) instanceof PropertySourceOrigin origin ? origin.getPropertyName() : null;
    }

    private static void warn(String variable, List<ConfigurationPropertyName> settings) {
        List<String> known = settings.stream().map(UnknownVariables::asVariable).toList();
        String hint = Spelling.nearest(variable, known)
                .map(meant -> "; did you mean " + meant + "?")
                .orElse(".");
        LOG.warn("Environment variable " + variable + " is not a setting and is ignored" + hint);
    }

    private static String asVariable(ConfigurationPropertyName setting) {
        return setting.toString().replace("-", "").replace('.', '_').toUpperCase(Locale.ROOT);
    }
}
