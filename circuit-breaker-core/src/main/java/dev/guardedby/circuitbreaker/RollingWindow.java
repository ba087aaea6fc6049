package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The last so much time, up to now.
 *
 * <p>What is spent is kept by slices of time, and a slice is forgotten as a whole once its last nanosecond is as old as the
 * window: late by less than a slice, never early.
 */
final class RollingWindow implements BudgetWindow {
    private static final int SLICES = 60;
    private static final Pattern SIMPLE = Pattern.compile("(\\d{1,19})(ns|us|ms|s|m|h|d)");
    private static final String[] UNITS = {"d", "h", "m", "s", "ms", "us", "ns"};
    private static final long[] NANOS_OF_UNITS = {
        86_400_000_000_000L, 3_600_000_000_000L, 60_000_000_000L, 1_000_000_000, 1_000_000, 1_000, 1
    };

    private final long nanos;
    private final String words;

    RollingWindow(Duration length) {
        Require.positive("window", length);
        this.nanos = length.toNanos();
        this.words = inWords(nanos);
    }

    /** A window of a length in text, {@code 10m} or {@code PT10M}; null if the text is no length. */
    static @Nullable RollingWindow parse(String text) {
        Duration length = duration(text);
        return length == null ? null : new RollingWindow(length);
    }

    private static @Nullable Duration duration(String text) {
        Matcher simple = SIMPLE.matcher(text.toLowerCase(Locale.ROOT));
        try {
            return simple.matches() ? duration(Long.parseLong(simple.group(1)), simple.group(2)) : Duration.parse(text);
        } catch (DateTimeParseException | NumberFormatException | ArithmeticException unreadable) {
            // No duration, or one of more digits than any duration has.
            return null;
        }
    }

    private static Duration duration(long amount, String unit) {
        for (int i = 0; i < UNITS.length; i++) {
            if (UNITS[i].equals(unit)) {
                return Duration.ofNanos(NANOS_OF_UNITS[i]).multipliedBy(amount);
            }
        }
        throw new IllegalArgumentException(unit);
    }

    private static String inWords(long nanos) {
        int unit = 0;
        while (nanos % NANOS_OF_UNITS[unit] != 0) {
            unit++;
        }
        return nanos / NANOS_OF_UNITS[unit] + UNITS[unit];
    }

    /** The length of the window. */
    long nanos() {
        return nanos;
    }

    /** The length of a slice: at most a sixtieth of the window, but for a window of less than 60 ns. */
    long sliceNanos() {
        return Math.max(1, nanos / SLICES);
    }

    /** How many slices must be kept: the present one, and all that hold something younger than the window. */
    int slices() {
        return Math.toIntExact((nanos + sliceNanos() - 1) / sliceNanos()) + 1;
    }

    @Override
    public String words() {
        return words;
    }

    @Override
    public Optional<ZoneId> zone() {
        return Optional.empty();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RollingWindow window && nanos == window.nanos;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(nanos);
    }

    @Override
    public String toString() {
        return "rolling:" + words;
    }
}
