package dev.guardedby.spring.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.Origin;

/** The named entries of one branch, such as {@code guardedby.breakers}, from all sources. */
final class Entries {
    /** One entry; it may stand in several sources, and be written with and without brackets. */
    static final class Entry {
        final String name;
        final boolean spelled;
        final List<ConfigurationPropertyName> roots = new ArrayList<>();
        private final @Nullable Origin origin;

        Entry(String name, boolean spelled, @Nullable Origin origin) {
            this.name = name;
            this.spelled = spelled;
            this.origin = origin;
        }

        /** The entry as its settings are prefixed, without {@code guardedby}: {@code breakers.llm}. */
        String label() {
            ConfigurationPropertyName root = roots.get(0);
            return Sources.written(root, 1, root.getNumberOfElements());
        }
    }

    private final ConfigurationPropertyName branch;
    /** Where in a name that of the entry stands. */
    private final int at;
    /** What an entry is bound to. */
    private final Class<?> type;

    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /**
     * Collects them.
     *
     * @param branch the key of a map
     * @param type the record that its values are bound to
     */
    Entries(Sources sources, ConfigurationPropertyName branch, Class<?> type) {
        this.branch = branch;
        this.at = branch.getNumberOfElements();
        this.type = type;
        // Environment variables last: an entry that stands in a file, too, has the name that is written there.
        sources.listable().stream()
                .filter(source -> !Sources.isEnvironment(source))
                .forEach(this::collect);
        sources.listable().stream().filter(Sources::isEnvironment).forEach(this::collect);
    }

    private void collect(IterableConfigurationPropertySource source) {
        boolean spelled = !Sources.isEnvironment(source);
        Sources.names(source)
                .filter(name ->
                        branch.isAncestorOf(name) && (!Sources.isMachineWide(source) || leads(name, at + 1, type)))
                .forEach(name -> add(name, spelled, source));
    }

    private void add(ConfigurationPropertyName name, boolean spelled, ConfigurationPropertySource source) {
        String spelling = name.getElement(at, Form.ORIGINAL);
        Origin origin = Origin.from(source.getConfigurationProperty(name));
        Entry entry =
                entries.computeIfAbsent(Spelling.canonical(spelling), key -> new Entry(spelling, spelled, origin));
        if (spelled && !entry.name.equals(spelling)) {
            throw new BadConfigurationException(
                    Sources.written(branch) + " has two spellings of one name, '" + entry.name + "' (" + entry.origin
                            + ") and '" + spelling + "' (" + origin + "); case and dashes make no difference",
                    "Write the name the same way in both places, or choose names that differ in more than case and dashes.",
                    origin);
        }
        ConfigurationPropertyName root = name.chop(at + 1);
        if (!entry.roots.contains(root)) {
            entry.roots.add(root);
        }
    }

    /**
     * Whether the rest of a name is a key of the record. What the machine holds makes an entry only where one follows the name:
     * A_B_MODE may be about "a-b".
     */
    private static boolean leads(ConfigurationPropertyName name, int from, Class<?> type) {
        StringBuilder key = new StringBuilder();
        for (int i = from; i < name.getNumberOfElements(); i++) {
            key.append(name.isNumericIndex(i) ? "" : name.getElement(i, Form.UNIFORM));
            for (Map.Entry<String, RecordComponent> known : Schema.keys(type).entrySet()) {
                if (Spelling.canonical(known.getKey()).contentEquals(key) && ends(name, i + 1, known.getValue())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean ends(ConfigurationPropertyName name, int from, RecordComponent key) {
        if (Schema.typeBelow(key).isRecord()) {
            return leads(name, Schema.isMap(key) ? from + 1 : from, Schema.typeBelow(key));
        }
        return from == name.getNumberOfElements()
                || (from == name.getNumberOfElements() - 1 && name.isNumericIndex(from));
    }

    @Nullable Entry find(String name) {
        return entries.get(Spelling.canonical(name));
    }

    Collection<Entry> all() {
        return entries.values();
    }

    List<String> names() {
        return entries.values().stream().map(entry -> entry.name).toList();
    }
}
