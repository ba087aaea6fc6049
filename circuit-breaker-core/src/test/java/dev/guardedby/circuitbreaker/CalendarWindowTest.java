package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hours, days, weeks and months of a zone: each instant lies in one of them, whatever is done to the clocks. */
final class CalendarWindowTest {
    private static CalendarWindow window(CalendarWindow.Unit unit, String zone) {
        return new CalendarWindow(unit, ZoneId.of(zone));
    }

    private static CalendarWindow window(String words, String zone) {
        return (CalendarWindow) BudgetWindow.parse(words, ZoneId.of(zone));
    }

    /** The spans from one instant to another, found minute by minute. */
    private static List<Span> walk(CalendarWindow window, Instant from, Instant to) {
        List<Span> spans = new ArrayList<>();
        Span last = null;
        for (Instant now = from; now.isBefore(to); now = now.plusSeconds(60)) {
            Span span = window.span(now);
            if (!span.equals(last)) {
                check(window, span, now, last);
                spans.add(span);
                last = span;
            } else if (!span.contains(now)) {
                throw new AssertionError(now + " is not in " + span);
            }
        }
        assertThat(spans).extracting(Span::id).doesNotHaveDuplicates();
        return spans;
    }

    /** The span holds the instant, joins the one before without gap or overlap, and is the one of its first and last instant. */
    private static void check(CalendarWindow window, Span span, Instant now, @Nullable Span before) {
        boolean holds = !span.start().isAfter(now) && now.isBefore(span.end()) && span.contains(now);
        boolean follows = before == null || span.start().equals(before.end());
        boolean isOne = window.span(span.start()).equals(span)
                && window.span(span.end().minusNanos(1)).equals(span)
                && window.span(span.end()).start().equals(span.end());
        assertThat(holds && follows && isOne)
                .as("%s at %s, after %s", span, now, before)
                .isTrue();
    }

    private static List<String> told(List<Span> spans) {
        return spans.stream()
                .map(span -> span.id() + " "
                        + Duration.between(span.start(), span.end()).toMinutes() + " min")
                .toList();
    }

    private static List<String> around(String words, String zone, String local, int hours) {
        Instant middle = LocalDateTime.parse(local).atZone(ZoneId.of(zone)).toInstant();
        Duration half = Duration.ofHours(hours);
        return told(walk(window(words, zone), middle.minus(half), middle.plus(half)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Europe/Berlin",
                "America/New_York",
                "Australia/Lord_Howe",
                "Asia/Kathmandu",
                "Asia/Tokyo",
                "UTC",
                "-03:30"
            })
    void everyMinuteOfAYear_liesInOneSpan(String zone) {
        Instant from = Instant.parse("2025-12-28T00:00:00Z");
        Instant to = Instant.parse("2027-01-05T00:00:00Z");
        List<Integer> spans = new ArrayList<>();
        for (CalendarWindow.Unit unit : CalendarWindow.Unit.values()) {
            spans.add(walk(window(unit, zone), from, to).size());
        }

        // Some begin before the year and end after it; Lord Howe has two hours of 90 minutes, which make up for one.
        assertThat(spans.get(0)).isBetween(373 * 24 - 1, 373 * 24 + 1);
        assertThat(spans.get(1)).isBetween(373, 374);
        assertThat(spans.get(2)).isBetween(54, 55);
        assertThat(spans.get(3)).isEqualTo(14);
    }

    @Test
    void berlin_bothChanges() {
        assertThat(around("day", "Europe/Berlin", "2026-03-29T12:00", 12))
                .containsExactly("day:Europe/Berlin:2026-03-28 1440 min", "day:Europe/Berlin:2026-03-29 1380 min");
        assertThat(around("day", "Europe/Berlin", "2026-10-25T12:00", 12))
                .containsExactly("day:Europe/Berlin:2026-10-25 1500 min");
        assertThat(around("hour", "Europe/Berlin", "2026-03-29T03:00", 1))
                .containsExactly(
                        "hour:Europe/Berlin:2026-03-29T01+01:00 60 min",
                        "hour:Europe/Berlin:2026-03-29T03+02:00 60 min");
        assertThat(around("hour", "Europe/Berlin", "2026-10-25T03:00", 3))
                .containsExactly(
                        "hour:Europe/Berlin:2026-10-25T01+02:00 60 min",
                        "hour:Europe/Berlin:2026-10-25T02+02:00 60 min",
                        "hour:Europe/Berlin:2026-10-25T02+01:00 60 min",
                        "hour:Europe/Berlin:2026-10-25T03+01:00 60 min",
                        "hour:Europe/Berlin:2026-10-25T04+01:00 60 min",
                        "hour:Europe/Berlin:2026-10-25T05+01:00 60 min");
    }

    @Test
    void newYork_bothChanges() {
        assertThat(around("day", "America/New_York", "2026-03-08T12:00", 6))
                .containsExactly("day:America/New_York:2026-03-08 1380 min");
        assertThat(around("day", "America/New_York", "2026-11-01T12:00", 6))
                .containsExactly("day:America/New_York:2026-11-01 1500 min");
        assertThat(around("hour", "America/New_York", "2026-11-01T02:00", 2))
                .containsExactly(
                        "hour:America/New_York:2026-11-01T01-04:00 60 min",
                        "hour:America/New_York:2026-11-01T01-05:00 60 min",
                        "hour:America/New_York:2026-11-01T02-05:00 60 min",
                        "hour:America/New_York:2026-11-01T03-05:00 60 min");
    }

    @Test
    void lordHowe_halfAnHour_makesTheHourLonger_andGivesNoBudgetTwice() {
        assertThat(around("hour", "Australia/Lord_Howe", "2026-04-05T02:00", 2))
                .containsExactly(
                        "hour:Australia/Lord_Howe:2026-04-05T00+11:00 60 min",
                        "hour:Australia/Lord_Howe:2026-04-05T01+11:00 90 min",
                        "hour:Australia/Lord_Howe:2026-04-05T02+10:30 60 min",
                        "hour:Australia/Lord_Howe:2026-04-05T03+10:30 60 min");
        assertThat(around("hour", "Australia/Lord_Howe", "2026-10-04T03:00", 2))
                .containsExactly(
                        "hour:Australia/Lord_Howe:2026-10-04T00+10:30 60 min",
                        "hour:Australia/Lord_Howe:2026-10-04T01+10:30 90 min",
                        "hour:Australia/Lord_Howe:2026-10-04T03+11:00 60 min",
                        "hour:Australia/Lord_Howe:2026-10-04T04+11:00 60 min");
        assertThat(around("day", "Australia/Lord_Howe", "2026-04-05T12:00", 6))
                .containsExactly("day:Australia/Lord_Howe:2026-04-05 1470 min");
        assertThat(around("day", "Australia/Lord_Howe", "2026-10-04T12:00", 6))
                .containsExactly("day:Australia/Lord_Howe:2026-10-04 1410 min");
    }

    @Test
    void midnightThatDoesNotExist_dayBeginsAtOne() {
        assertThat(around("day", "America/Sao_Paulo", "2018-11-04T01:00", 1))
                .containsExactly(
                        "day:America/Sao_Paulo:2018-11-03 1440 min", "day:America/Sao_Paulo:2018-11-04 1380 min");
        assertThat(around("day", "Africa/Cairo", "2026-04-24T01:00", 1))
                .containsExactly("day:Africa/Cairo:2026-04-23 1440 min", "day:Africa/Cairo:2026-04-24 1380 min");
        assertThat(window("day", "America/Sao_Paulo")
                        .span(Instant.parse("2018-11-04T12:00:00Z"))
                        .start())
                .isEqualTo("2018-11-04T03:00:00Z");
    }

    @Test
    void midnightThatComesTwice_beginsOneDay() {
        // At 00:00 it was 23:00 again, and at 00:01 it was 23:01 again.
        assertThat(around("day", "America/Sao_Paulo", "2018-02-18T00:00", 3))
                .containsExactly(
                        "day:America/Sao_Paulo:2018-02-17 1500 min", "day:America/Sao_Paulo:2018-02-18 1440 min");
        assertThat(around("day", "America/St_Johns", "2006-10-29T00:00", 3))
                .containsExactly(
                        "day:America/St_Johns:2006-10-28 1440 min", "day:America/St_Johns:2006-10-29 1500 min");
        assertThat(around("day", "America/Havana", "2026-11-01T03:00", 5))
                .containsExactly("day:America/Havana:2026-10-31 1440 min", "day:America/Havana:2026-11-01 1500 min");
    }

    @Test
    void dateThatWasSkipped_hasNoDay_andOneThatCameAgainIsOne() {
        assertThat(around("day", "Pacific/Apia", "2011-12-31T00:00", 2))
                .containsExactly("day:Pacific/Apia:2011-12-29 1440 min", "day:Pacific/Apia:2011-12-31 1440 min");
        assertThat(around("hour", "Pacific/Apia", "2011-12-31T00:00", 1))
                .containsExactly(
                        "hour:Pacific/Apia:2011-12-29T23-10:00 60 min", "hour:Pacific/Apia:2011-12-31T00+14:00 60 min");
        assertThat(around("month", "Pacific/Apia", "2011-12-31T00:00", 48))
                .containsExactly("month:Pacific/Apia:2011-12 43200 min", "month:Pacific/Apia:2012-01 44640 min");
        assertThat(around("day", "Pacific/Kwajalein", "1969-10-01T00:00", 24))
                .containsExactly(
                        "day:Pacific/Kwajalein:1969-09-30 2820 min", "day:Pacific/Kwajalein:1969-10-01 1440 min");
    }

    @Test
    void offsetsThatAreNoWholeHours() {
        assertThat(window("hour", "Asia/Kathmandu").span(Instant.parse("2026-11-24T10:15:00Z")))
                .isEqualTo(new Span(
                        Instant.parse("2026-11-24T10:15:00Z"),
                        Instant.parse("2026-11-24T11:15:00Z"),
                        "hour:Asia/Kathmandu:2026-11-24T16+05:45"));
        assertThat(window("day", "Asia/Kathmandu")
                        .span(Instant.parse("2026-11-24T18:14:59.999999999Z"))
                        .end())
                .isEqualTo("2026-11-24T18:15:00Z");
        // From +05:30 to +05:45 at midnight, on the first day of 1986.
        assertThat(around("hour", "Asia/Kathmandu", "1986-01-01T00:15", 2))
                .containsExactly(
                        "hour:Asia/Kathmandu:1985-12-31T22+05:30 60 min",
                        "hour:Asia/Kathmandu:1985-12-31T23+05:30 105 min",
                        "hour:Asia/Kathmandu:1986-01-01T01+05:45 60 min",
                        "hour:Asia/Kathmandu:1986-01-01T02+05:45 60 min");
    }

    @ParameterizedTest
    @CsvSource({
        "2026-02-10, 28",
        "2028-02-10, 29",
        "2100-02-10, 28",
        "2000-02-29, 29",
        "2026-04-30, 30",
        "2026-12-31, 31",
        "2026-01-01, 31",
    })
    void monthsAreReal(String date, int days) {
        Span month = window("month", "Asia/Tokyo").span(Instant.parse(date + "T03:00:00Z"));

        assertThat(month.id()).isEqualTo("month:Asia/Tokyo:" + date.substring(0, 7));
        assertThat(Duration.between(month.start(), month.end())).isEqualTo(Duration.ofDays(days));
    }

    @Test
    void leapDay_andEndOfTheYear() {
        assertThat(around("day", "Asia/Tokyo", "2028-02-29T12:00", 24))
                .containsExactly(
                        "day:Asia/Tokyo:2028-02-28 1440 min",
                        "day:Asia/Tokyo:2028-02-29 1440 min",
                        "day:Asia/Tokyo:2028-03-01 1440 min");
        assertThat(around("month", "America/New_York", "2027-01-01T00:00", 1))
                .containsExactly(
                        "month:America/New_York:2026-12 44640 min", "month:America/New_York:2027-01 44640 min");
        assertThat(around("hour", "America/New_York", "2027-01-01T00:00", 1))
                .containsExactly(
                        "hour:America/New_York:2026-12-31T23-05:00 60 min",
                        "hour:America/New_York:2027-01-01T00-05:00 60 min");
    }

    @Test
    void weeksBeginOnMonday_acrossTheYear_andTheChangeOfClocks() {
        assertThat(around("week", "Europe/Berlin", "2027-01-04T00:00", 1))
                .containsExactly("week:Europe/Berlin:2026-12-28 10080 min", "week:Europe/Berlin:2027-01-04 10080 min");
        assertThat(around("week", "Europe/Berlin", "2026-03-30T00:00", 1))
                .containsExactly("week:Europe/Berlin:2026-03-23 10020 min", "week:Europe/Berlin:2026-03-30 10080 min");
    }

    @ParameterizedTest
    @EnumSource(CalendarWindow.Unit.class)
    void everyChangeOfClocksEver_inEveryZone(CalendarWindow.Unit unit) {
        Duration reach = unit == CalendarWindow.Unit.HOUR ? Duration.ofHours(3) : Duration.ofDays(2);
        int changes = 0;
        Set<ZoneRules> seen = new HashSet<>();
        for (String id : ZoneId.getAvailableZoneIds()) {
            ZoneRules rules = ZoneId.of(id).getRules();
            if (!seen.add(rules)) {
                continue;
            }
            CalendarWindow window = window(unit, id);
            for (ZoneOffsetTransition change : rules.getTransitions()) {
                Span span = window.span(change.getInstant().minus(reach));
                check(window, span, change.getInstant().minus(reach), null);
                while (span.end().isBefore(change.getInstant().plus(reach))) {
                    Span next = window.span(span.end());
                    check(window, next, span.end(), span);
                    assertThat(next.id()).isNotEqualTo(span.id());
                    span = next;
                }
                changes++;
            }
        }
        assertThat(changes).isGreaterThan(10_000);
    }

    @ParameterizedTest
    @EnumSource(CalendarWindow.Unit.class)
    void wallClockThatIsFarOff_findsASpan(CalendarWindow.Unit unit) {
        for (String zone : List.of("UTC", "Europe/Berlin", "Pacific/Kiritimati", "-18:00", "+18:00")) {
            CalendarWindow window = window(unit, zone);
            Span earlier = window.span(Instant.MIN);
            Span later = window.span(Instant.MAX);

            assertThat(earlier.contains(Instant.MIN)).isTrue();
            assertThat(later.contains(Instant.MAX)).isTrue();
            assertThat(later.contains(later.start().minusNanos(1))).isFalse();
            assertThat(later.resetsAt()).isNull();
            assertThat(earlier.resetsAt()).isEqualTo(earlier.end());
            assertThat(earlier.id()).isEqualTo(window + ":earlier");
            assertThat(later.id()).isEqualTo(window + ":later");
            check(window, window.span(earlier.end()), earlier.end(), earlier);
            assertThat(window.span(earlier.end().minusNanos(1))).isEqualTo(earlier);
            assertThat(window.span(later.start().minusNanos(1)).end()).isEqualTo(later.start());
            for (Instant odd : List.of(
                    Instant.EPOCH,
                    Instant.EPOCH.minusNanos(1),
                    Instant.ofEpochMilli(Long.MAX_VALUE),
                    Instant.ofEpochMilli(Long.MIN_VALUE),
                    Instant.parse("+10000-01-01T00:00:00Z"),
                    Instant.parse("-0001-06-01T00:00:00Z"))) {
                assertThat(window.span(odd).contains(odd)).isTrue();
            }
        }
    }

    // BerriAI/litellm#34896: the reset came late by the zone's offset.
    @ParameterizedTest
    @CsvSource({
        "Asia/Tokyo,          2026-11-24T15:00:00Z",
        "America/Los_Angeles, 2026-11-24T08:00:00Z",
        "Asia/Kathmandu,      2026-11-24T18:15:00Z",
        "Europe/Berlin,       2026-10-24T22:00:00Z",
        "Europe/Berlin,       2026-10-25T23:00:00Z",
        "America/New_York,    2026-03-08T05:00:00Z",
        "America/New_York,    2026-03-09T04:00:00Z",
    })
    void litellm34896_dayResetsAtMidnightOfTheZone_toTheMillisecond(String zone, Instant midnight) {
        CalendarWindow day = window("day", zone);

        assertThat(day.span(midnight.minusMillis(1)).end()).isEqualTo(midnight);
        assertThat(day.span(midnight).start()).isEqualTo(midnight);
        assertThat(day.span(midnight.plusMillis(1)).start()).isEqualTo(midnight);
    }

    // BerriAI/litellm#9098, #10288, #4042: "monthly" meant 30 days from the first call.
    @Test
    void litellm9098_10288_4042_monthIsThatOfTheCalendar_whereverTheFirstCallFalls() {
        List<String> resets = new ArrayList<>();
        for (String firstCall : List.of(
                "2026-01-31T22:59:59Z",
                "2026-01-31T23:00:00Z",
                "2026-02-28T22:00:00Z",
                "2028-02-29T22:00:00Z",
                "2026-03-31T21:00:00Z",
                "2026-08-30T21:00:00Z",
                "2026-10-25T00:30:00Z")) {
            resets.add(String.valueOf(window("month", "Europe/Berlin")
                    .span(Instant.parse(firstCall))
                    .resetsAt()));
        }

        assertThat(resets)
                .containsExactly(
                        "2026-01-31T23:00:00Z",
                        "2026-02-28T23:00:00Z",
                        "2026-02-28T23:00:00Z",
                        "2028-02-29T23:00:00Z",
                        "2026-03-31T22:00:00Z",
                        "2026-08-31T22:00:00Z",
                        "2026-10-31T23:00:00Z");
    }

    // labring/aiproxy#640: after midnight every call reset the window, until 24 hours had passed.
    @Test
    void aiproxy640_callsAfterMidnight_shareOneWindow() {
        CalendarWindow day = window("day", "Asia/Shanghai");
        Instant midnight = Instant.parse("2026-11-23T16:00:00Z");
        List<String> ids = new ArrayList<>();
        ids.add(day.span(midnight.minus(Duration.ofHours(9))).id());
        for (int call = 1; call <= 100; call++) {
            ids.add(day.span(midnight.plus(Duration.ofMinutes(9L * call))).id());
        }

        assertThat(ids.stream().distinct())
                .containsExactly("day:Asia/Shanghai:2026-11-23", "day:Asia/Shanghai:2026-11-24");
    }
}
