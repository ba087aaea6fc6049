package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;

/** What somebody wrote: files and environment variables, and nothing of the machine that runs the test. */
final class Written {
    private final StandardEnvironment environment = new StandardEnvironment();

    private Written() {
        environment.getPropertySources().remove(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
        environment.getPropertySources().remove(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME);
    }

    static Written yaml(String yaml) {
        return new Written().andFile("application.yml", yaml);
    }

    /** A weaker file. */
    Written andFile(String file, String yaml) {
        ByteArrayResource resource = new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8), file) {
            @Override
            public String getDescription() {
                return file;
            }
        };
        try {
            new YamlPropertySourceLoader().load(file, resource).forEach(environment.getPropertySources()::addLast);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** A stronger source. */
    Written andVariable(String name, String value) {
        return andVariables(Map.of(name, value));
    }

    /** A stronger source. */
    Written andVariables(Map<String, Object> variables) {
        environment
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource(
                        String.join(",", variables.keySet()) + "-"
                                + StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        new HashMap<>(variables)));
        return this;
    }

    /** A stronger source. */
    Written andSystemProperties(Map<String, Object> properties) {
        environment
                .getPropertySources()
                .addFirst(
                        new MapPropertySource(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME, properties));
        return this;
    }

    ConfiguredBreakers read() {
        return SettingsReader.read(environment, getClass().getClassLoader());
    }

    /** The prices, after everything else was found to be in order. */
    ConfiguredPrices readPrices() {
        assertThat(read().isSwitchedOff()).isFalse();
        return PricesReader.read(environment, getClass().getClassLoader());
    }

    /** What was written, as it was parsed. */
    Object value(String key) {
        return environment.getPropertySources().stream()
                .map(source -> source.getProperty(key))
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow();
    }
}
