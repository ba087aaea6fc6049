package dev.guardedby.spring.prices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.prices.PriceFile.Content;
import dev.guardedby.spring.prices.PriceFile.Entry;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Prices as LiteLLM's file has them. With {@code -Dguardedby.prices.file=...}, a whole file of theirs is checked, too. */
final class PriceFileTest {
    private static final Instant NOW = Instant.parse("2026-11-24T10:15:30Z");
    private static final Resource EXTRACT = new ClassPathResource("prices.json");

    /** What a key is called for each kind, and whose price holds where it is missing: written down a second time, naively. */
    private static final Map<TokenKind, String> KEYS = Map.of(
            TokenKind.INPUT, "input_cost_per_token",
            TokenKind.CACHED_INPUT, "cache_read_input_token_cost",
            TokenKind.CACHE_WRITE, "cache_creation_input_token_cost",
            TokenKind.CACHE_WRITE_1H, "cache_creation_input_token_cost_above_1hr",
            TokenKind.OUTPUT, "output_cost_per_token",
            TokenKind.REASONING, "output_cost_per_reasoning_token",
            TokenKind.AUDIO_INPUT, "input_cost_per_audio_token",
            TokenKind.AUDIO_OUTPUT, "output_cost_per_audio_token");

    private static final Map<TokenKind, TokenKind> OTHERWISE = Map.of(
            TokenKind.CACHED_INPUT, TokenKind.INPUT,
            TokenKind.CACHE_WRITE, TokenKind.INPUT,
            TokenKind.CACHE_WRITE_1H, TokenKind.CACHE_WRITE,
            TokenKind.REASONING, TokenKind.OUTPUT,
            TokenKind.AUDIO_INPUT, TokenKind.INPUT,
            TokenKind.AUDIO_OUTPUT, TokenKind.OUTPUT);

    private static final Map<ServiceTier, String> TIERS = Map.of(
            ServiceTier.STANDARD, "",
            ServiceTier.BATCH, "_batches",
            ServiceTier.FLEX, "_flex",
            ServiceTier.PRIORITY, "_priority");

    private final Content content = PriceFile.read("prices.json", EXTRACT);
    private final PriceBook book = book(content);

    private static PriceBook book(Content content) {
        return PriceBook.of(content.entries().stream().map(Entry::price).toList());
    }

    static Stream<Resource> files() {
        return Stream.concat(
                Stream.of(EXTRACT),
                Optional.ofNullable(System.getProperty("guardedby.prices.file")).map(FileSystemResource::new).stream());
    }

    private static Map<String, Map<String, Object>> rows(Resource file) throws IOException {
        return JsonMapper.builder()
                .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                .build()
                .readValue(file.getContentAsByteArray(), new TypeReference<>() {});
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyModelAndKind_costsWhatItsNumbersSay(Resource file) throws IOException {
        Map<String, Map<String, Object>> rows = rows(file);
        PriceBook whole = book(PriceFile.read("file", file));
        List<String> compared = new ArrayList<>();
        for (ModelPrice model : whole.models()) {
            Map<String, Object> row = rows.get(model.model());
            // They say it in other words; those have tests of their own.
            if (row.containsKey("tiered_pricing")
                    || row.containsKey("input_cost_per_token_cache_hit")
                    || String.valueOf(row.get("mode")).startsWith("image")
                    || row.keySet().stream().noneMatch(KEYS.values()::contains)) {
                continue;
            }
            for (TokenKind kind : TokenKind.values()) {
                for (ServiceTier tier : ServiceTier.values()) {
                    for (long count : new long[] {
                        1, 999, 1_000_000, 1L << 31, 127_999, 128_000, 128_001, 200_000, 200_001, 271_999, 272_000,
                        272_001
                    }) {
                        compare(whole, model, row, kind, tier, count);
                        compared.add(model.model());
                    }
                }
            }
        }
        assertThat(compared.stream().distinct()).hasSizeGreaterThan(15);
    }

    private static void compare(
            PriceBook whole, ModelPrice model, Map<String, Object> row, TokenKind kind, ServiceTier tier, long count) {
        boolean output =
                kind.key().startsWith("output") || kind == TokenKind.REASONING || kind == TokenKind.AUDIO_OUTPUT;
        Usage.Builder usage = Usage.builder().tokens(kind, count);
        if (kind == TokenKind.REASONING || kind == TokenKind.AUDIO_OUTPUT) {
            usage.tokens(TokenKind.OUTPUT, count);
        } else if (kind == TokenKind.AUDIO_INPUT) {
            usage.tokens(TokenKind.INPUT, count);
        }
        BigDecimal perToken = naive(row, kind, tier, output ? 0 : count);
        Optional<BigDecimal> expected = perToken == null
                ? Optional.empty()
                : Optional.of(perToken.multiply(BigDecimal.valueOf(count))
                        .add(decimal(row, "input_cost_per_request").orElse(BigDecimal.ZERO))
                        .setScale(9, RoundingMode.CEILING));

        assertThat(whole.price(ModelUsage.of(model.model(), usage.build()).with(tier), NOW)
                        .map(cost -> cost.usd().setScale(9)))
                .as("%s: %d of %s, %s", model.model(), count, kind, tier)
                .isEqualTo(expected);
    }

    private static @Nullable BigDecimal naive(Map<String, Object> row, TokenKind kind, ServiceTier tier, long input) {
        BigDecimal standard = null;
        for (int thousands : new int[] {512, 272, 256, 200, 128, 0}) {
            if (thousands > 0 && input <= thousands * 1_000L) {
                continue;
            }
            String key = KEYS.get(kind) + (thousands == 0 ? "" : "_above_" + thousands + "k_tokens");
            Optional<BigDecimal> ofTier = price(row, kind, key + TIERS.get(tier));
            if (ofTier.isPresent()) {
                return standard == null ? ofTier.get() : standard.max(ofTier.get());
            }
            standard = standard == null ? price(row, kind, key).orElse(null) : standard;
        }
        TokenKind otherwise = OTHERWISE.get(kind);
        return standard == null && otherwise != null ? naive(row, otherwise, tier, input) : standard;
    }

    /** A price of 0 is one for plain input and output alone. */
    private static Optional<BigDecimal> price(Map<String, Object> row, TokenKind kind, String key) {
        return decimal(row, key)
                .filter(usd -> usd.signum() > 0 || (key.equals(KEYS.get(kind)) && !OTHERWISE.containsKey(kind)));
    }

    private static Optional<BigDecimal> decimal(Map<String, Object> row, String key) {
        return Optional.ofNullable(row.get(key)).map(value -> new BigDecimal(value.toString()));
    }

    private Optional<BigDecimal> usd(String model, Usage.Builder usage) {
        return book.price(ModelUsage.of(model, usage.build()), NOW).map(Cost::usd);
    }

    @Test
    void issue9_promptsAroundTheCliff() {
        assertThat(LongStream.of(271_999, 272_000, 272_001)
                        .mapToObj(input -> usd(
                                        "long-context-model",
                                        Usage.builder()
                                                .tokens(TokenKind.INPUT, input)
                                                .tokens(TokenKind.OUTPUT, 1_000))
                                .orElseThrow()))
                .containsExactly(new BigDecimal("0.6949975"), new BigDecimal("0.695"), new BigDecimal("1.382505"));
    }

    @Test
    void issue15_modelThatIsUnpricedOrAllZero_isSkipped_neverFree() {
        assertThat(content.report().skipped())
                .containsExactly(
                        Map.entry("gemini/free-experiment", "all prices are 0"),
                        Map.entry("snowflake/arctic", "there is no price that can be used"));
        assertThat(usd("gemini/free-experiment", Usage.builder().tokens(TokenKind.INPUT, 1)))
                .isEmpty();
        assertThat(usd("sample_spec", Usage.builder().tokens(TokenKind.INPUT, 1)))
                .isEmpty();
    }

    @Test
    void issue17_cachePricesOfZero_areNotTaken() {
        assertThat(usd(
                        "us.anthropic.claude-3-haiku-20240307-v1:0",
                        Usage.builder()
                                .tokens(TokenKind.CACHED_INPUT, 1_000_000)
                                .tokens(TokenKind.CACHE_WRITE, 1_000_000)))
                .contains(new BigDecimal("0.5"));
    }

    @ParameterizedTest
    @CsvSource({
        "whisper-1,                      second,          0.0001",
        "tts-1,                          character,       0.000015",
        "aiml/dall-e-3,                  image,           0.052",
        "standard/1024-x-1024/dall-e-3,  pixel,           3.81469E-8",
        "rerank-v3.5,                    query,           0.002",
        "claude-sonnet-4-5,              web-search,      0.01",
        "perplexity/sonar,               web-search-low,  0.005",
        "perplexity/sonar,               web-search,      0.008",
        "perplexity/sonar,               web-search-high, 0.012",
        "perplexity/sonar,               request,         0.005",
    })
    void unitsOfTheFile_havePrices(String model, String unit, BigDecimal usd) {
        assertThat(book.find(null, model, NOW).orElseThrow().units().get(unit)).isEqualByComparingTo(usd);
    }

    @Test
    void otherWordsForTheSame_areUnderstood() {
        assertThat(usd("deepseek/deepseek-chat", Usage.builder().tokens(TokenKind.CACHED_INPUT, 1_000_000)))
                .contains(new BigDecimal("0.003625"));
        assertThat(usd("gpt-image-1", Usage.builder().tokens(TokenKind.INPUT, 1_000_000)))
                .contains(new BigDecimal("10"));
        assertThat(usd("gpt-image-1", Usage.builder().tokens(TokenKind.OUTPUT, 1_000_000)))
                .contains(new BigDecimal("40"));
        assertThat(usd("dashscope/qwen-plus", Usage.builder().tokens(TokenKind.INPUT, 256_000)))
                .contains(new BigDecimal("0.1024"));
        assertThat(usd("dashscope/qwen-plus", Usage.builder().tokens(TokenKind.INPUT, 256_001)))
                .contains(new BigDecimal("0.3072012"));
    }

    @Test
    void report_saysWhatWasNotUsed() {
        assertThat(content.report().unusedKeys())
                .containsExactly(
                        Map.entry("cache_creation_input_token_cost of 0", 1),
                        Map.entry("cache_read_input_token_cost of 0", 1),
                        Map.entry("citation_cost_per_token", 1),
                        Map.entry("regional_processing_uplift_multiplier_eu", 1));
        assertThat(content.report().summary())
                .isEqualTo("Prices of 23 models imported from prices.json; skipped 1 because all prices are 0,"
                        + " 1 because there is no price that can be used; unused cache_creation_input_token_cost of 0"
                        + " (1), cache_read_input_token_cost of 0 (1), citation_cost_per_token (1),"
                        + " regional_processing_uplift_multiplier_eu (1)");
    }

    @Test
    void realPrices_areNoOutliers() {
        assertThat(Outliers.in(content.entries(), List.of(), NOW)).isEmpty();
    }

    record Mistake(String json, String message) {}

    static List<Mistake> mistakes() {
        return List.of(
                new Mistake("", ": the file must be an object"),
                new Mistake("[1, 2]", ": the file must be an object"),
                new Mistake("\"text\"", ": the file must be an object"),
                new Mistake("{\n \"a\": 3\n}", ", line 2: model 'a' must be an object"),
                new Mistake(
                        "{\n \"a\": {\n  \"input_cost_per_token\": \"free\"}}",
                        ", line 3: 'input_cost_per_token' of model 'a' must be a number, but was 'free'"),
                new Mistake(
                        "{\n \"a\": {\n  \"input_cost_per_token\": \"1e-06\"}}",
                        ", line 3: 'input_cost_per_token' of model 'a' must be a number, but was '1e-06'"),
                new Mistake(
                        "{\"a\": {\"output_cost_per_token\": true}}",
                        ", line 1: 'output_cost_per_token' of model 'a' must be a number, but was 'true'"),
                new Mistake(
                        "{\"a\": {\"output_cost_per_token\": NaN}}",
                        ", line 1: 'output_cost_per_token' of model 'a' must be a number, but was 'NaN'"),
                new Mistake(
                        "{\"a\": {\"output_cost_per_token\": {}}}",
                        ", line 1: 'output_cost_per_token' of model 'a' must be a number, but was a list or an object"),
                new Mistake(
                        "{\"a\": {\"input_cost_per_image\": -1}}",
                        ", line 1: 'input_cost_per_image' of model 'a' must be at least 0, but was -1"),
                new Mistake(
                        "{\"a\":\n {\"input_cost_per_token\": 1e300}}",
                        ", line 2: model 'a': input must be at most 1000000, but was 1E+306"),
                new Mistake(
                        "{\"a\": {\"tiered_pricing\": [{\"input_cost_per_token\": 1e-6}]}}",
                        ", line 1: each of 'tiered_pricing' of model 'a' must have a range"),
                new Mistake(
                        "{\"a\": {\"tiered_pricing\": 3}}", ", line 1: 'tiered_pricing' of model 'a' must be a list"),
                new Mistake(
                        "{\"a\": {\"search_context_cost_per_query\": 0.01}}",
                        ", line 1: 'search_context_cost_per_query' of model 'a' must be an object"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void wrongShape_isRefused_withLineAndKey(Mistake mistake) {
        assertThatThrownBy(() -> PriceFile.read("prices.json", json(mistake.json)))
                .isInstanceOf(InvalidPricesException.class)
                .hasMessage("guardedby.prices.import: prices.json" + mistake.message);
    }

    @Test
    void noJson_isRefused_withTheLine() {
        assertThatThrownBy(() -> PriceFile.read("prices.json", json("{\n \"a\": {\n")))
                .isInstanceOf(InvalidPricesException.class)
                .hasMessageStartingWith("guardedby.prices.import: prices.json is no JSON: ")
                .hasMessageContaining("line 3");
    }

    @Test
    void namesThatDifferInCaseOnly_areOne_theFirst() {
        Content twice = PriceFile.read(
                "f",
                json(
                        "{\"a\": {\"input_cost_per_token\": 1e-6}, \"A\": {\"input_cost_per_token\": 2e-6}, \"n\": {\"input_cost_per_token\": null}}"));

        assertThat(twice.entries().stream().map(entry -> entry.price().model())).containsExactly("a");
        assertThat(twice.report().skipped())
                .containsEntry("A", "another one before it has the same name, but for case and spaces")
                .containsEntry("n", "there is no price that can be used");
    }

    private static Resource json(String json) {
        return new ByteArrayResource(json.getBytes(StandardCharsets.UTF_8));
    }
}
