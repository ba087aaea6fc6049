package dev.guardedby.circuitbreaker;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAdjusters;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The hours, days, weeks or months of a zone, one after the other without gap or overlap.
 *
 * <p>A span is found by where it and the next one begin, as instants, never by what a clock on the wall shows meanwhile: where
 * clocks are put back, that comes twice. To find a span costs some lookups in the rules of the zone, so keep it until time
 * leaves it.
 */
final class CalendarWindow implements BudgetWindow {
    /** How long the spans are. */
    enum Unit {
        HOUR,
        DAY,
        WEEK,
        MONTH
    }

    // A clock that is out of these years is wrong, and the calendar classes of the JDK end before Instant does.
    private static final Instant EARLIEST = Instant.parse("0001-02-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("9999-12-01T00:00:00Z");
    private static final int SECONDS_AN_HOUR = 3_600;
    // With the offset: an hour that comes twice comes with two of them.
    private static final DateTimeFormatter HOUR = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HHxxxxx", Locale.ROOT);

    private final Unit unit;
    private final ZoneId zone;
    private final ZoneRules rules;
    private final Span first;
    private final Span last;

    CalendarWindow(Unit unit, ZoneId zone) {
        this.unit = unit;
        this.zone = zone;
        this.rules = zone.getRules();
        this.first = reckoned(EARLIEST);
        this.last = reckoned(LATEST);
    }

    /** The span that holds the instant; all time before the year 1 is one span, and so is all after 9999. */
    Span span(Instant now) {
        if (now.isBefore(first.start())) {
            return new Span(Instant.MIN, first.start(), this + ":earlier");
        }
        return now.isBefore(last.end()) ? reckoned(now) : new Span(last.end(), Instant.MAX, this + ":later");
    }

    private Span reckoned(Instant now) {
        return unit == Unit.HOUR ? hour(now) : days(now);
    }

    private Span hour(Instant now) {
        Instant start = startOfHour(now);
        return new Span(start, endOfHour(now), this + ":" + HOUR.format(start.atOffset(rules.getOffset(start))));
    }

    /** The last instant until now at which the clock showed a full hour. */
    private Instant startOfHour(Instant now) {
        Instant at = now;
        while (true) {
            Instant fullHour = fullHour(at);
            ZoneOffsetTransition change = rules.previousTransition(at.plusNanos(1));
            if (change == null || !change.getInstant().isAfter(fullHour)) {
                return fullHour;
            }
            at = change.getInstant().minusNanos(1);
        }
    }

    /** The first instant after now at which the clock will show a full hour. */
    private Instant endOfHour(Instant now) {
        Instant at = now;
        while (true) {
            Instant nextHour = fullHour(at).plusSeconds(SECONDS_AN_HOUR);
            ZoneOffsetTransition change = rules.nextTransition(at);
            if (change == null || change.getInstant().isAfter(nextHour)) {
                return nextHour;
            }
            at = change.getInstant();
            if (at.equals(fullHour(at))) {
                return at;
            }
        }
    }

    /** The last full hour until the instant, by a clock that has always had the offset it has then. */
    private Instant fullHour(Instant at) {
        long shown = at.getEpochSecond() + rules.getOffset(at).getTotalSeconds();
        return Instant.ofEpochSecond(at.getEpochSecond() - Math.floorMod(shown, SECONDS_AN_HOUR));
    }

    private Span days(Instant now) {
        LocalDate day = firstDay(LocalDate.ofInstant(now, zone));
        LocalDate next = following(day);
        // A date that the zone skips begins when the next one does; one that comes again after midnight is over.
        while (!start(next).isAfter(now)) {
            day = next;
            next = following(day);
        }
        return new Span(start(day), start(next), this + ":" + (unit == Unit.MONTH ? YearMonth.from(day) : day));
    }

    private LocalDate firstDay(LocalDate date) {
        return switch (unit) {
            case HOUR, DAY -> date;
            case WEEK -> date.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY));
            case MONTH -> date.withDayOfMonth(1);
        };
    }

    private LocalDate following(LocalDate day) {
        return switch (unit) {
            case HOUR, DAY -> day.plusDays(1);
            case WEEK -> day.plusWeeks(1);
            case MONTH -> day.plusMonths(1);
        };
    }

    private Instant start(LocalDate day) {
        return day.atStartOfDay(zone).toInstant();
    }

    @Override
    public String words() {
        return unit.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public Optional<ZoneId> zone() {
        return Optional.of(zone);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CalendarWindow window && unit == window.unit && zone.equals(window.zone);
    }

    @Override
    public int hashCode() {
        return 31 * unit.hashCode() + zone.hashCode();
    }

    @Override
    public String toString() {
        return words() + ":" + zone;
    }
}
