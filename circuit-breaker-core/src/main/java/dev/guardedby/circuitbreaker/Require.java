package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Checks of settings: each failure names the key as it is written in {@code application.yml}, the value and the rule. */
final class Require {
    // Ten years, leap days included: far below the 292 years at which nanoseconds in a long wrap.
    static final Duration LONGEST = Duration.ofDays(3_653);
    private static final int LONGEST_KEY = 256;
    // Whoever sends keys may have us log what is none.
    private static final int SHOWN_OF_A_KEY = 40;
    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x1f\\x7f-\\x9f]");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private Require() {}

    static String name(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "name must be 1 to 64 letters, digits, '.', '_' or '-', but was '" + name + "'");
        }
        return name;
    }

    static String key(String key) {
        if (key.isBlank() || key.length() > LONGEST_KEY || key.chars().anyMatch(Character::isISOControl)) {
            String shown = key.length() > SHOWN_OF_A_KEY ? key.substring(0, SHOWN_OF_A_KEY) + "…" : key;
            throw new IllegalArgumentException("key must be 1 to " + LONGEST_KEY
                    + " characters, not blank and without control characters, but was '"
                    + CONTROL.matcher(shown).replaceAll("?") + "'"
                    + (key.length() > LONGEST_KEY ? " of " + key.length() : ""));
        }
        return key;
    }

    static void atLeast(int least, String key, int value) {
        if (value < least) {
            throw new IllegalArgumentException(key + " must be at least " + least + ", but was " + value);
        }
    }

    static void positive(String key, @Nullable Duration value) {
        if (value == null) {
            return;
        }
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(key + " must be positive, but was " + value);
        }
        if (value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(key + " must be at most 10 years, but was " + value);
        }
    }

    static void atMost(String key, int value, String limitKey, int limit) {
        if (value > limit) {
            throw new IllegalArgumentException(key + " must be at most " + limitKey + ", but " + key + " was " + value
                    + " and " + limitKey + " was " + limit);
        }
    }

    static void atLeast(String key, Duration value, String limitKey, Duration limit) {
        if (value.compareTo(limit) < 0) {
            throw new IllegalArgumentException(key + " must be at least " + limitKey + ", but " + key + " was " + value
                    + " and " + limitKey + " was " + limit);
        }
    }

    static void percent(String key, @Nullable Double value) {
        if (value != null && !(value > 0 && value <= 100)) {
            throw new IllegalArgumentException(key + " must be above 0 and at most 100, but was " + value);
        }
    }

    static void factor(String key, double value) {
        if (!(value >= 1)) {
            throw new IllegalArgumentException(key + " must be at least 1, but was " + value);
        }
        if (value == Double.POSITIVE_INFINITY) {
            throw new IllegalArgumentException(key + " must be finite, but was " + value);
        }
    }

    static void share(String key, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(key + " must be at least 0 and below 1, but was " + value);
        }
    }

    static void together(String key, @Nullable Object value, String neededKey, @Nullable Object needed) {
        if (value != null && needed == null) {
            throw new IllegalArgumentException(key + " needs " + neededKey + ", but " + key + " was " + value + " and "
                    + neededKey + " was not set");
        }
    }

    static void same(String key, @Nullable Object value, @Nullable Object earlier) {
        if (value != earlier) {
            throw new IllegalArgumentException(key + " cannot change while the circuit breaker lives");
        }
    }
}
