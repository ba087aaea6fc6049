package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Usage;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

/**
 * The clients that Spring AI 1.1 brought itself, and that 2.0 has no more: records, read by the names of their components.
 */
final class SpringAi1Usage implements NativeUsage {
    private static final String OPENAI = "org.springframework.ai.openai.api.OpenAiApi$Usage";
    private static final String ANTHROPIC = "org.springframework.ai.anthropic.api.AnthropicApi$Usage";

    @Override
    public @Nullable Usage read(Object counts) {
        return switch (counts.getClass().getName()) {
            case OPENAI -> openAi(counts);
            case ANTHROPIC -> anthropic(counts);
            default -> null;
        };
    }

    private static Usage openAi(Object counts) {
        return new Counts(
                        count(counts, "promptTokens"),
                        count(component(counts, "promptTokensDetails"), "cachedTokens"),
                        0,
                        0,
                        count(counts, "completionTokens"),
                        count(component(counts, "completionTokenDetails"), "reasoningTokens"))
                .cacheAmongInput()
                .build();
    }

    private static Usage anthropic(Object counts) {
        return new Counts(
                        count(counts, "inputTokens"),
                        count(counts, "cacheReadInputTokens"),
                        count(counts, "cacheCreationInputTokens"),
                        0,
                        count(counts, "outputTokens"),
                        0)
                .cacheBesideInput()
                .build();
    }

    private static long count(@Nullable Object counts, String name) {
        return counts != null && component(counts, name) instanceof Number count ? count.longValue() : 0;
    }

    private static @Nullable Object component(Object counts, String name) {
        Method accessor = ReflectionUtils.findMethod(counts.getClass(), name);
        return accessor == null ? null : ReflectionUtils.invokeMethod(accessor, counts);
    }
}
