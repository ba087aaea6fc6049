package dev.guardedby.spring.prices;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What became of a file of prices.
 *
 * @param location the file
 * @param imported how many models have prices from it
 * @param skipped the models that have none, and why
 * @param unusedKeys the keys about money that say nothing to a price book, and in how many models they stand
 */
public record ImportReport(
        String location, int imported, SortedMap<String, String> skipped, SortedMap<String, Integer> unusedKeys) {
    /** Copies both maps. */
    public ImportReport {
        skipped = Collections.unmodifiableSortedMap(new TreeMap<>(skipped));
        unusedKeys = Collections.unmodifiableSortedMap(new TreeMap<>(unusedKeys));
    }

    /** The whole of it in one line: how many models were imported, how many skipped for which reason, and the unused keys. */
    public String summary() {
        String reasons = skipped.values().stream()
                .collect(Collectors.groupingBy(reason -> reason, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(reason -> reason.getValue() + " because " + reason.getKey())
                .collect(Collectors.joining(", "));
        String unused = unusedKeys.entrySet().stream()
                .map((Map.Entry<String, Integer> key) -> key.getKey() + " (" + key.getValue() + ")")
                .collect(Collectors.joining(", "));
        return "Prices of " + imported + " models imported from " + location
                + (reasons.isEmpty() ? "" : "; skipped " + reasons)
                + (unused.isEmpty() ? "" : "; unused " + unused);
    }
}
