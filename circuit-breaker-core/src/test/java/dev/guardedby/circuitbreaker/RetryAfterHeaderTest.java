package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What can stand in Retry-After, and what becomes of it. It is now noon of the first day of 2026. */
final class RetryAfterHeaderTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private static Optional<Duration> asked(int status, Map<String, String> headers, Instant now) {
        HttpAnswer answer = new HttpAnswer(status, name -> Optional.ofNullable(headers.get(name)), List.of());
        return Optional.ofNullable(RetryAfter.in(answer)).map(asked -> asked.from(() -> now));
    }

    private static Optional<Duration> asked(String retryAfter) {
        return asked(429, Map.of("Retry-After", retryAfter), NOON);
    }

    @ParameterizedTest
    @CsvSource({
        "0, PT0S",
        "1, PT1S",
        "120, PT2M",
        "'  7 ', PT7S",
        "+7, PT7S",
        "007, PT7S",
        "1.5, PT1.5S",
        "0.25, PT0.25S",
        ".5, PT0.5S",
        "3., PT3S",
        "20.123456789123, PT20.123456789S",
        "0000000000000000000000000000000001, PT1S"
    })
    void seconds(String written, Duration asked) {
        assertThat(asked(written)).contains(asked);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "315619200",
                "315619201",
                "9999999999",
                "9223372036854775807",
                "9223372036854775808",
                "18446744073709551616.9",
                "9999999999999999999999999999999999999999999999999999999999999"
            })
    void moreThanTheLongest_isTheLongest(String written) {
        assertThat(asked(written)).contains(Require.LONGEST);
        assertThat(asked(503, Map.of("retry-after-ms", written + "000"), NOON)).contains(Require.LONGEST);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "soon",
                "-1",
                "-0.5",
                "1e3",
                "0x10",
                "NaN",
                "Infinity",
                "1,5",
                "5s",
                "PT5S",
                ".",
                "+",
                "1.2.3",
                "5, 6",
                "\u0665",
                "Thu, 01 Jan 2026",
                "Thu, 32 Jan 2026 12:01:00 GMT",
                "Thu, 00 Jan 2026 12:01:00 GMT",
                "Mon, 29 Feb 2027 12:01:00 GMT",
                "Thu, 01 Foo 2026 12:01:00 GMT",
                "Thu, 01 Jan 2026 24:01:00 GMT",
                "Thu, 01 Jan 2026 12:61:00 GMT",
                "Thu, 01 Jan 2026 12:01:00 CET",
                "Thu, 01 Jan 99999 12:01:00 GMT",
                "Thu Foo  1 12:01:00 2026",
                "Thu Jan 40 12:01:00 2026",
                "{\"retry\": 5}"
            })
    void garbageAndNegatives_sayNothing(String written) {
        assertThat(asked(written)).isEmpty();
    }

    /** A reader that tried every split of the zeros would be at it for minutes. */
    @Test
    void textThatIsTooLong_saysNothing_atOnce() {
        String zeros = "0".repeat(300_000);
        for (String header : List.of("Retry-After", "retry-after-ms")) {
            for (String written : List.of(zeros + "x", zeros + "1", "1." + zeros + "x", " ".repeat(300_000) + "x")) {
                assertThat(asked(429, Map.of(header, written), NOON)).isEmpty();
            }
        }
        assertThat(asked("0".repeat(63) + "7")).as("64 characters").contains(Duration.ofSeconds(7));
        assertThat(asked("0".repeat(64) + "7")).as("65 characters").isEmpty();
    }

    static Stream<Arguments> dates() {
        return Stream.of(
                // The three forms of RFC 9110, a minute from now.
                Arguments.of("Thu, 01 Jan 2026 12:01:00 GMT", "PT1M"),
                Arguments.of("Thursday, 01-Jan-26 12:01:00 GMT", "PT1M"),
                Arguments.of("Thu Jan  1 12:01:00 2026", "PT1M"),
                // What is written nearly so.
                Arguments.of("thu, 1 JAN 2026 12:01:00 gmt", "PT1M"),
                Arguments.of("Mon, 01 Jan 2026 12:01:00 GMT", "PT1M"),
                Arguments.of("01 Jan 2026 12:01:00 +0000", "PT1M"),
                Arguments.of("Thu, 01-Jan-2026 12:01:00 UTC", "PT1M"),
                Arguments.of("Thu Jan 01 12:01:00 2026", "PT1M"),
                Arguments.of("Thu, 01 Jan 2026 12:00:60 GMT", "PT1M"),
                // Now, the past, and never.
                Arguments.of("Thu, 01 Jan 2026 12:00:00 GMT", "PT0S"),
                Arguments.of("Sun, 06 Nov 1994 08:49:37 GMT", "PT0S"),
                Arguments.of("Sunday, 06-Nov-94 08:49:37 GMT", "PT0S"),
                Arguments.of("Sun Nov  6 08:49:37 1994", "PT0S"),
                Arguments.of("Fri, 31 Dec 9999 23:59:59 GMT", Require.LONGEST.toString()),
                Arguments.of("Sat, 01 Jan 0000 00:00:00 GMT", "PT0S"));
    }

    @ParameterizedTest
    @MethodSource("dates")
    void httpDate_isTheTimeUntilThen(String written, String asked) {
        assertThat(asked(written)).contains(Duration.parse(asked));
    }

    @Test
    void yearOfTwoDigits_isAtMostFiftyYearsAhead() {
        Instant newYear = Instant.parse("2099-12-31T23:59:00Z");

        assertThat(asked(429, Map.of("Retry-After", "Friday, 01-Jan-00 00:00:00 GMT"), newYear))
                .contains(Duration.ofMinutes(1));
        assertThat(asked(429, Map.of("Retry-After", "Friday, 01-Jan-76 00:00:00 GMT"), NOON))
                .contains(Require.LONGEST);
        assertThat(asked(429, Map.of("Retry-After", "Friday, 02-Jan-76 00:00:00 GMT"), NOON))
                .as("more than 50 years ahead, so it was in 1976")
                .contains(Duration.ZERO);
    }

    @Test
    void milliseconds_comeFirst_ifTheyCanBeRead() {
        assertThat(asked(429, Map.of("retry-after-ms", "1500", "Retry-After", "9"), NOON))
                .contains(Duration.ofMillis(1500));
        assertThat(asked(429, Map.of("retry-after-ms", "0.5"), NOON)).contains(Duration.ofNanos(500_000));
        assertThat(asked(429, Map.of("retry-after-ms", "-3", "Retry-After", "9"), NOON))
                .contains(Duration.ofSeconds(9));
        assertThat(asked(429, Map.of("retry-after-ms", "-3"), NOON)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "retry-after-ms, 0, false",
        "retry-after-ms, 0.00, false",
        "retry-after-ms, 1, true",
        "Retry-After, 0, false",
        "Retry-After, 1, true",
        "Retry-After, 'Sun, 06 Nov 1994 08:49:37 GMT', true"
    })
    void comeBackAtOnce_isNoProof_unlessADateSaysIt(String header, String written, boolean proof) {
        HttpAnswer answer =
                new HttpAnswer(429, name -> name.equals(header) ? Optional.of(written) : Optional.empty(), List.of());

        assertThat(Optional.ofNullable(Proof.in(answer, RetryAfter.in(answer), Set.of(Proof.values()))))
                .isEqualTo(proof ? Optional.of(Proof.RETRY_AFTER) : Optional.empty());
    }

    @ParameterizedTest
    @CsvSource({
        "429, true",
        "503, true",
        "200, false",
        "301, false",
        "402, false",
        "500, false",
        "502, false",
        "0, false"
    })
    void onlyTwoStatuses_mayAsk(int status, boolean heard) {
        assertThat(asked(status, Map.of("Retry-After", "5", "retry-after-ms", "5"), NOON)
                        .isPresent())
                .isEqualTo(heard);
    }

    @Test
    void clock_isReadOnce_andOnlyForADate() {
        int[] reads = new int[1];
        HttpAnswer seconds = new HttpAnswer(429, name -> Optional.of("5"), List.of());
        HttpAnswer date = new HttpAnswer(
                429,
                name -> name.equals("Retry-After") ? Optional.of("Thursday, 01-Jan-26 12:01:00 GMT") : Optional.empty(),
                List.of());
        for (HttpAnswer answer : List.of(seconds, date)) {
            Duration unused = RetryAfter.in(answer).from(() -> {
                reads[0]++;
                return NOON;
            });
        }

        assertThat(reads).containsExactly(1);
    }
}
