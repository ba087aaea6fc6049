package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.spring.config.ConfiguredBreakers.Merged;
import dev.guardedby.spring.config.ConfiguredBreakers.Setting;
import dev.guardedby.spring.config.Entries.Entry;
import dev.guardedby.spring.config.GuardedByProperties.Breaker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Reads what the application says under {@code guardedby}, and refuses what cannot be meant.
 *
 * <p>Each breaker is bound by itself, from its layers: its own entry, the template that it extends, the template that this
 * one extends, the defaults. A layer answers where those before it say nothing, so a value replaces the one below it, and
 * a list the whole list. What they say of budgets, {@link BudgetsReader} adds up.
 */
final class SettingsReader {
    private static final String BREAKERS = "breakers";
    private static final String TEMPLATES = "templates";
    private static final Layer DEFAULTS = new Layer("defaults", List.of(Sources.ROOT.append("defaults")));

    private static final Pattern BARE_NUMBER = Pattern.compile("[+]?\\d+");

    private final Sources sources;
    private final Values values;
    private final Entries templates;
    private final Entries breakers;
    private final BudgetsReader budgets;
    private final Set<String> warned = new HashSet<>();

    private SettingsReader(Sources sources, Values values) {
        this.sources = sources;
        this.values = values;
        this.templates = new Entries(sources, Sources.ROOT.append(TEMPLATES), Breaker.class);
        this.breakers = new Entries(sources, Sources.ROOT.append(BREAKERS), Breaker.class);
        this.budgets = new BudgetsReader(sources, values);
    }

    static ConfiguredBreakers read(ConfigurableEnvironment environment, @Nullable ClassLoader classes) {
        Sources sources = Sources.of(environment);
        Values values = new Values(new PropertySourcesPlaceholdersResolver(environment), classes);
        GuardedByProperties properties = values.bind(
                sources.all().stream()
                        .map(SettingsReader::withoutWhatIsBoundApart)
                        .toList(),
                "guardedby",
                GuardedByProperties.class);
        if (!properties.enabled()) {
            BreakerLog.LOG.info("guardedby.enabled is false: nothing is guarded, every call passes");
            return ConfiguredBreakers.switchedOff(properties);
        }
        UnknownKeys.refuse(sources);
        new UnknownVariables(sources).warn();
        return new SettingsReader(sources, values).read(properties);
    }

    private ConfiguredBreakers read(GuardedByProperties properties) {
        refuseToExtendDefaults();
        templates.all().forEach(this::check);
        Map<String, ConfiguredBreakers.Entry> configured = new LinkedHashMap<>();
        for (Entry entry : breakers.all()) {
            configured.put(
                    Spelling.canonical(entry.name),
                    new ConfiguredBreakers.Entry(entry.name, entry.spelled, settings(entry.name, layers(entry))));
        }
        return new ConfiguredBreakers(
                properties, configured, settings("defaults", new Layers(sources, List.of(DEFAULTS))));
    }

    /**
     * A source without prices, budgets and the settings of breakers, which are bound one by one, and without a value where settings
     * belong, which {@link UnknownKeys} refuses with better words than the binder has.
     */
    private static ConfigurationPropertySource withoutWhatIsBoundApart(ConfigurationPropertySource source) {
        List<ConfigurationPropertyName> apart = Stream.of(
                        "defaults", TEMPLATES, BREAKERS, Schema.BUDGETS, PricesReader.PRICES)
                .map(Sources.ROOT::append)
                .toList();
        List<ConfigurationPropertyName> branches = Schema.keys(GuardedByProperties.class).entrySet().stream()
                .filter(key -> Schema.typeBelow(key.getValue()).isRecord())
                .map(key -> Sources.ROOT.append(key.getKey()))
                .toList();
        return source.filter(name -> !name.equals(Sources.ROOT)
                && !branches.contains(name)
                && apart.stream().noneMatch(branch -> branch.isAncestorOf(name)));
    }

    private void refuseToExtendDefaults() {
        ConfigurationProperty property = DEFAULTS.find(sources, Schema.EXTENDS);
        if (property != null) {
            throw new BadConfigurationException(
                    "guardedby.defaults.extends is not a setting; the defaults are what everything else extends",
                    "Move what the template says to guardedby.defaults.",
                    Origin.from(property));
        }
    }

    private Layers layers(Entry entry) {
        List<Layer> layers = new ArrayList<>();
        layers.add(Layer.of(entry));
        List<String> path = new ArrayList<>(List.of(entry.label()));
        ConfigurationProperty extended = layers.get(0).find(sources, Schema.EXTENDS);
        while (extended != null) {
            Layer next = Layer.of(template(extended));
            boolean circle = path.contains(next.label());
            path.add(next.label());
            if (circle) {
                throw new BadConfigurationException(
                        Sources.written(extended.getName()) + " closes a circle: " + String.join(" > ", path),
                        "Remove one of these extends.",
                        extended.getOrigin());
            }
            layers.add(next);
            extended = next.find(sources, Schema.EXTENDS);
        }
        layers.add(DEFAULTS);
        return new Layers(sources, layers);
    }

    private Entry template(ConfigurationProperty extended) {
        String name = values.text(extended);
        Entry template = templates.find(name);
        if (template != null) {
            return template;
        }
        Optional<String> nearest = Spelling.nearest(name, templates.names());
        String known =
                templates.names().isEmpty() ? "there are none" : "there are " + String.join(", ", templates.names());
        throw new BadConfigurationException(
                Sources.written(extended.getName()) + " must be an entry of guardedby.templates, but was '" + name
                        + "'; "
                        + nearest.map(meant -> "did you mean " + meant + "?").orElse(known),
                "Name a template, or write guardedby.templates." + name + ".",
                extended.getOrigin());
    }

    /** Judges the values of a template one by one: which of them go together, only a breaker that extends it can tell. */
    private void check(Entry template) {
        Layers layers = layers(template);
        bind(layers, key -> true);
        budgets.check(layers);
        for (String key : Schema.BREAKER.keySet()) {
            CircuitBreaker.Builder builder = CircuitBreaker.builder("template");
            Breaker only = bind(layers, key::equals);
            try {
                only.applyTo(builder);
                builder.build();
            } catch (IllegalArgumentException e) {
                BrokenRule broken = BrokenRule.of(e);
                if (broken.other() == null) {
                    throw refused(layers, broken);
                }
            }
        }
        warnOfMilliseconds(layers);
    }

    /** The settings that result from the layers, the first of which wins. */
    private ConfiguredBreakers.Settings settings(String name, Layers layers) {
        List<Budget> own = budgets.own(layers);
        Merged merged = new Merged(bind(layers, key -> true), own, budgets.chargedTo(layers, own));
        CircuitBreaker.Builder builder = CircuitBreaker.builder(name);
        Map<String, Object> inForce;
        try {
            // A ledger for a breaker that nobody calls.
            merged.applyTo(builder, Ledger.inMemory());
            inForce = builder.build().settings();
        } catch (IllegalArgumentException e) {
            throw refused(layers, BrokenRule.of(e));
        }
        warnOfMilliseconds(layers);
        Map<String, Setting> settings = new LinkedHashMap<>();
        Values.shown(merged, inForce).forEach((key, value) -> settings.put(key, new Setting(value, from(layers, key))));
        return new ConfiguredBreakers.Settings(merged, settings);
    }

    private Breaker bind(Layers layers, Predicate<String> keys) {
        return layers.bind(values, Breaker.class, keys);
    }

    private void warnOfMilliseconds(Layers layers) {
        Schema.BREAKER.forEach((key, component) -> {
            ConfigurationProperty property = component.getType() == Duration.class ? layers.written(key) : null;
            if (property != null) {
                warnOfMilliseconds(Sources.written(property.getName()), values.text(property));
            }
        });
    }

    private void warnOfMilliseconds(String written, String value) {
        if (BARE_NUMBER.matcher(value).matches() && warned.add(written)) {
            BreakerLog.LOG.warn(written + " is read as " + value + " ms; write " + value + "s for seconds");
        }
    }

    private String from(Layers layers, String key) {
        Optional<Layer> from =
                key.equals(Schema.BUDGETS) ? budgets.speaking(layers) : layers.speaking(Schema.parts(key));
        return from.map(Layer::label).orElse("default");
    }

    /** A rule of the core is broken; each of its keys that somebody wrote is named and repeated as it was written. */
    private BadConfigurationException refused(Layers layers, BrokenRule broken) {
        ConfigurationProperty property = layers.written(broken.key());
        if (property == null) {
            return new BadConfigurationException(
                    "guardedby." + layers.label() + ": " + broken.message(),
                    "Choose a " + broken.key() + " of " + broken.rule() + ".",
                    null);
        }
        String written = Sources.written(property.getName());
        String other = broken.other();
        return new BadConfigurationException(
                written + " " + broken.verb() + " " + broken.rule() + ", but was " + values.text(property)
                        + (other == null ? "" : " and " + otherSide(layers, broken, other)),
                broken.advice(written),
                property.getOrigin());
    }

    private String otherSide(Layers layers, BrokenRule broken, String other) {
        ConfigurationProperty property = layers.written(other);
        return property == null
                ? other + " was " + broken.otherValue() + (broken.isMissing() ? "" : ", its default")
                : Sources.written(property.getName()) + " was " + values.text(property);
    }
}
