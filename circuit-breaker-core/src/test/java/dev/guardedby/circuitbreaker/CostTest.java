package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Money and tokens, exactly. */
final class CostTest {
    private final CircuitBreaker breaker = new Story().breaker().build();

    @ParameterizedTest
    @CsvSource({
        "0,                    0",
        "0.000,                0",
        "-0,                   0",
        "0E+1000000000,        0",
        "0E-1000000000,        0",
        "1,                    1000000000",
        "0.02,                 20000000",
        "0.000000001,          1",
        "1E-9,                 1",
        "0.0000000010,         1",
        "0.00000000100000001,  2",
        "0.0000000001,         1",
        "9.99E-10,             1",
        "1E-10,                1",
        "1E-11,                1",
        "1E-1000000000,        1",
        "1E-2147483647,        1",
        "0.1234567891,         123456790",
        "0.123456789,          123456789",
        "0.1234567880000001,   123456789",
        "1E+6,                 1000000000000000",
        "9223372036.854775807, 9223372036854775807",
    })
    void dollars_areWholeNanoDollars_roundedUp(String usd, long nano) {
        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            assertThat(Cost.usd(usd)).isEqualTo(new Cost(0, 0, nano));
            assertThat(Cost.of(3, 4, new BigDecimal(usd))).isEqualTo(new Cost(3, 4, nano));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "0,                   0",
        "1,                   0.000000001",
        "20000000,            0.02",
        "1000000000,          1",
        "100000000000,        100",
        "123456789012345678,  123456789.012345678",
        "9223372036854775807, 9223372036.854775807",
    })
    void dollars_areReadBackExactly_withoutTrailingZeros(long nano, BigDecimal usd) {
        assertThat(new Cost(0, 0, nano).usd()).isEqualTo(usd);
    }

    @Test
    void manySmallCosts_addUpWithoutDrift() {
        Cost sum = Cost.ZERO;
        for (int i = 0; i < 10_000; i++) {
            sum = sum.plus(Cost.of(1, 2, new BigDecimal("0.1")));
        }

        assertThat(sum).isEqualTo(Cost.of(10_000, 20_000, new BigDecimal("1000")));
    }

    @Test
    void sums_stopAtTheLargestNumber_andNeverWrap() {
        Cost most = new Cost(Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MAX_VALUE - 2);

        assertThat(most.plus(new Cost(1, 1, 1)))
                .isEqualTo(new Cost(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE - 1));
        assertThat(most.plus(most)).isEqualTo(new Cost(Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE));
        assertThat(most.plus(Cost.ZERO)).isEqualTo(most);
        assertThat(Cost.ZERO.plus(Cost.ZERO)).isEqualTo(Cost.ZERO);
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0,  0,  'inputTokens must not be negative, but was -1'",
        "0,  -2, 0,  'outputTokens must not be negative, but was -2'",
        "0,  0,  -3, 'nanoUsd must not be negative, but was -3'",
        "-9223372036854775808, 0, 0, 'inputTokens must not be negative, but was -9223372036854775808'",
    })
    void negativeAmounts_areRefused(long input, long output, long nano, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Cost(input, output, nano))
                .withMessage(message);
    }

    @ParameterizedTest
    @CsvSource({
        "-0.01,                'usd must not be negative, but was -0.01'",
        "-1E-1000000000,       'usd must not be negative, but was -1E-1000000000'",
        "-1E+1000000000,       'usd must not be negative, but was -1E+1000000000'",
        "9223372036.854775808, 'usd must be at most 9223372036.854775807, but was 9223372036.854775808'",
        "1E+1000000000,        'usd must be at most 9223372036.854775807, but was 1E+1000000000'",
        "1E+2147483647,        'usd must be at most 9223372036.854775807, but was 1E+2147483647'",
        "NaN,                  'usd must be a decimal number, but was ''NaN'''",
        "Infinity,             'usd must be a decimal number, but was ''Infinity'''",
        "'0,02',               'usd must be a decimal number, but was ''0,02'''",
        "'',                   'usd must be a decimal number, but was '''''",
        "$1,                   'usd must be a decimal number, but was ''$1'''",
    })
    void badDollars_areRefused_quickly(String usd, String message) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(5),
                () -> assertThatIllegalArgumentException()
                        .isThrownBy(() -> Cost.usd(usd))
                        .withMessage(message));
    }

    @Test
    void numberOfManyDigits_isRefusedOrRoundedInTime() {
        BigDecimal longFraction = new BigDecimal(BigInteger.TEN.pow(100_000).add(BigInteger.ONE), 100_000);

        assertTimeoutPreemptively(Duration.ofSeconds(5), () -> {
            assertThat(Cost.of(0, 0, longFraction)).isEqualTo(new Cost(0, 0, 1_000_000_001));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Cost.of(0, 0, new BigDecimal(BigInteger.TEN.pow(100_000))));
        });
    }

    @Test
    void missingDollars_areRefused() {
        assertThatNullPointerException().isThrownBy(() -> Cost.of(0, 0, null));
        assertThatNullPointerException().isThrownBy(() -> Cost.usd(null));
        assertThatNullPointerException().isThrownBy(() -> breaker.recordCost(null));
        assertThatNullPointerException().isThrownBy(() -> breaker.recordCost(1, 1, null));
        assertThat(breaker.stats().totalInputTokens()).isZero();
    }

    @Test
    void largestRecord_isAccepted() {
        breaker.recordCost(1_000_000_000_000L, 1_000_000_000_000L, new BigDecimal("1000000"));
        breaker.recordCost(Cost.usd("1000000.000000000"));

        assertThat(breaker.stats().toMap())
                .containsEntry("totalInputTokens", 1_000_000_000_000L)
                .containsEntry("totalOutputTokens", 1_000_000_000_000L)
                .containsEntry("totalEstimatedCost", new BigDecimal("2000000"));
    }

    @ParameterizedTest
    @CsvSource({
        "1000000000001, 1, 1,       'inputTokens must be at most 1000000000000 a record, but was 1000000000001'",
        "1, 1000000000001, 1,       'outputTokens must be at most 1000000000000 a record, but was 1000000000001'",
        "1, 1, 1000000.000000001,   'cost must be at most 1000000 USD a record, but was 1000000.000000001 USD'",
        "1, 1, 1000000.0000000001,  'cost must be at most 1000000 USD a record, but was 1000000.000000001 USD'",
        "1, 1, 2E+6,                'cost must be at most 1000000 USD a record, but was 2000000 USD'",
        "-1, 1, 1,                  'inputTokens must not be negative, but was -1'",
        "1, -1, 1,                  'outputTokens must not be negative, but was -1'",
        "1, 1, -0.000000001,        'usd must not be negative, but was -1E-9'",
        "1, 1, 1E+1000000000,       'usd must be at most 9223372036.854775807, but was 1E+1000000000'",
    })
    void absurdRecord_isRefused_andChangesNothing(long input, long output, BigDecimal usd, String message) {
        breaker.recordCost(5, 6, new BigDecimal("0.5"));
        CircuitBreakerStats before = breaker.stats();
        Permit permit = breaker.acquire();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.recordCost(input, output, usd))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> permit.recordCost(input, output, usd))
                .withMessage(message);

        assertThat(breaker.stats()).isEqualTo(before);
    }

    @Test
    void eachRecord_isRoundedUpOnce() {
        for (int i = 0; i < 10; i++) {
            breaker.recordCost(0, 0, new BigDecimal("0.0000000001"));
        }

        assertThat(breaker.stats().totalEstimatedCost()).isEqualTo("1E-8");
    }

    @Test
    void totals_stopAtTheLargestNumber() {
        Cost most = Cost.of(1_000_000_000_000L, 1, new BigDecimal("1000000"));
        for (int i = 0; i < 9_300; i++) {
            breaker.recordCost(most);
        }

        assertThat(breaker.stats().totalEstimatedCost()).isEqualTo("9223372036.854775807");
        assertThat(breaker.stats().totalInputTokens()).isEqualTo(9_300_000_000_000_000L);
        assertThat(breaker.stats().totalOutputTokens()).isEqualTo(9_300);
        assertThat(breaker.checkCostThreshold(new BigDecimal("9223372036.854775806")))
                .isTrue();
        assertThat(breaker.checkCostThreshold(new BigDecimal("9223372036.854775807")))
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1E+1000000000", "1E-1000000000", "-1E+1000000000", "-1E-1000000000"})
    void threshold_ofAnyExponent_isComparedQuickly(String usd) {
        breaker.recordCost(Cost.usd("0.5"));

        boolean above =
                assertTimeoutPreemptively(Duration.ofSeconds(5), () -> breaker.checkCostThreshold(new BigDecimal(usd)));

        assertThat(above).isEqualTo(!usd.equals("1E+1000000000"));
    }

    @Test
    void missingThreshold_isRefused() {
        assertThatNullPointerException().isThrownBy(() -> breaker.checkCostThreshold(null));
    }
}
