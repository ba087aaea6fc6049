package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import java.util.Optional;
import java.util.Set;

/** LangChain4j's embeddings, as newer versions answer with. */
final class LangChain4jEmbeddingUsage implements UsageExtractor {
    private final LangChain4jUsage models;

    LangChain4jEmbeddingUsage(LangChain4jUsage models) {
        this.models = models;
    }

    @Override
    public Set<Class<?>> types() {
        return Set.of(EmbeddingResponse.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        EmbeddingResponse response = (EmbeddingResponse) result;
        return models.reported(response.modelName(), response.tokenUsage());
    }
}
