package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.guardedby.circuitbreaker.BudgetStatus.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a budget may be, what it says of itself, and which budgets are the same. */
final class BudgetTest {
    private static final BudgetWindow DAY = BudgetWindow.day(ZoneId.of("Europe/Berlin"));

    private static Budget.Builder daily(String usd) {
        return Budget.usd("daily", new BigDecimal(usd)).per(DAY);
    }

    @Test
    void budget_saysWhatItIs() {
        Budget budget = daily("25.00")
                .warnAt(50, 80, 100)
                .degradeAt(90)
                .requireEstimate(true)
                .build();

        assertThat(budget.name()).isEqualTo("daily");
        assertThat(budget.unit()).isEqualTo(Unit.USD);
        assertThat(budget.limit()).isEqualTo("25");
        assertThat(budget.wholeLimit()).isEqualTo(25_000_000_000L);
        assertThat(budget.window()).isEqualTo(DAY);
        assertThat(budget.warnAt()).containsExactly(50, 80, 100);
        assertThat(budget.degradeAt()).hasValue(90);
        assertThat(budget.requireEstimate()).isTrue();
        assertThat(budget).hasToString("Budget[name=daily, usd=25, window=day:Europe/Berlin]");
    }

    @Test
    void tokensAndCalls_areWholeNumbers_andTheRestHasDefaults() {
        Budget tokens = Budget.tokens("burst", Long.MAX_VALUE).per(DAY).build();

        assertThat(tokens.unit()).isEqualTo(Unit.TOKENS);
        assertThat(tokens.limit()).isEqualTo("9223372036854775807");
        assertThat(tokens.warnAt()).isEmpty();
        assertThat(tokens.degradeAt()).isEmpty();
        assertThat(tokens.requireEstimate()).isFalse();
        assertThat(Budget.calls("few", 0).per(BudgetWindow.call()).build())
                .hasToString("Budget[name=few, calls=0, window=call]");
    }

    @Test
    void budgetsAreTheSame_whenTheySayTheSame() {
        Budget budget = daily("25").warnAt(50).degradeAt(80).build();
        List<UnaryOperator<Budget.Builder>> changes = List.of(
                b -> b.per(BudgetWindow.day(ZoneOffset.UTC)),
                b -> b.warnAt(51),
                b -> b.degradeAt(81),
                b -> b.requireEstimate(true));

        assertThat(daily("25.000").warnAt(50).degradeAt(80).build())
                .isEqualTo(budget)
                .hasSameHashCodeAs(budget);
        assertThat(changes)
                .allSatisfy(
                        change -> assertThat(change.apply(daily("25").warnAt(50).degradeAt(80))
                                        .build())
                                .isNotEqualTo(budget));
        assertThat(daily("26").warnAt(50).degradeAt(80).build()).isNotEqualTo(budget);
        assertThat(Budget.usd("other", new BigDecimal("25")).per(DAY).build())
                .isNotEqualTo(daily("25").build());
        assertThat(Budget.calls("n", 1).per(DAY).build())
                .isNotEqualTo(Budget.tokens("n", 1).per(DAY).build());
    }

    @Test
    void laterChangeOfTheArray_changesNothing() {
        int[] percents = {50, 80};
        Budget.Builder builder = daily("1").warnAt(percents);
        percents[0] = 0;

        assertThat(builder.build().warnAt()).containsExactly(50, 80);
    }

    @ParameterizedTest
    @CsvSource({
        "0,                    0",
        "0E-1000000000,        0",
        "0E+1000000000,        0",
        "0.000000001,          1",
        "1E-9,                 1",
        "0.0000000010000,      1",
        "25.00,                25000000000",
        "9223372036.854775807, 9223372036854775807",
    })
    void limitInDollars_isExact(BigDecimal usd, long nano) {
        assertThat(Budget.usd("daily", usd).per(DAY).build().wholeLimit()).isEqualTo(nano);
    }

    @ParameterizedTest
    @CsvSource({
        "-0.01,                'usd must not be negative, but was -0.01'",
        "-1E+1000000000,       'usd must not be negative, but was -1E+1000000000'",
        "9223372036.854775808, 'usd must be at most 9223372036.854775807, but was 9223372036.854775808'",
        "1E+1000000000,        'usd must be at most 9223372036.854775807, but was 1E+1000000000'",
        "0.0000000001,         'usd must have at most 9 decimals, but was 1E-10'",
        "0.0000000019,         'usd must have at most 9 decimals, but was 1.9E-9'",
        "1.0000000001,         'usd must have at most 9 decimals, but was 1.0000000001'",
        "1E-1000000000,        'usd must have at most 9 decimals, but was 1E-1000000000'",
    })
    void badLimit_isRefused_quickly(BigDecimal usd, String message) {
        assertTimeoutPreemptively(
                Duration.ofSeconds(5),
                () -> assertThatIllegalArgumentException()
                        .isThrownBy(() -> Budget.usd("daily", usd).per(DAY).build())
                        .withMessage(message));
    }

    @Test
    void limitOfManyDigits_isReadInTime() {
        BigDecimal plain = new BigDecimal(BigInteger.TEN.pow(100_000), 100_000);

        assertThat(assertTimeoutPreemptively(
                        Duration.ofSeconds(5),
                        () -> Budget.usd("daily", plain).per(DAY).build().wholeLimit()))
                .isEqualTo(1_000_000_000);
    }

    @Test
    void otherBadSettings_areRefused() {
        assertRefused(Budget.tokens("t", -1).per(DAY), "tokens must not be negative, but was -1");
        assertRefused(
                Budget.calls("c", Long.MIN_VALUE).per(DAY), "calls must not be negative, but was -9223372036854775808");
        assertRefused(
                Budget.calls("a b", 1).per(DAY),
                "name must be 1 to 64 letters, digits, '.', '_' or '-', but was 'a b'");
        assertRefused(Budget.calls("c", 1), "window must be set for budget 'c', but was not");
        assertRefused(daily("1").degradeAt(0), "degrade-at must be from 1 to 100, but was 0");
        assertRefused(daily("1").degradeAt(101), "degrade-at must be from 1 to 100, but was 101");
        assertThatNullPointerException()
                .isThrownBy(() -> Budget.usd("daily", null))
                .withMessage("usd");
        assertThatNullPointerException().isThrownBy(() -> Budget.calls(null, 1)).withMessage("name");
        assertThatNullPointerException().isThrownBy(() -> daily("1").per(null)).withMessage("window");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[0]", "[101]", "[80, 50]", "[50, 50]", "[50, -2147483648]"})
    void badWarnings_areRefused(String percents) {
        int[] given = List.of(percents.substring(1, percents.length() - 1).split(", ")).stream()
                .mapToInt(Integer::parseInt)
                .toArray();

        assertRefused(
                daily("1").warnAt(given),
                "warn-at must be percentages from 1 to 100 in ascending order, but was " + percents);
    }

    private static void assertRefused(Budget.Builder builder, String message) {
        assertThatIllegalArgumentException().isThrownBy(builder::build).withMessage(message);
    }

    @ParameterizedTest
    @CsvSource({
        "80,  1000, 800",
        "80,  1001, 801",
        "1,   1,    1",
        "100, 1,    1",
        "50,  0,    0",
        "100, 9223372036854775807, 9223372036854775807",
        "99,  9223372036854775807, 9131138316486228049",
    })
    void share_isRoundedUp_andNeverWraps(int percent, long limit, long share) {
        assertThat(Budget.share(percent, limit)).isEqualTo(share);
    }

    @Test
    void wholeLimit_ofTokens_refusesFractions() {
        assertThat(Unit.TOKENS.wholeLimit(new BigDecimal("5.0"))).isEqualTo(5);
        for (String fraction : List.of("0.5", "1.5", "1E-1000000000")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Unit.TOKENS.wholeLimit(new BigDecimal(fraction)))
                    .withMessage("tokens must be a whole number, but was " + new BigDecimal(fraction));
        }
    }

    @Test
    void decimals_areExact_andPlain() {
        assertThat(Unit.USD.decimal(100_000_000_000L)).hasToString("100");
        assertThat(Unit.USD.decimal(1)).isEqualTo("1E-9");
        assertThat(Unit.USD.decimal(Long.MIN_VALUE)).isEqualTo("-9223372036.854775808");
        assertThat(Unit.CALLS.decimal(200)).hasToString("200");
        assertThat(Unit.TOKENS.decimal(0)).hasToString("0");
    }

    @ParameterizedTest
    @CsvSource({
        "25, 0,       0",
        "25, 24.9999, 99",
        "25, 25,      100",
        "25, 26,      104",
        "0,  0,       100",
        "3,  1,       33",
        "0.000000001, 9223372036, 2147483647",
    })
    void percentSpent_is100OnlyWhenNothingIsLeft(BigDecimal limit, BigDecimal spent, int percent) {
        assertThat(status(limit, spent, BigDecimal.ONE).percentSpent()).isEqualTo(percent);
    }

    @Test
    void statusBelowZero_isRefused() {
        BigDecimal minus = new BigDecimal("-1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> status(minus, BigDecimal.ZERO, BigDecimal.ZERO))
                .withMessage("limit must not be negative, but was -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> status(BigDecimal.ONE, minus, BigDecimal.ZERO))
                .withMessage("spent must not be negative, but was -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> status(BigDecimal.ONE, BigDecimal.ZERO, minus))
                .withMessage("held must not be negative, but was -1");
    }

    private static BudgetStatus status(BigDecimal limit, BigDecimal spent, BigDecimal held) {
        return new BudgetStatus("daily", Unit.USD, limit, spent, held, null, Kind.EXACT, Instant.EPOCH);
    }
}
