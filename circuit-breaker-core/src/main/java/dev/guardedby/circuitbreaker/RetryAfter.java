package dev.guardedby.circuitbreaker;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How long, or until when, a remote asks to be left alone.
 *
 * <p>Read once, when a call is judged; a date becomes a duration only when the breaker wants to know, for that takes a clock.
 * What is written is taken leniently and never fails: fractions of a second are seen in the wild, weekdays are not looked at,
 * and more than {@link Require#LONGEST} is that much. Text of more than 64 characters says nothing.
 */
final class RetryAfter {
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final long NANOS_A_SECOND = 1_000_000_000;
    private static final long NANOS_A_MILLISECOND = 1_000_000;

    // The longest that may be meant is a number with its decimals, or a date with its weekday.
    private static final int LONGEST_TEXT = 64;
    // Possessive: nothing is tried twice, however long the text.
    private static final Pattern NUMBER = Pattern.compile("\\+?+0*+(\\d*+)(?:\\.(\\d*+))?+");
    // RFC 9110, 5.6.7: IMF-fixdate and the form of RFC 850, then that of asctime.
    private static final Pattern DATE = Pattern.compile("(?:[a-z]+,)? *(\\d{1,2})[ -]+([a-z]{3})[ -]+(\\d{4}|\\d{2})"
            + " +(\\d{1,2}):(\\d{2}):(\\d{2}) *(?:gmt|utc?|z|[+-]0000)?");
    private static final Pattern ASCTIME =
            Pattern.compile("[a-z]{3} +([a-z]{3}) +(\\d{1,2}) +(\\d{1,2}):(\\d{2}):(\\d{2}) +(\\d{4})");
    private static final List<String> MONTHS =
            List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
    private static final int CENTURY = 100;
    private static final int YEARS_AHEAD = 50;

    private final Duration wait;
    private final @Nullable LocalDateTime date;
    private final boolean anyCentury;

    private RetryAfter(Duration wait, @Nullable LocalDateTime date, boolean anyCentury) {
        this.wait = wait;
        this.date = date;
        this.anyCentury = anyCentury;
    }

    /** What an answer says; null if it is none that may say so, or says nothing that can be understood. */
    static @Nullable RetryAfter in(HttpAnswer answer) {
        if (answer.status() != TOO_MANY_REQUESTS && answer.status() != SERVICE_UNAVAILABLE) {
            return null;
        }
        // The more precise one first, as the SDKs of OpenAI and Anthropic do.
        Duration millis = number(first(answer, "retry-after-ms"), NANOS_A_MILLISECOND);
        if (millis != null) {
            return new RetryAfter(millis, null, false);
        }
        String written = first(answer, "Retry-After");
        Duration seconds = number(written, NANOS_A_SECOND);
        return seconds != null ? new RetryAfter(seconds, null, false) : date(written);
    }

    private static String first(HttpAnswer answer, String header) {
        return answer.header()
                .apply(header)
                .map(String::strip)
                .filter(text -> text.length() <= LONGEST_TEXT)
                .orElse("");
    }

    private static @Nullable Duration number(String text, long unitNanos) {
        Matcher number = NUMBER.matcher(text);
        if (!number.matches() || text.chars().noneMatch(Character::isDigit)) {
            return null;
        }
        String whole = number.group(1);
        long mostWhole = Require.LONGEST.toNanos() / unitNanos;
        if (whole.length() > String.valueOf(mostWhole).length()) {
            return Require.LONGEST;
        }
        long units = whole.isEmpty() ? 0 : Long.parseLong(whole);
        if (units >= mostWhole) {
            return Require.LONGEST;
        }
        String decimals = Optional.ofNullable(number.group(2)).orElse("");
        // Nine digits of a unit of at most 10^9: below 10^18.
        long billionths = Long.parseLong((decimals + "000000000").substring(0, 9));
        return Duration.ofNanos(units * unitNanos + billionths * unitNanos / NANOS_A_SECOND);
    }

    private static @Nullable RetryAfter date(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        try {
            Matcher date = DATE.matcher(lower);
            if (date.matches()) {
                boolean anyCentury = date.group(3).length() == 2;
                int year = number(date, 3) + (anyCentury ? 2000 : 0);
                return at(year, date.group(2), number(date, 1), number(date, 4), number(date, 5), number(date, 6))
                        .map(at -> new RetryAfter(Duration.ZERO, at, anyCentury))
                        .orElse(null);
            }
            Matcher asctime = ASCTIME.matcher(lower);
            if (asctime.matches()) {
                return at(
                                number(asctime, 6),
                                asctime.group(1),
                                number(asctime, 2),
                                number(asctime, 3),
                                number(asctime, 4),
                                number(asctime, 5))
                        .map(at -> new RetryAfter(Duration.ZERO, at, false))
                        .orElse(null);
            }
            return null;
        } catch (DateTimeException noDate) {
            return null;
        }
    }

    private static int number(Matcher date, int group) {
        return Integer.parseInt(date.group(group));
    }

    private static Optional<LocalDateTime> at(int year, String month, int day, int hour, int minute, int second) {
        int index = MONTHS.indexOf(month);
        if (index < 0) {
            return Optional.empty();
        }
        // A leap second is allowed.
        boolean leap = second == 60;
        LocalDateTime at = LocalDateTime.of(year, index + 1, day, hour, minute, leap ? 59 : second);
        return Optional.of(leap ? at.plusSeconds(1) : at);
    }

    /** Whether it says in so many words to come back at once; what a date says takes a clock. */
    boolean isNow() {
        return date == null && wait.isZero();
    }

    /** How long from now; zero for a date that has passed. */
    Duration from(InstantSource clock) {
        if (date == null) {
            return wait;
        }
        LocalDateTime now = LocalDateTime.ofInstant(clock.instant(), ZoneOffset.UTC);
        LocalDateTime until = anyCentury ? nearest(date, now) : date;
        if (!until.isAfter(now)) {
            return Duration.ZERO;
        }
        Duration rest = Duration.between(now, until);
        return rest.compareTo(Require.LONGEST) > 0 ? Require.LONGEST : rest;
    }

    /** A year of two digits is at most 50 years ahead (RFC 9110, 5.6.7). */
    private static LocalDateTime nearest(LocalDateTime date, LocalDateTime now) {
        LocalDateTime latest = now.plusYears(YEARS_AHEAD);
        LocalDateTime nearest = date.plusYears((long) (now.getYear() - date.getYear()) / CENTURY * CENTURY);
        if (nearest.isAfter(latest)) {
            return nearest.minusYears(CENTURY);
        }
        LocalDateTime next = nearest.plusYears(CENTURY);
        return next.isAfter(latest) ? nearest : next;
    }
}
