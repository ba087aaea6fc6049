package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Usage;
import java.lang.reflect.Method;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

/**
 * A client that Spring AI 1.1 brought itself, and that 2.0 has no more: its counts are records, read by the names of their
 * components.
 */
final class SpringAi1Usage implements NativeUsage {
    private final String type;
    private final String provider;
    private final Function<Object, Usage> counted;

    private SpringAi1Usage(String type, String provider, Function<Object, Usage> counted) {
        this.type = type;
        this.provider = provider;
        this.counted = counted;
    }

    static NativeUsage ofOpenAi() {
        return new SpringAi1Usage(
                "org.springframework.ai.openai.api.OpenAiApi$Usage", "openai", SpringAi1Usage::openAi);
    }

    static NativeUsage ofAnthropic() {
        return new SpringAi1Usage(
                "org.springframework.ai.anthropic.api.AnthropicApi$Usage", "anthropic", SpringAi1Usage::anthropic);
    }

    @Override
    public String provider() {
        return provider;
    }

    @Override
    public @Nullable Usage read(Object counts) {
        return counts.getClass().getName().equals(type) ? counted.apply(counts) : null;
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
