package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Proof;
import dev.guardedby.spring.config.ConfiguredBreakers.Merged;
import dev.guardedby.spring.config.GuardedByProperties.Breaker;
import java.beans.PropertyEditorSupport;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.PropertyEditorRegistry;
import org.springframework.boot.context.properties.bind.BindContext;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.core.convert.ConversionFailedException;
import org.springframework.util.ClassUtils;

/** How a value is read from text and shown as text, and what is said of text that is none. */
final class Values {
    /** What stands for the value of a setting that is off. */
    static final String OFF = "none";

    private static final BindHandler NO_BLANKS = new BindHandler() {
        @Override
        public void onFinish(
                ConfigurationPropertyName name, Bindable<?> target, BindContext context, @Nullable Object result) {
            // Blank text converts to nothing, and the default would quietly take its place. The property is
            // the one read last, so it may be that of another key.
            ConfigurationProperty property = context.getConfigurationProperty();
            if (result == null && property != null && isOf(name, property.getName())) {
                throw new IllegalArgumentException("blank");
            }
        }

        /** Whether they are one key, wherever it stands. */
        private static boolean isOf(ConfigurationPropertyName name, ConfigurationPropertyName property) {
            // Not by subName, which fails for names of six elements and more that the binder has put together.
            int shift = property.getNumberOfElements() - name.getNumberOfElements();
            return shift >= -1
                    && IntStream.range(1, name.getNumberOfElements())
                            .allMatch(i -> name.getElement(i, Form.UNIFORM)
                                    .equals(property.getElement(i + shift, Form.UNIFORM)));
        }
    };

    private final PlaceholdersResolver placeholders;
    private final Consumer<PropertyEditorRegistry> editors;
    private final @Nullable ClassLoader classes;

    Values(PlaceholdersResolver placeholders, @Nullable ClassLoader classes) {
        this.placeholders = value -> asText(placeholders.resolvePlaceholders(value));
        this.classes = classes;
        this.editors = registry -> {
            registry.registerCustomEditor(Class.class, new TextEditor(text -> exception(text, classes)));
            registry.registerCustomEditor(RateWindow.class, new TextEditor(RateWindow::parse));
            registry.registerCustomEditor(LocalDate.class, new TextEditor(LocalDate::parse));
            registry.registerCustomEditor(ZoneId.class, new TextEditor(ZoneId::of));
        };
    }

    /** The number 1.5 would quietly become the whole number 1; the text does not. */
    private static @Nullable Object asText(@Nullable Object value) {
        return value instanceof Number ? value.toString() : value;
    }

    private static Class<?> exception(String name, @Nullable ClassLoader classes) {
        Class<?> type = ClassUtils.resolveClassName(name, classes);
        if (!Throwable.class.isAssignableFrom(type)) {
            throw new IllegalArgumentException(name + " is no exception");
        }
        return type;
    }

    String text(ConfigurationProperty property) {
        return String.valueOf(placeholders.resolvePlaceholders(property.getValue()));
    }

    <T> T bind(List<ConfigurationPropertySource> sources, String name, Class<T> type) {
        try {
            return new Binder(sources, placeholders, null, editors).bindOrCreate(name, Bindable.of(type), NO_BLANKS);
        } catch (BindException e) {
            throw noValue(e);
        }
    }

    private BadConfigurationException noValue(BindException e) {
        ConfigurationProperty property = e.getProperty();
        String key = Sources.written(property == null ? e.getName() : property.getName());
        Object value = property == null ? null : property.getValue();
        Class<?> type = e.getTarget().getType().resolve(Object.class);
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            // The innermost knows which element of a list it was.
            if (cause instanceof ConversionFailedException failed && failed.getValue() != null) {
                value = failed.getValue();
                type = failed.getTargetType().getType();
            }
        }
        String was = value == null ? "" : value.toString();
        if (type == Class.class) {
            return noException(key, was, Origin.from(property));
        }
        String rule = rule(type);
        return new BadConfigurationException(
                key + " must be " + rule + ", but was '" + was + "'",
                type == Mode.class && was.equals("false")
                        ? "Write disabled. YAML reads off and no, without quotes, as false."
                        : "Set " + key + " to " + rule + ".",
                Origin.from(property));
    }

    private BadConfigurationException noException(String key, String name, @Nullable Origin origin) {
        String rule = key + " must be the name of an exception class, but ";
        return ClassUtils.isPresent(name.trim(), classes)
                ? new BadConfigurationException(
                        rule + name + " is not an exception",
                        "Set " + key + " to a class that extends java.lang.Throwable.",
                        origin)
                : new BadConfigurationException(
                        rule + "there is no class '" + name + "' on the class path",
                        "Set " + key + " to the full name, with the package; a nested class is com.acme.Outer$Inner.",
                        origin);
    }

    private static String rule(Class<?> type) {
        if (type.isEnum()) {
            return Arrays.stream(type.getEnumConstants())
                    .map(constant -> shown(constant).toString())
                    .collect(Collectors.joining(", ", "one of ", ""));
        }
        if (type == Duration.class) {
            return "a duration such as 30s or 5m";
        }
        if (type == RateWindow.class) {
            return "a number of calls such as 100, or a duration such as 60s";
        }
        if (type == LocalDate.class) {
            return "a day such as 2026-01-31";
        }
        if (type == ZoneId.class) {
            return "a time zone such as Europe/Berlin or UTC";
        }
        if (type == Double.class || type == BigDecimal.class) {
            return "a number";
        }
        return type == boolean.class ? "true or false" : "a whole number";
    }

    /**
     * The settings of a breaker, key by key, as somebody could write them.
     *
     * @param merged what its layers say, which alone knows the rules for exceptions and what budgets are
     * @param inForce what the breaker that results says of itself
     */
    static Map<String, Object> shown(Merged merged, Map<String, Object> inForce) {
        Breaker breaker = merged.breaker();
        Map<String, Object> shown = new LinkedHashMap<>();
        Schema.BREAKER.forEach((key, component) -> {
            if (Schema.isList(component)) {
                shown.put(key, shown(Objects.requireNonNullElseGet(Schema.value(breaker, component), () -> list(key))));
            } else if (key.equals(Schema.BUDGETS)) {
                shown.put(key, shownBudgets(merged.budgets()));
            } else if (key.equals(Schema.ESTIMATE)) {
                shown.put(key, breaker.estimatePerCall() == null ? OFF : parts(breaker.estimatePerCall()));
            } else if (Schema.OF_KEYS.contains(key)) {
                shown.put(key, Objects.requireNonNull(breaker.ofKeys().get(key)));
            } else if (!key.equals(Schema.EXTENDS)) {
                shown.put(key, shown(inForce.getOrDefault(key, OFF)));
            }
        });
        return shown;
    }

    /** What stands for a list that nobody wrote: all proofs, or the one rule that is no list of classes. */
    private static Object list(String key) {
        return key.equals(Schema.CHARGE_ON_FAILURE) ? "read timeouts" : List.of(Proof.values());
    }

    /** Budgets by their names; none is {@link #OFF}. */
    private static Object shownBudgets(List<Budget> budgets) {
        Map<String, Object> shown = new LinkedHashMap<>();
        for (Budget budget : budgets) {
            Map<String, Object> each = new LinkedHashMap<>();
            each.put(shown(budget.unit()).toString(), budget.limit());
            each.put("window", budget.window().words());
            budget.window().zone().ifPresent(zone -> each.put("zone", zone.getId()));
            if (!budget.warnAt().isEmpty()) {
                each.put("warn-at", budget.warnAt());
            }
            budget.degradeAt().ifPresent(percent -> each.put("degrade-at", percent));
            budget.degradeTo().ifPresent(model -> each.put("degrade-to", model));
            if (budget.requireEstimate()) {
                each.put("require-estimate", true);
            }
            shown.put(budget.name(), each);
        }
        return shown.isEmpty() ? OFF : shown;
    }

    /** A record, key by key, as far as it is written. */
    private static Map<String, Object> parts(Record written) {
        Map<String, Object> parts = new LinkedHashMap<>();
        Schema.keys(written.getClass()).forEach((key, component) -> {
            Object value = Schema.value(written, component);
            if (value != null) {
                parts.put(key, value);
            }
        });
        return parts;
    }

    /** A value as somebody could write it. */
    static Object shown(Object value) {
        if (value instanceof Enum<?> constant) {
            return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
        if (value instanceof Class<?> type) {
            return type.getName();
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Values::shown).toList();
        }
        return value instanceof Duration ? value.toString() : value;
    }

    /** Makes a value of text, and nothing else. */
    private static final class TextEditor extends PropertyEditorSupport {
        private final Function<String, Object> reading;

        TextEditor(Function<String, Object> reading) {
            this.reading = reading;
        }

        @Override
        public void setAsText(String text) {
            setValue(reading.apply(text.trim()));
        }
    }
}
