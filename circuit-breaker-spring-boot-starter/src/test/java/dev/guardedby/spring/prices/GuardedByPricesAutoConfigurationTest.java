package dev.guardedby.spring.prices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;

/** The prices that an application has. */
@ExtendWith(OutputCaptureExtension.class)
final class GuardedByPricesAutoConfigurationTest {
    private static final Instant NOW = Instant.parse("2026-11-24T10:15:30Z");

    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByPricesAutoConfiguration.class));

    private static Optional<BigDecimal> usd(PriceBook book, String model) {
        return book.price(ModelUsage.of(model, Usage.of(1_000_000, 0)), NOW).map(Cost::usd);
    }

    private static PriceReport report(ApplicationContext context) {
        return context.getBean(PriceSource.class)
                .report(context.getBean(Prices.class).current())
                .orElseThrow();
    }

    private static Path written(Path directory, String json) throws IOException {
        return Files.writeString(directory.resolve("prices.json"), json);
    }

    @Test
    void withoutSettings_thereAreNoPrices() {
        application.run(started -> {
            assertThat(started.getBean(Prices.class).current().models()).isEmpty();
            assertThat(report(started).imported()).isEmpty();
        });
    }

    @Test
    void writtenModels_winOverImportedOnes_forTheirSnapshotsToo(CapturedOutput output) {
        application
                .withPropertyValues(
                        "guardedby.prices.import=classpath:prices.json",
                        "guardedby.prices.models[0].model=gpt-4o",
                        "guardedby.prices.models[0].input=2.10")
                .run(started -> {
                    PriceBook book = started.getBean(Prices.class).current();

                    assertThat(usd(book, "gpt-4o-2024-05-13")).contains(new BigDecimal("2.1"));
                    assertThat(usd(book, "gpt-4o-mini")).contains(new BigDecimal("0.15"));
                    assertThat(report(started).written()).isEqualTo(1);
                    assertThat(report(started).imported().orElseThrow().imported())
                            .isEqualTo(23);
                    assertThat(output).containsOnlyOnce("Prices of 23 models imported from classpath:prices.json");
                    assertThat(output).doesNotContain("thousand times");
                });
    }

    @Test
    void reload_takesTheFileAnew_andABrokenFileLeavesTheOldBook(@TempDir Path directory) throws IOException {
        Path file = written(directory, "{\"m\": {\"input_cost_per_token\": 1e-06}}");
        application
                .withPropertyValues("guardedby.prices.import=" + file.toUri())
                .run(started -> {
                    Prices prices = started.getBean(Prices.class);
                    PriceBook ofACall = prices.current();

                    written(directory, "{\"m\": {\"input_cost_per_token\": 2e-06}}");
                    prices.reload();
                    assertThat(usd(prices.current(), "m")).contains(new BigDecimal("2"));
                    assertThat(usd(ofACall, "m")).contains(new BigDecimal("1"));

                    written(directory, "{\"m\": {\"input_cost_per_token\": []}}");
                    assertThatThrownBy(prices::reload)
                            .hasMessageContaining("line 1: 'input_cost_per_token' of model 'm' must be a number");
                    assertThat(usd(prices.current(), "m")).contains(new BigDecimal("2"));
                    written(directory, "{\"m\": {\"input\": 2}}");
                    assertThatThrownBy(prices::reload)
                            .hasMessageEndingWith("must have a price for one model at least, but has none");
                    assertThat(usd(prices.current(), "m")).contains(new BigDecimal("2"));
                    assertThat(report(started).imported().orElseThrow().imported())
                            .isEqualTo(1);
                });
    }

    @Test
    void report_isThatOfItsBook_whicheverWasReadLast(@TempDir Path directory) throws IOException {
        Path file = written(directory, "{\"m\": {\"input_cost_per_token\": 1e-06}}");
        application
                .withPropertyValues(
                        "guardedby.prices.import=" + file.toUri(),
                        "guardedby.prices.models[0].model=house-model",
                        "guardedby.prices.models[0].input=2",
                        "guardedby.prices.models[0].output=2000")
                .run(started -> {
                    PriceSource source = started.getBean(PriceSource.class);
                    PriceBook first = started.getBean(Prices.class).current();
                    written(
                            directory,
                            "{\"m\": {\"input_cost_per_token\": 1e-06}, \"n\": {\"input_cost_per_token\": 1e-06}}");
                    PriceBook second = started.getBean(Prices.class).reload();

                    assertThat(source.report(first)
                                    .orElseThrow()
                                    .imported()
                                    .orElseThrow()
                                    .imported())
                            .isEqualTo(1);
                    assertThat(source.report(second)
                                    .orElseThrow()
                                    .imported()
                                    .orElseThrow()
                                    .imported())
                            .isEqualTo(2);
                    assertThat(source.report(second).orElseThrow().outliers())
                            .containsExactly("output of 'house-model' is 2000, its input is 2");
                    assertThat(source.report(PriceBook.EMPTY)).isEmpty();
                });
    }

    @Test
    void fileThatIsWrongOrMissing_stopsTheStart(@TempDir Path directory) throws IOException {
        Path file = written(directory, "{\n\"m\": 5}");
        application
                .withPropertyValues("guardedby.prices.import=" + file.toUri())
                .run(started -> {
                    InvalidPricesException cause = (InvalidPricesException) rootCause(started.getStartupFailure());
                    FailureAnalysis analysis = new InvalidPricesFailureAnalyzer().analyze(cause, cause);
                    assertThat(analysis.getDescription())
                            .isEqualTo("guardedby.prices.import: " + file.toUri()
                                    + ", line 2: model 'm' must be an object");
                });
        application
                .withPropertyValues("guardedby.prices.import=file:/there/is/none.json")
                .run(started -> assertThat(started.getStartupFailure())
                        .hasStackTraceContaining("file:/there/is/none.json cannot be read"));
    }

    private static Throwable rootCause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    @Test
    void priceThatIsAThousandTimesItsNeighbours_isWarnedOfOnce(CapturedOutput output) {
        application
                .withPropertyValues(
                        "guardedby.prices.import=classpath:prices.json",
                        // For a thousand tokens, and for one.
                        "guardedby.prices.models[0].model=gpt-4o",
                        "guardedby.prices.models[0].input=0.0025",
                        "guardedby.prices.models[1].model=house-model",
                        "guardedby.prices.models[1].input=2500",
                        "guardedby.prices.models[1].output=1")
                .run(started -> assertThat(output)
                        .containsOnlyOnce(
                                "Prices that are a thousand times their neighbours, or a thousandth, in USD per"
                                        + " million tokens: input of 'gpt-4o' is 0.0025, the imported price is 2.5; input of"
                                        + " 'house-model' is 2500, the median of all models is 1; output of 'house-model' is"
                                        + " 1, its input is 2500"));
    }

    @Test
    void importedPriceOutOfLine_isWarnedOf(@TempDir Path directory, CapturedOutput output) throws IOException {
        StringBuilder json = new StringBuilder("{");
        for (int i = 1; i <= 5; i++) {
            json.append("\"m")
                    .append(i)
                    .append("\": {\"litellm_provider\": \"acme\", \"input_cost_per_token\": ")
                    .append(i)
                    .append("e-06},");
        }
        Path file = written(
                directory, json + "\"far\": {\"litellm_provider\": \"acme\", \"input_cost_per_token\": 0.004}}");
        application
                .withPropertyValues("guardedby.prices.import=" + file.toUri())
                .run(started ->
                        assertThat(output).containsOnlyOnce("tokens: input of 'far' is 4000, the median of acme is 4"));
    }

    @Test
    void withoutTheParser_anImportSaysWhatIsMissing() {
        application
                .withClassLoader(new FilteredClassLoader("org.yaml.snakeyaml"))
                .withPropertyValues("guardedby.prices.import=classpath:prices.json")
                .run(started -> assertThat(started.getStartupFailure())
                        .hasStackTraceContaining("guardedby.prices.import needs org.yaml:snakeyaml"));
    }

    @Test
    void switchedOff_orWithPricesOfTheApplication_nothingIsRead() {
        application
                .withPropertyValues("guardedby.enabled=false", "guardedby.prices.import=file:/there/is/none.json")
                .run(started -> assertThat(started).hasNotFailed().doesNotHaveBean(Prices.class));
        Prices own = Prices.from(() -> PriceBook.EMPTY);
        application
                .withPropertyValues("guardedby.prices.import=file:/there/is/none.json")
                .withBean(Prices.class, () -> own)
                .run(started -> assertThat(started.getBean(Prices.class)).isSameAs(own));
    }
}
