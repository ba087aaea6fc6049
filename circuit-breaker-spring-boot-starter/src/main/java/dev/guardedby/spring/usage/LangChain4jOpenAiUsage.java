package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Usage;
import dev.langchain4j.model.openai.OpenAiTokenUsage;
import org.jspecify.annotations.Nullable;

/** What LangChain4j's OpenAI client has counted: the tokens of the cache are among those sent. */
final class LangChain4jOpenAiUsage implements NativeUsage {

    @Override
    public String provider() {
        return "openai";
    }

    @Override
    public @Nullable Usage read(Object counts) {
        if (!(counts instanceof OpenAiTokenUsage usage) || usage.inputTokenCount() == null) {
            return null;
        }
        OpenAiTokenUsage.InputTokensDetails sent = usage.inputTokensDetails();
        OpenAiTokenUsage.OutputTokensDetails received = usage.outputTokensDetails();
        return new Counts(
                        usage.inputTokenCount(),
                        sent == null ? 0 : Counts.orNone(sent.cachedTokens()),
                        0,
                        0,
                        Counts.orNone(usage.outputTokenCount()),
                        received == null ? 0 : Counts.orNone(received.reasoningTokens()))
                .cacheAmongInput()
                .build();
    }
}
