package dev.guardedby.spring.config;

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

/** The named entries of one branch, {@code guardedby.templates} or {@code guardedby.breakers}, from all sources. */
final class Entries {
    private static final int NAME = 2;

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
            return Sources.written(roots.get(0), 1, NAME + 1);
        }
    }

    private final ConfigurationPropertyName branch;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    Entries(Sources sources, String branch) {
        this.branch = Sources.ROOT.append(branch);
        // Environment variables last: an entry that stands in a file, too, has the name that is written there.
        sources.listable().stream()
                .filter(source -> !Sources.isEnvironment(source))
                .forEach(this::collect);
        sources.listable().stream().filter(Sources::isEnvironment).forEach(this::collect);
    }

    private void collect(IterableConfigurationPropertySource source) {
        boolean spelled = !Sources.isEnvironment(source);
        Sources.names(source)
                .filter(name -> branch.isAncestorOf(name) && (!Sources.isMachineWide(source) || isSetting(name)))
                .forEach(name -> add(name, spelled, source));
    }

    private void add(ConfigurationPropertyName name, boolean spelled, ConfigurationPropertySource source) {
        String spelling = name.getElement(NAME, Form.ORIGINAL);
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
        ConfigurationPropertyName root = name.chop(NAME + 1);
        if (!entry.roots.contains(root)) {
            entry.roots.add(root);
        }
    }

    /** What the machine holds makes an entry only where a key follows the name: A_B_MODE may be about "a-b". */
    private static boolean isSetting(ConfigurationPropertyName name) {
        StringBuilder key = new StringBuilder();
        for (int i = NAME + 1; i < name.getNumberOfElements(); i++) {
            key.append(name.isNumericIndex(i) ? "" : name.getElement(i, Form.UNIFORM));
        }
        return Schema.BREAKER.keySet().stream()
                .anyMatch(known -> Spelling.canonical(known).contentEquals(key));
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
