package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.regex.Pattern;

/** Checks of settings: each failure names the key as it is written in {@code application.yml}, the value and the rule. */
final class Require {
    // Ten years, leap days included: far below the 292 years at which nanoseconds in a long wrap.
    private static final Duration LONGEST = Duration.ofDays(3_653);
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private Require() {}

    static String name(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "name must be 1 to 64 letters, digits, '.', '_' or '-', but was '" + name + "'");
        }
        return name;
    }

    static void atLeast(int least, String key, int value) {
        if (value < least) {
            throw new IllegalArgumentException(key + " must be at least " + least + ", but was " + value);
        }
    }

    static void positive(String key, Duration value) {
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
}
