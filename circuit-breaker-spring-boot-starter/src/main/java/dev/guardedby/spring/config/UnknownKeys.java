package dev.guardedby.spring.config;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertyState;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.core.env.EnumerablePropertySource;

/** Finds what is written under {@code guardedby} and is no setting: most often a misspelled one. */
final class UnknownKeys {
    private static final Log LOG = LogFactory.getLog(UnknownKeys.class);
    private static final String BRACKETS = " A name with dots is put in brackets, in YAML in quotes, too: \"[a.b]\".";
    private static final Pattern BRACKETED = Pattern.compile("\\[[^\\]]*]");
    private static final Pattern LOST = Pattern.compile("[^\\p{Alnum}._-]");

    private UnknownKeys() {}

    /** Fails for what the application wrote; warns of what the whole machine has, which may be meant for somebody else. */
    static void refuse(Sources sources) {
        for (IterableConfigurationPropertySource source : sources.listable()) {
            if (!Sources.isEnvironment(source)) {
                checkCharacters(source);
                Sources.names(source).forEach(name -> check(name, source));
            }
        }
    }

    // Boot leaves out what it does not allow in a name: of "Client#get" there would be a breaker 'Clientget'.
    private static void checkCharacters(IterableConfigurationPropertySource source) {
        if (!(source.getUnderlyingSource() instanceof EnumerablePropertySource<?> properties)) {
            return;
        }
        for (String written : properties.getPropertyNames()) {
            Matcher lost = LOST.matcher(BRACKETED.matcher(written).replaceAll(""));
            if (lost.find()) {
                ConfigurationPropertyName name = ConfigurationPropertyName.adapt(written, '.');
                if (Sources.ROOT.isAncestorOf(name)) {
                    tell(lossy(written, lost.group(), source.getConfigurationProperty(name)), source);
                }
            }
        }
    }

    private static BadConfigurationException lossy(
            String written, String lost, @Nullable ConfigurationProperty property) {
        return refused(
                written + " has '" + lost + "', which would be left out without a word",
                "Write names with letters, digits, '-' and '_'." + BRACKETS,
                property);
    }

    private static void check(ConfigurationPropertyName name, IterableConfigurationPropertySource source) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        BadConfigurationException problem = isGap(name, source) ? gap(name, property) : problem(name, property);
        if (problem != null) {
            tell(problem, source);
        }
    }

    private static void tell(BadConfigurationException problem, IterableConfigurationPropertySource source) {
        if (!Sources.isMachineWide(source)) {
            throw problem;
        }
        LOG.warn(problem.getMessage() + " It is ignored (" + problem.getOrigin() + ").");
    }

    /** Whether the name is an element of a list of which the source lacks the one before; such a list would be cut off. */
    private static boolean isGap(ConfigurationPropertyName name, IterableConfigurationPropertySource source) {
        for (int at = 1; at < name.getNumberOfElements(); at++) {
            if (name.isNumericIndex(at) && !hasOneBefore(name, at, source)) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasOneBefore(
            ConfigurationPropertyName name, int at, IterableConfigurationPropertySource source) {
        int index = Integer.parseInt(name.getElement(at, Form.ORIGINAL));
        ConfigurationPropertyName before = name.chop(at).append("[" + (index - 1) + "]");
        return index == 0
                || source.getConfigurationProperty(before) != null
                || source.containsDescendantOf(before) == ConfigurationPropertyState.PRESENT;
    }

    private static BadConfigurationException gap(
            ConfigurationPropertyName name, @Nullable ConfigurationProperty property) {
        return refused(
                Sources.written(name) + " is without the elements before it; a list replaces the whole list",
                "Write the list from [0] on, all of it in one place.",
                property);
    }

    /** Whether a name, as far as it goes, is one that there is. */
    static boolean isKnown(ConfigurationPropertyName name) {
        return problem(name, null) == null;
    }

    /** Follows the name through the schema; what is wrong with it, or null. */
    private static @Nullable BadConfigurationException problem(
            ConfigurationPropertyName name, @Nullable ConfigurationProperty property) {
        Class<?> type = GuardedByProperties.class;
        int length = name.getNumberOfElements();
        int at = 1;
        while (at < length) {
            Map<String, RecordComponent> keys = Schema.keys(type);
            RecordComponent key = key(keys, name.getElement(at, Form.UNIFORM));
            if (key == null) {
                return unknown(name, at, type, property);
            }
            at++;
            if (Schema.isMap(key) && at < length) {
                at++;
            }
            type = Schema.typeBelow(key);
            at += Schema.isList(key) && at < length && name.isNumericIndex(at) ? 1 : 0;
            if (!type.isRecord()) {
                return at == length ? null : tooDeep(name, at, property);
            }
        }
        return isBlank(property) ? null : noValue(name, property);
    }

    private static @Nullable RecordComponent key(Map<String, RecordComponent> keys, String element) {
        return keys.entrySet().stream()
                .filter(key -> Spelling.canonical(key.getKey()).equals(element))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(null);
    }

    private static BadConfigurationException unknown(
            ConfigurationPropertyName name, int at, Class<?> type, @Nullable ConfigurationProperty property) {
        int length = name.getNumberOfElements();
        int end = name.isNumericIndex(length - 1) ? length - 1 : length;
        String isNot = Sources.written(name, 0, end) + " is not a setting";
        String parent = Sources.written(name, 0, at);
        Optional<String> misplaced = misplaced(name, at, type);
        if (misplaced.isPresent()) {
            return refused(isNot + "; did you mean " + misplaced.get() + "?", instead(misplaced.get()), property);
        }
        // The defaults are a breaker's settings that stand one level higher, and extend nothing.
        List<String> known = Schema.keys(type).keySet().stream()
                .filter(key -> at > 2 || !key.equals(Schema.EXTENDS))
                .toList();
        Optional<String> nearest = Spelling.nearest(name.getElement(at, Form.ORIGINAL), known);
        if (nearest.isPresent()) {
            String meant = parent + "." + nearest.get();
            RecordComponent key = Schema.keys(type).get(nearest.get());
            if (at + 1 < end && key != null && Schema.typeBelow(key).isRecord()) {
                String rest = Sources.written(name, at + 1, end);
                String whole = meant + (rest.startsWith("[") ? "" : ".") + rest;
                return refused(isNot + "; did you mean " + whole + "?", instead(whole), property);
            }
            return refused(isNot + "; did you mean " + nearest.get() + "?", instead(meant), property);
        }
        return refused(
                isNot + "; " + parent + " has " + String.join(", ", known),
                "Remove it, or write one of these settings instead." + (at + 1 < length ? BRACKETS : ""),
                property);
    }

    private static String instead(String meant) {
        return "Write " + meant + " instead." + (meant.contains("[") ? BRACKETS : "");
    }

    /** What was meant by a name with dots that is not in brackets, or by a breaker that stands directly under guardedby. */
    private static Optional<String> misplaced(ConfigurationPropertyName name, int at, Class<?> type) {
        int last = name.getNumberOfElements() - 1;
        int key = name.isNumericIndex(last) ? last - 1 : last;
        if (key <= at || key(Schema.BREAKER, name.getElement(key, Form.UNIFORM)) == null) {
            return Optional.empty();
        }
        if (type == GuardedByProperties.Breaker.class && at > 2 && !isNearBranch(name, at)) {
            return Optional.of(Sources.written(name, 0, 2) + "[" + Sources.written(name, 2, key) + "]."
                    + Sources.written(name, key, last + 1));
        }
        return type == GuardedByProperties.class && key == 2
                ? Optional.of("guardedby.breakers." + Sources.written(name, 1, last + 1))
                : Optional.empty();
    }

    /** Whether a key below which settings stand is misspelt, rather than a name with dots begun. */
    private static boolean isNearBranch(ConfigurationPropertyName name, int at) {
        return Spelling.nearest(name.getElement(at, Form.ORIGINAL), Schema.BREAKER.keySet())
                .map(Schema.BREAKER::get)
                .filter(key -> Schema.typeBelow(key).isRecord())
                .isPresent();
    }

    private static BadConfigurationException tooDeep(
            ConfigurationPropertyName name, int at, @Nullable ConfigurationProperty property) {
        String setting = Sources.written(name, 0, at);
        return refused(
                Sources.written(name) + " is not a setting; " + setting + " has a value and no settings below it",
                "Write the value of " + setting + " beside it.",
                property);
    }

    private static BadConfigurationException noValue(
            ConfigurationPropertyName name, @Nullable ConfigurationProperty property) {
        String written = Sources.written(name);
        String value = property == null ? "" : String.valueOf(property.getValue());
        return refused(
                written + " must hold settings, but was '" + value + "'",
                "Write settings below " + written + ", or nothing.",
                property);
    }

    private static boolean isBlank(@Nullable ConfigurationProperty property) {
        return property == null || String.valueOf(property.getValue()).isBlank();
    }

    private static BadConfigurationException refused(
            String message, String action, @Nullable ConfigurationProperty property) {
        return new BadConfigurationException(message, action, Origin.from(property));
    }
}
