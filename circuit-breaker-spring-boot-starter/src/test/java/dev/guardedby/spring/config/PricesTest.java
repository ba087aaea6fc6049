package dev.guardedby.spring.config;

import static dev.guardedby.circuitbreaker.ServiceTier.BATCH;
import static dev.guardedby.circuitbreaker.ServiceTier.FLEX;
import static dev.guardedby.circuitbreaker.ServiceTier.STANDARD;
import static dev.guardedby.circuitbreaker.TokenKind.CACHED_INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.CACHE_WRITE_1H;
import static dev.guardedby.circuitbreaker.TokenKind.INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.OUTPUT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.spring.config.ConfiguredPrices.UnknownModel;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Prices in {@code application.yml}. */
@ExtendWith(OutputCaptureExtension.class)
final class PricesTest {

    private static BigDecimal usd(String amount) {
        return new BigDecimal(amount);
    }

    @Test
    void withoutAnything_thereIsNone() {
        ConfiguredPrices prices = Written.yaml("guardedby.enabled: true").readPrices();

        assertThat(prices.importFrom()).isEmpty();
        assertThat(prices.unknownModel()).isEqualTo(UnknownModel.REJECT);
        assertThat(prices.models()).isEmpty();
    }

    @Test
    void everything_canBeWritten() {
        ConfiguredPrices prices = Written.yaml("""
                        guardedby:
                          prices:
                            import: file:prices.json
                            unknown: allow-and-flag
                            models:
                              - { model: gpt-4.1-mini, input: 0.40, output: 1.60, cached-input: 0.10 }
                              - model: big
                                aliases: [large, huge]
                                from: 2026-07-01
                                input: 3
                                cache-write-1h: 6
                                output: 15.00
                                batch: { factor: 0.5, output: 7 }
                                flex: { input: 1 }
                                above:
                                  - { tokens: 200000, input: 6, output: 22.5 }
                                units: { image: 0.04, web-search: 0.01 }
                        """).readPrices();
        ModelPrice small = prices.models().get(0);
        ModelPrice big = prices.models().get(1);

        assertThat(prices.importFrom()).contains("file:prices.json");
        assertThat(prices.unknownModel()).isEqualTo(UnknownModel.ALLOW_AND_FLAG);
        assertThat(List.of(INPUT, CACHED_INPUT, OUTPUT))
                .extracting(kind -> small.perMillion(kind, STANDARD, 0).orElseThrow())
                .usingElementComparator(BigDecimal::compareTo)
                .containsExactly(usd("0.4"), usd("0.1"), usd("1.6"));
        assertThat(big.aliases()).containsExactly("large", "huge");
        assertThat(big.from()).contains(Instant.parse("2026-07-01T00:00:00Z"));
        assertThat(big.units()).isEqualTo(Map.of("image", usd("0.04"), "web-search", usd("0.01")));
        assertThat(List.of(
                        big.perMillion(CACHE_WRITE_1H, STANDARD, 0).orElseThrow(),
                        big.perMillion(INPUT, BATCH, 0).orElseThrow(),
                        big.perMillion(OUTPUT, BATCH, 0).orElseThrow(),
                        big.perMillion(INPUT, FLEX, 0).orElseThrow(),
                        big.perMillion(OUTPUT, STANDARD, 200_001).orElseThrow()))
                .usingElementComparator(BigDecimal::compareTo)
                .containsExactly(usd("6"), usd("1.5"), usd("7"), usd("1"), usd("22.5"));
    }

    /** YAML reads 0.1 as a double; its text is what was written. */
    @Test
    void decimals_stayWhatIsWritten() {
        for (int tenThousandths = 1; tenThousandths < 20_000; tenThousandths += 7) {
            BigDecimal written = BigDecimal.valueOf(tenThousandths, 4);
            Object parsed = Written.yaml("a: " + written.toPlainString()).value("a");
            assertThat(new BigDecimal(parsed.toString())).isEqualByComparingTo(written);
        }
    }

    @Test
    void environmentVariables_setPrices_andTheWrongOnesAreWarnedOf(CapturedOutput output) {
        ConfiguredPrices prices = Written.yaml("guardedby.enabled: true")
                .andVariables(Map.of(
                        "GUARDEDBY_PRICES_MODELS_0_INPUT", "2.5",
                        "GUARDEDBY_PRICES_MODELS_0_MODEL", "m",
                        "GUARDEDBY_PRICES_MODELS_0_IMPUT", "2.5"))
                .readPrices();

        assertThat(prices.models()).hasSize(1);
        assertThat(output)
                .contains("Environment variable GUARDEDBY_PRICES_MODELS_0_IMPUT is not a setting and is ignored;"
                        + " did you mean GUARDEDBY_PRICES_MODELS[0]_INPUT?")
                .doesNotContain("variable GUARDEDBY_PRICES_MODELS_0_INPUT");
    }

    record Mistake(String prices, String message) {}

    static List<Mistake> mistakes() {
        String first = "guardedby.prices.models[0]";
        return List.of(
                new Mistake("models: [{ model: a, imput: 1 }]", first + ".imput is not a setting; did you mean input?"),
                new Mistake(
                        "models: [{ model: a, input: 1, batch: { factr: 1 } }]",
                        first + ".batch.factr is not a setting; did you mean factor?"),
                new Mistake(
                        "models: [{ model: a, above: [{ token: 1 }] }]",
                        first + ".above[0].token is not a setting; did you mean tokens?"),
                new Mistake("models: [5]", first + " must hold settings, but was '5'"),
                new Mistake("models: gpt-4o", "guardedby.prices.models must hold settings, but was 'gpt-4o'"),
                new Mistake("inport: file:a.json", "guardedby.prices.inport is not a setting; did you mean import?"),
                new Mistake(
                        "unknown: deny",
                        "guardedby.prices.unknown must be one of reject, estimate, allow-and-flag, but was 'deny'"),
                new Mistake("models: [{ input: 1 }]", first + " needs model, but has none"),
                new Mistake("models: [{ model: a }]", first + " must have a price, but has none"),
                new Mistake("models: [{ model: a, input: -1 }]", first + ".input must be at least 0, but was -1"),
                new Mistake("models: [{ model: a, input: cheap }]", first + ".input must be a number, but was 'cheap'"),
                new Mistake("models: [{ model: a, input: .nan }]", first + ".input must be a number, but was 'NaN'"),
                new Mistake(
                        "models: [{ model: a, input: .inf }]", first + ".input must be a number, but was 'Infinity'"),
                new Mistake(
                        "models: [{ model: a, input: 1e300 }]",
                        first + ".input must be at most 1000000, but was 1.0E+300"),
                new Mistake(
                        "models: [{ model: a, cache-write-1h: -2 }]",
                        first + ".cache-write-1h must be at least 0, but was -2"),
                new Mistake(
                        "models: [{ model: a, input: 1, priority: { output: -2 } }]",
                        first + ".priority.output must be at least 0, but was -2"),
                new Mistake(
                        "models: [{ model: a, input: 1, flex: { factor: -2 } }]",
                        first + ".flex.factor must be at least 0, but was -2"),
                new Mistake(
                        "models: [{ model: a, above: [{ tokens: 0, input: 1 }] }]",
                        first + ".above[0].tokens must be at least 1, but was 0"),
                new Mistake(
                        "models: [{ model: a, above: [{ input: 1 }] }]",
                        first + ".above[0].tokens must be at least 1, but was not set"),
                new Mistake(
                        "models: [{ model: a, units: { image: -1 } }]",
                        first + ".units[image] must be at least 0, but was -1"),
                new Mistake(
                        "models: [{ model: a, input: 1, from: soon }]",
                        first + ".from must be a day such as 2026-01-31, but was 'soon'"),
                new Mistake(
                        "models: [{ model: a, input: 1 }, { model: A, output: 1 }]",
                        "guardedby.prices.models is wrong: model 'a' has two prices without a day from which on they"
                                + " hold, of 'a' and of 'A'"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void mistake_isNamed_withItsKeyValueAndRule(Mistake mistake) {
        Written written = Written.yaml("guardedby:\n  prices:\n    " + mistake.prices);

        assertThat(catchThrowableOfType(BadConfigurationException.class, written::readPrices))
                .hasMessage(mistake.message);
    }

    @Test
    void mistake_saysWhereItIsWritten() {
        Written written = Written.yaml("guardedby.prices.models:\n  - { model: a, input: -1 }");

        BadConfigurationException refused = catchThrowableOfType(BadConfigurationException.class, written::readPrices);
        assertThat(refused.getOrigin()).asString().contains("2:");
        assertThat(refused.action())
                .isEqualTo(
                        "Correct guardedby.prices.models[0].input; prices are in US dollars for a million tokens, those"
                                + " of units for one.");
    }
}
