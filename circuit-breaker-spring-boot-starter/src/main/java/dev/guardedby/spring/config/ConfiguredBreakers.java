package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.GuardedByProperties.Breaker;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the configuration says about breakers: which are named there, and what each of them is set to. */
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
     * @param value the value, as somebody could write it: a number, a text, a list of texts, or a map of such values; {@code none} if
     *     it is off
     * @param from where it was written: {@code breakers.llm}, {@code templates.slow-remote}, {@code defaults},
     *     {@code default} where nobody wrote it, or {@code runtime} where the running application has changed it
     */
    public record Setting(Object value, String from) {}

    /**
     * A budget of a breaker.
     *
     * @param shared whether other breakers may charge to it, too
     */
    public record ConfiguredBudget(Budget budget, boolean shared) {}

    /** What all layers of one breaker say together; budgets apart, because those of one name add up. */
    record Merged(Breaker breaker, List<Budget> budgets, List<Budget> chargeTo) {
        Merged {
            budgets = List.copyOf(budgets);
            chargeTo = List.copyOf(chargeTo);
        }

        Optional<ConfiguredBudget> budget(String name) {
            return Stream.concat(
                            budgets.stream().map(budget -> new ConfiguredBudget(budget, false)),
                            chargeTo.stream().map(budget -> new ConfiguredBudget(budget, true)))
                    .filter(configured -> configured.budget().name().equals(name))
                    .findFirst();
        }

        /** Tells a builder all of it. */
        void applyTo(CircuitBreaker.Builder builder, Ledger ledger) {
            breaker.applyTo(builder);
            budgets.forEach(builder::budget);
            builder.chargeTo(chargeTo.toArray(Budget[]::new)).ledger(ledger);
        }
    }

    /** The settings of one breaker, to apply and to show. */
    record Settings(Merged merged, Map<String, Setting> shown) {
        Settings {
            shown = Collections.unmodifiableMap(new LinkedHashMap<>(shown));
        }
    }

    /** An entry of {@code guardedby.breakers}; one that only environment variables make is not spelled by anybody. */
    record Entry(String name, boolean spelled, Settings settings) {}

    /** How many keys a breaker keeps where nobody says. */
    public static final int DEFAULT_MAX_KEYS = 10_000;

    private final GuardedByProperties properties;
    private final Map<String, Entry> entries;
    private final @Nullable Settings defaults;
    private final Set<String> setInCode = ConcurrentHashMap.newKeySet();
    private volatile boolean inForce = true;

    ConfiguredBreakers(GuardedByProperties properties, Map<String, Entry> entries, @Nullable Settings defaults) {
        this.properties = properties;
        this.entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        this.defaults = defaults;
    }

    /** What there is when {@code guardedby.enabled} is false. */
    static ConfiguredBreakers switchedOff(GuardedByProperties properties) {
        return new ConfiguredBreakers(properties, Map.of(), null);
    }

    /** The names that have an entry of their own under {@code guardedby.breakers}, as they were written. */
    public Set<String> names() {
        return entries.values().stream().map(Entry::name).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * The entry that sets a breaker; names that differ in case and dashes only are one.
     *
     * @param breaker the name of the breaker
     * @return the name as it was written, or empty if it has no entry of its own
     */
    public Optional<String> entryOf(String breaker) {
        return Optional.ofNullable(entries.get(Spelling.canonical(breaker))).map(Entry::name);
    }

    /**
     * The name of a breaker as its entry writes it.
     *
     * @param breaker the name of the breaker
     * @return empty if it has no entry, or one that only environment variables make: they keep neither case nor dashes
     */
    public Optional<String> writtenName(String breaker) {
        return Optional.ofNullable(entries.get(Spelling.canonical(breaker)))
                .filter(Entry::spelled)
                .map(Entry::name);
    }

    /** A name without case and dashes; names that have that in common are one. */
    public static String canonical(String name) {
        return Spelling.canonical(name);
    }

    /** The known word that a misspelt one is nearest to, as start-up suggests it for settings; empty if none is near. */
    public static Optional<String> nearest(String word, Collection<String> known) {
        return Spelling.nearest(word, known);
    }

    /** What to do about a name that has none. */
    public UnknownName unknownName() {
        return properties.unknownName();
    }

    /** Whether an open breaker reports DOWN. */
    public boolean downWhenOpen() {
        return properties.health().downWhenOpen();
    }

    /** Whether the web's answer to a refusal tells the name of the breaker. */
    public boolean showName() {
        return properties.web().showName();
    }

    /**
     * Every setting of a breaker as it is configured, key by key, whether or not it has an entry of its own.
     *
     * @param breaker the name of the breaker
     * @return key to setting, in the order of the documentation; empty for a breaker that the application built itself, for
     *     all of them where it has a registry of its own, and when {@code guardedby.enabled} is false
     */
    public Map<String, Setting> settings(String breaker) {
        if (!inForce || setInCode.contains(breaker)) {
            return Map.of();
        }
        Settings settings = settingsOf(breaker);
        return settings == null ? Map.of() : settings.shown();
    }

    /**
     * Every setting of a breaker as it is in force, key by key: what is configured, unless the breaker says otherwise, because
     * customizers, code and operators have the last word.
     *
     * @param breaker the name of the breaker
     * @param inForce what it says of itself: {@link CircuitBreaker#settings()}
     * @return key to setting, in the order of the documentation
     */
    public Map<String, Setting> settings(String breaker, Map<String, Object> inForce) {
        Map<String, Setting> settings = new LinkedHashMap<>(settings(breaker));
        settings.replaceAll((key, setting) ->
                inForce.containsKey(key) || !Schema.isOfLiveBreaker(key) ? setting : inForce(setting, Values.OFF));
        inForce.forEach((key, value) -> settings.put(key, inForce(settings.get(key), Values.shown(value))));
        return settings;
    }

    private static Setting inForce(@Nullable Setting configured, Object value) {
        return configured != null && configured.value().equals(value) ? configured : new Setting(value, "runtime");
    }

    /**
     * A budget as it is configured for a breaker.
     *
     * @param breaker the name of the breaker
     * @param budget the name of the budget
     * @return empty if the configuration does not have it
     */
    public Optional<ConfiguredBudget> budget(String breaker, String budget) {
        Settings settings = !inForce || setInCode.contains(breaker) ? null : settingsOf(breaker);
        return settings == null ? Optional.empty() : settings.merged().budget(budget);
    }

    /** All budgets that the configuration has for a breaker, those that it shares last. */
    Stream<Budget> budgets(String breaker) {
        Settings settings = !inForce || setInCode.contains(breaker) ? null : settingsOf(breaker);
        return settings == null
                ? Stream.empty()
                : Stream.concat(settings.merged().budgets().stream(), settings.merged().chargeTo().stream());
    }

    /** How many keys of a breaker have one of their own at most. */
    public int maxKeys(String breaker) {
        return ofKeys(breaker, Schema.MAX_KEYS, DEFAULT_MAX_KEYS);
    }

    /** How many keys of a breaker get series of their own. */
    public int tagKeys(String breaker) {
        return ofKeys(breaker, Schema.TAG_KEYS, 0);
    }

    private int ofKeys(String breaker, String key, int byDefault) {
        Settings settings = settingsOf(breaker);
        return settings == null
                ? byDefault
                : settings.merged().breaker().ofKeys().getOrDefault(key, byDefault);
    }

    /**
     * Changes settings of a live breaker, all of them or none.
     *
     * @param breaker the breaker
     * @param settings keys of {@code application.yml} with their values, {@code failure-threshold=5,window=100}
     * @return the keys that were written, with the values that they now have
     * @throws IllegalArgumentException if a key, a value or a pair of values is wrong, naming it; then nothing has changed
     */
    public Map<String, Object> reconfigure(CircuitBreaker breaker, String settings) {
        return LiveChange.read(settings).applyTo(breaker);
    }

    /**
     * A builder with the settings of a breaker.
     *
     * @param ledger where the accounts of its budgets are kept
     */
    CircuitBreaker.Builder builder(String breaker, Ledger ledger) {
        CircuitBreaker.Builder builder = CircuitBreaker.builder(breaker);
        Settings settings = settingsOf(breaker);
        if (settings == null) {
            return builder.mode(Mode.DISABLED);
        }
        settings.merged().applyTo(builder, ledger);
        return builder;
    }

    /** The application built that breaker itself, so nothing here holds for it. */
    void setInCode(String breaker) {
        setInCode.add(breaker);
    }

    /** The application has a registry of its own, which makes its breakers without asking here. */
    void notInForce() {
        inForce = false;
        if (!entries.isEmpty()) {
            BreakerLog.LOG.warn("guardedby.breakers is not in force, because the application has its own"
                    + " CircuitBreakerRegistry bean; remove the bean, or the entries "
                    + entries.values().stream().map(Entry::name).collect(Collectors.joining(", ")));
        }
    }

    boolean isSwitchedOff() {
        return defaults == null;
    }

    List<Entry> entries() {
        return List.copyOf(entries.values());
    }

    private @Nullable Settings settingsOf(String breaker) {
        Entry entry = entries.get(Spelling.canonical(breaker));
        return entry == null ? defaults : entry.settings();
    }
}
