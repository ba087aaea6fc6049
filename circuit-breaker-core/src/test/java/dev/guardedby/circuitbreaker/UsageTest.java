package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.TokenKind.AUDIO_OUTPUT;
import static dev.guardedby.circuitbreaker.TokenKind.CACHED_INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.CACHE_WRITE;
import static dev.guardedby.circuitbreaker.TokenKind.CACHE_WRITE_1H;
import static dev.guardedby.circuitbreaker.TokenKind.INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.OUTPUT;
import static dev.guardedby.circuitbreaker.TokenKind.REASONING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What one call used. */
final class UsageTest {
    private static final long MOST = 1_000_000_000_000L;

    @Test
    void cost_hasCachesInTheInput_andReasoningInTheOutput() {
        Usage usage = Usage.builder()
                .tokens(INPUT, 1)
                .tokens(CACHED_INPUT, 20)
                .tokens(CACHE_WRITE, 300)
                .tokens(CACHE_WRITE_1H, 4_000)
                .tokens(OUTPUT, 50)
                .tokens(REASONING, 30)
                .build();

        assertThat(usage.cost(7)).isEqualTo(new Cost(4_321, 50, 7));
    }

    @ParameterizedTest
    @EnumSource
    void negativeAndAbsurdTokens_areRefused_andChangeNothing(TokenKind kind) {
        Usage.Builder usage = Usage.builder().tokens(INPUT, 5).tokens(OUTPUT, 6);
        for (long count : new long[] {-1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> usage.tokens(kind, count))
                    .withMessage(kind.key() + " tokens must not be negative, but was " + count);
        }
        for (long count : new long[] {MOST + 1, Long.MAX_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> usage.tokens(kind, count))
                    .withMessage(kind.key() + " tokens must be at most 1000000000000 a call, but was " + count);
        }
        assertThat(usage.build()).isEqualTo(Usage.of(5, 6));
    }

    @Test
    void partsAboveTheWhole_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Usage.builder().tokens(OUTPUT, 10).tokens(REASONING, 11).build())
                .withMessage("what is among the output tokens must be at most these,"
                        + " but reasoning was 11 and output was 10");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Usage.builder()
                        .tokens(OUTPUT, 10)
                        .tokens(REASONING, 6)
                        .tokens(AUDIO_OUTPUT, 5)
                        .build())
                .withMessage("what is among the output tokens must be at most these,"
                        + " but reasoning was 6 and audio-output was 5 and output was 10");
    }

    @Test
    void inputThatIsAbsurdInAll_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Usage.builder()
                        .tokens(INPUT, MOST)
                        .tokens(CACHED_INPUT, 1)
                        .build())
                .withMessage("input tokens must be at most 1000000000000 a call, but was 1000000000001");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Image", "web search", "1x", "-a", "a_b"})
    void unitsWithoutAName_areRefused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Usage.builder().units(name, 1))
                .withMessage("unit must be 1 to 64 small letters, digits and dashes, a letter first, but was '" + name
                        + "'");
    }

    @Test
    void unitsOutOfRange_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Usage.builder().units("image", -1))
                .withMessage("unit image must not be negative, but was -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Usage.builder().units("image", MOST + 1))
                .withMessage("unit image must be at most 1000000000000 a call, but was 1000000000001");
    }

    @Test
    void usageThatIsBuilt_neverChanges_andEqualsByWhatItCounts() {
        Usage.Builder builder = Usage.builder().tokens(INPUT, 5).units("image", 2);
        Usage usage = builder.build();
        builder.tokens(INPUT, 6).units("image", 0).units("second", 1);

        assertThat(usage)
                .isEqualTo(Usage.builder()
                        .tokens(INPUT, 5)
                        .tokens(OUTPUT, 0)
                        .units("image", 2)
                        .build())
                .hasSameHashCodeAs(
                        Usage.builder().units("image", 2).tokens(INPUT, 5).build())
                .isNotEqualTo(builder.build())
                .hasToString("Usage[input=5, image=2]");
        assertThat(builder.build()).hasToString("Usage[input=6, second=1]");
        assertThat(Usage.NONE).hasToString("Usage[]");
    }

    @Test
    void unknownUsage_isNotZero() {
        assertThat(ModelUsage.unknown("gpt-4o").confidence()).isEqualTo(Confidence.UNKNOWN);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelUsage.of("gpt-4o", Usage.of(1, 2)).with(Confidence.UNKNOWN))
                .withMessage("usage must be NONE where the confidence is UNKNOWN, but was Usage[input=1, output=2]");
    }

    @Test
    void labels_areCopied() {
        Map<String, String> labels = new HashMap<>(Map.of("operation", "chat"));
        ModelUsage usage = ModelUsage.of("gpt-4o", Usage.NONE)
                .servedBy("azure")
                .with(ServiceTier.FLEX)
                .with(Confidence.ESTIMATED)
                .with(labels);
        labels.clear();

        assertThat(usage)
                .isEqualTo(new ModelUsage(
                        "azure",
                        "gpt-4o",
                        Usage.NONE,
                        ServiceTier.FLEX,
                        Confidence.ESTIMATED,
                        Map.of("operation", "chat")));
    }
}
