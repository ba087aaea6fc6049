package dev.guardedby.spring.usage;

import com.openai.models.completions.CompletionUsage;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import dev.guardedby.circuitbreaker.Usage;
import org.jspecify.annotations.Nullable;

/** What OpenAI's SDK has counted, for Spring AI on it. */
final class OpenAiNativeUsage implements NativeUsage {

    @Override
    public String provider() {
        return OpenAiUsage.PROVIDER;
    }

    @Override
    public @Nullable Usage read(Object counts) {
        if (counts instanceof CompletionUsage usage) {
            return OpenAiUsage.of(usage);
        }
        return counts instanceof CreateEmbeddingResponse.Usage usage ? OpenAiUsage.of(usage) : null;
    }
}
