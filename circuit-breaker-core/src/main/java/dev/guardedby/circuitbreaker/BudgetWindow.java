package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.time.ZoneId;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * The time, or the piece of work, for which a {@link Budget} is given; in the next one it is there again in full.
 *
 * <p>Hours, days, weeks and months are those of a zone's calendar and follow one another without gap or overlap, whatever is
 * done to the clocks there: each begins at one instant and ends where the next one begins. Windows are immutable values, equal
 * when they mean the same.
 */
public sealed interface BudgetWindow permits CalendarWindow, RollingWindow, UntimedWindow {
    /** One guarded call and all that is guarded inside it. */
    static BudgetWindow call() {
        return UntimedWindow.CALL;
    }

    /**
     * From each full hour that the clocks of the zone show to the next one. An hour that comes twice, because clocks are put
     * back by an hour, is two windows. Where they are changed by less (Lord Howe Island, half an hour) no window begins with the
     * change: the one in which it happens goes on to the next full hour, 90 minutes there, so that no budget is given twice.
     */
    static BudgetWindow hour(ZoneId zone) {
        return calendar(CalendarWindow.Unit.HOUR, zone);
    }

    /**
     * The days of the zone, 23 or 25 hours long where clocks change. A day begins with its first instant, at 01:00 where there is
     * no midnight, and once only where midnight comes twice.
     */
    static BudgetWindow day(ZoneId zone) {
        return calendar(CalendarWindow.Unit.DAY, zone);
    }

    /** The weeks of the zone, from Monday to Sunday. */
    static BudgetWindow week(ZoneId zone) {
        return calendar(CalendarWindow.Unit.WEEK, zone);
    }

    /** The months of the zone, from the first day to the last, 28 to 31 days. */
    static BudgetWindow month(ZoneId zone) {
        return calendar(CalendarWindow.Unit.MONTH, zone);
    }

    /**
     * The last so much time, up to now. What was spent is forgotten late, by at most a sixtieth of the length, and never early.
     *
     * @param length positive, at most 10 years
     * @throws IllegalArgumentException if the length is out of these bounds
     */
    static BudgetWindow rolling(Duration length) {
        return new RollingWindow(Objects.requireNonNull(length, "window"));
    }

    /** All time: what is spent stays spent. */
    static BudgetWindow lifetime() {
        return UntimedWindow.LIFETIME;
    }

    /**
     * The window in the words of {@code application.yml}.
     *
     * @param words {@code call}, {@code hour}, {@code day}, {@code week}, {@code month}, {@code lifetime}, in any case, or the
     *     length of a {@link #rolling} one: a whole number with {@code ns}, {@code us}, {@code ms}, {@code s}, {@code m}, {@code h}
     *     or {@code d}, such as {@code 10m}, or as in ISO 8601, {@code PT10M}
     * @param zone whose hours, days, weeks or months; the other windows have none
     * @throws IllegalArgumentException if the words are none of these, or the length is not positive or above 10 years
     */
    static BudgetWindow parse(String words, ZoneId zone) {
        return switch (words.toLowerCase(Locale.ROOT)) {
            case "call" -> call();
            case "hour" -> hour(zone);
            case "day" -> day(zone);
            case "week" -> week(zone);
            case "month" -> month(zone);
            case "lifetime" -> lifetime();
            default -> {
                RollingWindow rolling = RollingWindow.parse(words);
                if (rolling == null) {
                    throw new IllegalArgumentException("window must be call, hour, day, week, month, lifetime"
                            + " or a length with its unit such as 10m, but was '" + words + "'");
                }
                yield rolling;
            }
        };
    }

    /** The window as {@link #parse} takes it: {@code day}, or {@code 10m} for a rolling one. */
    String words();

    /** Whose hours, days, weeks or months these are; empty for the other windows. */
    Optional<ZoneId> zone();

    /** Stable text, the same for equal windows only: {@code day:Europe/Berlin}, {@code rolling:10m}, {@code call}. */
    @Override
    String toString();

    private static BudgetWindow calendar(CalendarWindow.Unit unit, ZoneId zone) {
        return new CalendarWindow(unit, Objects.requireNonNull(zone, "zone"));
    }
}
