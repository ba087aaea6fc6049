package dev.guardedby.spring.config;

import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** Where properties come from, the strongest first: command line, environment variables, files. */
final class Sources {
    static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("guardedby");

    private final List<ConfigurationPropertySource> all;

    private Sources(List<ConfigurationPropertySource> all) {
        this.all = all;
    }

    static Sources of(ConfigurableEnvironment environment) {
        Iterable<ConfigurationPropertySource> sources =
                ConfigurationPropertySources.from(environment.getPropertySources());
        return new Sources(StreamSupport.stream(sources.spliterator(), false)
                .filter(Sources::mayMention)
                .toList());
    }

    /** Most sources hold nothing of ours; asked for each key of each breaker, they would cost most of what reading takes. */
    private static boolean mayMention(ConfigurationPropertySource source) {
        return !(source instanceof IterableConfigurationPropertySource listable)
                || names(listable).findAny().isPresent();
    }

    List<ConfigurationPropertySource> all() {
        return all;
    }

    /** The sources that can list what they hold. */
    List<IterableConfigurationPropertySource> listable() {
        return all.stream()
                .filter(IterableConfigurationPropertySource.class::isInstance)
                .map(IterableConfigurationPropertySource.class::cast)
                .toList();
    }

    /** What the strongest source says under the first of the names that it knows. */
    @Nullable ConfigurationProperty find(List<ConfigurationPropertyName> names) {
        return all.stream()
                .flatMap(source -> names.stream().map(source::getConfigurationProperty))
                .filter(property -> property != null)
                .findFirst()
                .orElse(null);
    }

    /** The names that a source lists under {@code guardedby}. */
    static Stream<ConfigurationPropertyName> names(IterableConfigurationPropertySource source) {
        return source.stream().filter(name -> name.equals(ROOT) || ROOT.isAncestorOf(name));
    }

    /** Whether the source holds environment variables, which keep neither case nor dashes. */
    static boolean isEnvironment(ConfigurationPropertySource source) {
        return source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource;
    }

    /** Whether the source is the machine's rather than this application's, so that it may hold what is not for us. */
    static boolean isMachineWide(ConfigurationPropertySource source) {
        return isEnvironment(source)
                || (source.getUnderlyingSource() instanceof PropertySource<?> properties
                        && properties.getName().equals(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME));
    }

    /** The name as it was written, from one element up to another. */
    static String written(ConfigurationPropertyName name, int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            String element = name.getElement(i, Form.ORIGINAL);
            if (name.chop(i + 1).isLastElementIndexed()) {
                text.append('[').append(element).append(']');
            } else {
                text.append(text.isEmpty() ? "" : ".").append(element);
            }
        }
        return text.toString();
    }

    static String written(ConfigurationPropertyName name) {
        return written(name, 0, name.getNumberOfElements());
    }
}
