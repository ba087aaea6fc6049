package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** By which name in the book a model is priced. */
final class ModelNameTest {
    private static final Instant NOW = Instant.parse("2026-11-24T10:15:30Z");

    private final PriceBook book = PriceBook.of(Stream.of(
                    "gpt-4o",
                    "gpt-4o-mini",
                    "gpt-4o-2024-05-13",
                    "azure/gpt-4o",
                    "o1",
                    "gpt-4",
                    "gpt-4.1",
                    "ft:gpt-4o-mini",
                    "gemini-2.5-flash",
                    "gemini-2.5-flash-preview",
                    "command-r",
                    "claude-3-5-sonnet",
                    "anthropic.claude-3-haiku-20240307-v1:0",
                    "amazon.titan-embed-text-v1",
                    "llama3")
            .map(ModelNameTest::priced)
            .toList());

    private static ModelPrice priced(String name) {
        return ModelPrice.builder(name).price(TokenKind.INPUT, BigDecimal.ONE).build();
    }

    @ParameterizedTest
    @CsvSource({
        // by its name, whatever the case
        "gpt-4o,                                    gpt-4o",
        "GPT-4o,                                    gpt-4o",
        "gpt-4o-mini,                               gpt-4o-mini",
        "gpt-4o-2024-05-13,                         gpt-4o-2024-05-13",
        // without who serves it
        "openai/gpt-4o,                             gpt-4o",
        "openrouter/openai/gpt-4o,                  gpt-4o",
        "azure/gpt-4o,                              azure/gpt-4o",
        "models/gemini-2.5-flash,                   gemini-2.5-flash",
        "us.anthropic.claude-3-5-sonnet,            claude-3-5-sonnet",
        "us-gov.anthropic.claude-3-haiku-20240307-v1:0, anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-5-sonnet, claude-3-5-sonnet",
        // a snapshot of it
        "gpt-4o-2024-08-06,                         gpt-4o",
        "gpt-4o-latest,                             gpt-4o",
        "gpt-4o-mini-2024-07-18,                    gpt-4o-mini",
        "gpt-4-0613,                                gpt-4",
        "gpt-4.1-2025-04-14,                        gpt-4.1",
        "gemini-2.5-flash-001,                      gemini-2.5-flash",
        "gemini-2.5-flash@001,                      gemini-2.5-flash",
        "gemini-2.5-flash-preview-05-20,            gemini-2.5-flash-preview",
        "gemini-2.5-flash-preview-09-2025,          gemini-2.5-flash-preview",
        "command-r-08-2024,                         command-r",
        "claude-3-5-sonnet@20241022,                claude-3-5-sonnet",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0, claude-3-5-sonnet",
        "azure/gpt-4o-2024-08-06,                   azure/gpt-4o",
        // the snapshot itself before the model that it is of
        "azure/gpt-4o-2024-05-13,                   gpt-4o-2024-05-13",
        // fine-tuned
        "ft:gpt-4o-mini:acme::9aBc,                 ft:gpt-4o-mini",
        "ft:gpt-4o-mini-2024-07-18:acme::9aBc,      ft:gpt-4o-mini",
    })
    void modelIsFoundBy(String name, String entry) {
        assertThat(book.find(null, name, NOW).map(ModelPrice::model)).contains(entry);
    }

    @ParameterizedTest
    @CsvSource({
        "gpt-4o-mini-high",
        "gpt-4o-audio",
        "gpt-4o-preview",
        "gpt-4o-mini-audio-2024-12-17",
        "gpt-4-turbo",
        "gpt-4-32k",
        "gpt-4-1106-preview",
        "gpt-4.5",
        "gpt-4.1-mini",
        "gpt-4.1-nano-2025-04-14",
        "gpt-40",
        "o1-pro",
        "o1-mini",
        "o1-preview",
        "o12",
        "ft:gpt-4o:acme::9aBc",
        "gemini-2.5-flash-lite",
        "gemini-2.5-flash-image",
        "gemini-2.5",
        "claude-3-5",
        "amazon.titan-embed-text-v2:0",
        "llama3:70b",
        "llama3-70b",
        "gpt",
        "-",
        "/",
        "openai/",
        "''",
    })
    void modelThatIsOnlySimilar_isUnknown(String name) {
        assertThat(book.find(null, name, NOW).map(ModelPrice::model)).isEmpty();
    }

    @Test
    void whatTheProviderCharges_comesFirst() {
        assertThat(Stream.of("azure", "Azure", "openai", "", null)
                        .map(provider -> book.find(provider, "gpt-4o-2024-08-06", NOW)
                                .orElseThrow()
                                .model()))
                .containsExactly("azure/gpt-4o", "azure/gpt-4o", "gpt-4o", "gpt-4o", "gpt-4o");
    }

    @Test
    void alias_isAName() {
        ModelPrice aliased = ModelPrice.builder("gpt-4.1-nano")
                .alias("Cheap")
                .price(TokenKind.INPUT, BigDecimal.ONE)
                .build();

        assertThat(PriceBook.of(List.of(aliased)).find(null, "cheap", NOW)).contains(aliased);
        assertThat(PriceBook.of(List.of(aliased)).find(null, "proxy/cheap-2026-01-01", NOW))
                .contains(aliased);
    }

    @Test
    void oneNameForTwoModels_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PriceBook.of(List.of(priced("gpt-4o"), priced("GPT-4o"))))
                .withMessage("model 'gpt-4o' has two prices without a day from which on they hold, of 'gpt-4o' and of"
                        + " 'GPT-4o'");
    }

    @Test
    void bookInFront_countsForSnapshotsThatOnlyTheOtherOneNames() {
        PriceBook both = PriceBook.of(List.of(priced("gpt-4o")))
                .orElse(PriceBook.of(List.of(priced("gpt-4o-2024-05-13"), priced("o1"))))
                .orElse(PriceBook.of(List.of(priced("o1"), priced("o3"))));

        assertThat(both.find(null, "gpt-4o-2024-05-13", NOW).map(ModelPrice::model))
                .contains("gpt-4o");
        assertThat(both.find(null, "o1", NOW)).isPresent();
        assertThat(both.find(null, "o3", NOW)).isPresent();
        assertThat(both.find(null, "o4", NOW)).isEmpty();
        assertThat(both.models().stream().map(ModelPrice::model))
                .containsExactly("gpt-4o", "gpt-4o-2024-05-13", "o1", "o1", "o3");
        assertThat(both).hasToString("PriceBook[5 models]");
    }
}
