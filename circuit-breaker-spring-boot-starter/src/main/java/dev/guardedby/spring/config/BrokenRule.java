package dev.guardedby.spring.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the core refused, taken apart: {@code minimum-calls must be at most window, but minimum-calls was 30 and window was 10}.
 *
 * @param message the whole of it
 * @param key the key that it begins with
 * @param verb {@code must be} or {@code needs}
 * @param rule what the value must be: a range, or another key that it must go with
 * @param other the other key of a pair; null if the value alone is wrong
 * @param otherValue what the other one was
 */
record BrokenRule(
        String message,
        String key,
        String verb,
        String rule,
        @Nullable String other,
        @Nullable String otherValue) {
    private static final Pattern VALUE =
            Pattern.compile("(?s)(?<key>[a-z.-]+) (?<verb>must be) (?<rule>.+?), but was .+");
    private static final Pattern PAIR =
            Pattern.compile("(?<key>[a-z-]+) (?<verb>must be|needs) (?<rule>(at (most|least) )?(?<other>[a-z-]+)), but"
                    + " \\k<key> was .+ and \\k<other> was (?<value>.+)");

    /** Takes a refusal apart; what is no rule about settings is thrown on. */
    static BrokenRule of(IllegalArgumentException refused) {
        String message = String.valueOf(refused.getMessage());
        Matcher pair = PAIR.matcher(message);
        if (pair.matches()) {
            return rule(message, pair, pair.group("other"), pair.group("value"));
        }
        Matcher value = VALUE.matcher(message);
        if (value.matches()) {
            return rule(message, value, null, null);
        }
        throw refused;
    }

    private static BrokenRule rule(String message, Matcher found, @Nullable String other, @Nullable String value) {
        return new BrokenRule(message, found.group("key"), found.group("verb"), found.group("rule"), other, value);
    }

    /** Whether the other key of the pair has no value at all. */
    boolean isMissing() {
        return verb.equals("needs");
    }

    /** What to write instead. */
    String advice(String written) {
        if (isMissing()) {
            return "Set " + other + ", too, or remove " + written + ".";
        }
        String most = other == null ? "" : (rule.startsWith("at most") ? ", or raise " : ", or lower ") + other;
        return "Set " + written + " to " + (rule.equals("positive") ? "a duration above 0, such as 30s" : rule) + most
                + ".";
    }
}
