package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Usage;
import dev.langchain4j.model.anthropic.AnthropicTokenUsage;
import org.jspecify.annotations.Nullable;

/** What LangChain4j's Anthropic client has counted: the tokens of the cache come on top of those sent. */
final class LangChain4jAnthropicUsage implements NativeUsage {

    @Override
    public String provider() {
        return "anthropic";
    }

    @Override
    public @Nullable Usage read(Object counts) {
        if (!(counts instanceof AnthropicTokenUsage usage) || usage.inputTokenCount() == null) {
            return null;
        }
        return new Counts(
                        usage.inputTokenCount(),
                        Counts.orNone(usage.cacheReadInputTokens()),
                        Counts.orNone(usage.cacheCreationInputTokens()),
                        0,
                        Counts.orNone(usage.outputTokenCount()),
                        0)
                .cacheBesideInput()
                .build();
    }
}
