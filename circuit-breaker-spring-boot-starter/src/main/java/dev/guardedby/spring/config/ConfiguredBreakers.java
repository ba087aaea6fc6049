package dev.guardedby.spring.config;

import java.util.Map;
import java.util.Set;

/** What {@code application.yml} says about breakers: which are named there, and what each of them is set to. */
public final class ConfiguredBreakers {

    /** What to do about a breaker name in code that has no entry of its own under {@code guardedby.breakers}. */
    public enum UnknownName {

        /** Refuse a name that is one edit away from an entry nobody uses: it is a misspelling. */
        NEAR_MISS,

        /** Refuse every name without an entry. */
        FAIL,

        /** Take every name; one without an entry is set by {@code guardedby.defaults}. */
        ALLOW
    }

    /**
     * One setting as it is in force.
     *
     * @param value the value
     * @param from where it was written: {@code breakers.llm}, {@code templates.slow-remote}, {@code defaults}, or
     *     {@code default} where nobody wrote it
     */
    public record Setting(Object value, String from) {}

    private final Set<String> names;
    private final UnknownName unknownName;

    ConfiguredBreakers(Set<String> names, UnknownName unknownName) {
        this.names = Set.copyOf(names);
        this.unknownName = unknownName;
    }

    /** The names that have an entry of their own under {@code guardedby.breakers}, as they were written. */
    public Set<String> names() {
        return names;
    }

    /** What to do about a name that has none. */
    public UnknownName unknownName() {
        return unknownName;
    }

    /**
     * Every setting of a breaker as it is in force, key by key, whether or not it has an entry of its own.
     *
     * @param breaker the name of the breaker
     * @return key to setting, in the order of the documentation
     */
    public Map<String, Setting> settings(String breaker) {
        return Map.of();
    }
}
