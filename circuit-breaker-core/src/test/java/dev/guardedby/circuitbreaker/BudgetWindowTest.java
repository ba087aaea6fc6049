package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The words of windows, which of them are the same, and how rolling ones are sliced. */
final class BudgetWindowTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    @ParameterizedTest
    @CsvSource({
        "call,     call,     call",
        "hour,     hour,     hour:Europe/Berlin",
        "day,      day,      day:Europe/Berlin",
        "week,     week,     week:Europe/Berlin",
        "Month,    month,    month:Europe/Berlin",
        "LIFETIME, lifetime, lifetime",
        "10m,      10m,      rolling:10m",
        "600s,     10m,      rolling:10m",
        "PT10M,    10m,      rolling:10m",
        "90s,      90s,      rolling:90s",
        "1500ms,   1500ms,   rolling:1500ms",
        "168H,     7d,       rolling:7d",
        "36h,      36h,      rolling:36h",
        "7us,      7us,      rolling:7us",
        "1ns,      1ns,      rolling:1ns",
        "3653d,    3653d,    rolling:3653d",
    })
    void words_areReadAndPrinted(String text, String words, String id) {
        BudgetWindow window = BudgetWindow.parse(text, BERLIN);

        assertThat(window.words()).isEqualTo(words);
        assertThat(window).hasToString(id);
        assertThat(BudgetWindow.parse(words, BERLIN)).isEqualTo(window).hasSameHashCodeAs(window);
        assertThat(window.zone().isPresent()).isEqualTo(id.contains("Berlin"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fortnight",
                "",
                " day",
                "10",
                "10 m",
                "10w",
                "-5m",
                "1.5h",
                "P1M",
                "99999999999999999999s",
                "9223372036854775807d"
            })
    void otherWords_areRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BudgetWindow.parse(text, BERLIN))
                .withMessage(
                        "window must be call, hour, day, week, month, lifetime or a length with its unit such as 10m,"
                                + " but was '" + text + "'");
    }

    @ParameterizedTest
    @CsvSource({
        "0s,           'window must be positive, but was PT0S'",
        "PT-1S,        'window must be positive, but was PT-1S'",
        "3654d,        'window must be at most 10 years, but was PT87696H'",
        "999999999999d, 'window must be at most 10 years, but was PT23999999999976H'",
    })
    void lengthOutOfBounds_isRefused(String text, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> BudgetWindow.parse(text, BERLIN))
                .withMessage(message);
    }

    @Test
    void nothing_isRefused() {
        assertThatNullPointerException()
                .isThrownBy(() -> BudgetWindow.day(null))
                .withMessage("zone");
        assertThatNullPointerException()
                .isThrownBy(() -> BudgetWindow.rolling(null))
                .withMessage("window");
        assertThatNullPointerException().isThrownBy(() -> BudgetWindow.parse(null, BERLIN));
    }

    @Test
    void windowsAreTheSame_whenTheyMeanTheSame() {
        assertThat(BudgetWindow.day(BERLIN))
                .isEqualTo(BudgetWindow.day(ZoneId.of("Europe/Berlin")))
                .isNotEqualTo(BudgetWindow.day(ZoneOffset.UTC))
                .isNotEqualTo(BudgetWindow.week(BERLIN))
                .isNotEqualTo(BudgetWindow.rolling(Duration.ofDays(1)));
        assertThat(BudgetWindow.rolling(Duration.ofMinutes(10)))
                .isEqualTo(BudgetWindow.rolling(Duration.ofSeconds(600)))
                .isNotEqualTo(BudgetWindow.rolling(Duration.ofSeconds(601)));
        assertThat(BudgetWindow.call()).isEqualTo(BudgetWindow.call()).isNotEqualTo(BudgetWindow.lifetime());
    }

    @Test
    void lifetime_isOneSpan() {
        assertThat(UntimedWindow.LIFE.contains(Instant.MIN)).isTrue();
        assertThat(UntimedWindow.LIFE.contains(Instant.EPOCH)).isTrue();
        assertThat(UntimedWindow.LIFE.contains(Instant.MAX)).isTrue();
        assertThat(UntimedWindow.LIFE.resetsAt()).isNull();
        assertThat(UntimedWindow.LIFE.id()).isEqualTo("lifetime");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1ns", "59ns", "60ns", "61ns", "119ns", "1us", "10m", "24h", "3653d"})
    void slices_forgetLate_byLessThanASixtieth_andNeverEarly(String text) {
        RollingWindow window = (RollingWindow) BudgetWindow.parse(text, BERLIN);
        long slice = window.sliceNanos();
        long ofTheFirst = (window.slices() - 1L) * slice;

        // What is spent in the last nanosecond of a slice is young until a window later, and in one of the slices kept.
        assertThat(ofTheFirst).as("kept before the present slice").isGreaterThanOrEqualTo(window.nanos());
        assertThat(slice - 1).as("late by").isLessThanOrEqualTo(window.nanos() / 60);
        assertThat(window.slices()).isLessThanOrEqualTo(121);
    }
}
