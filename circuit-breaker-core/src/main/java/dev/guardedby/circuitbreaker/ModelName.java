package dev.guardedby.circuitbreaker;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Under which names a model may stand in a price book. */
final class ModelName {
    /** Who serves it: {@code openrouter/}, or {@code us.} and {@code anthropic.} of Bedrock; gpt-4. is none, for its digit. */
    private static final Pattern SERVED_BY = Pattern.compile("[^/]+/(?=.)|[a-z][a-z-]*\\.(?=[a-z])");

    private static final String FINE_TUNED = "ft:";

    /**
     * What marks a snapshot of a model: {@code -2024-08-06}, {@code -20241022}, {@code -0613}, {@code -05-20}, {@code -09-2025},
     * {@code @001}, {@code -v2:0} after one of these, {@code :0}, {@code -latest}. Words such as mini and preview, sizes such as
     * 70b and 32k, and single digits are other models.
     */
    private static final Pattern SNAPSHOT = Pattern.compile(
            "(?:[-@](?:\\d{4}-\\d\\d-\\d\\d|\\d\\d-\\d\\d(?:\\d\\d)?|\\d{3,8}|latest))?(?:[-@]v\\d+:\\d+|:\\d)?");

    private ModelName() {}

    /** The name without case. */
    static String canonical(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    /** The names to look for, the best first: all that are the model itself, then those that it is a snapshot of. */
    static List<String> candidates(@Nullable String provider, String model) {
        String name = canonical(model);
        Set<String> names = new LinkedHashSet<>();
        if (provider != null && !provider.isBlank()) {
            names.add(canonical(provider) + "/" + name);
        }
        addAndWithoutProviders(name, names);
        Set<String> candidates = new LinkedHashSet<>(names);
        names.forEach(full -> addBases(full, candidates));
        return new ArrayList<>(candidates);
    }

    private static void addAndWithoutProviders(String name, Set<String> names) {
        String rest = name;
        names.add(rest);
        if (rest.startsWith(FINE_TUNED)) {
            int end = rest.indexOf(':', FINE_TUNED.length());
            names.add(end < 0 ? rest : rest.substring(0, end));
            return;
        }
        Matcher servedBy = SERVED_BY.matcher(rest);
        while (servedBy.lookingAt()) {
            rest = rest.substring(servedBy.end());
            names.add(rest);
            servedBy.reset(rest);
        }
    }

    /** From the longest to the shortest. */
    private static void addBases(String name, Set<String> candidates) {
        for (int end = name.length() - 1; end > 0; end--) {
            if ("-@:".indexOf(name.charAt(end)) >= 0
                    && SNAPSHOT.matcher(name).region(end, name.length()).matches()) {
                candidates.add(name.substring(0, end));
            }
        }
    }
}
