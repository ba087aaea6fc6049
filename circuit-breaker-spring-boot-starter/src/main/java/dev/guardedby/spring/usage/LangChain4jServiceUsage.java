package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.service.Result;
import java.util.Optional;
import java.util.Set;

/** What LangChain4j's AI services answer with: the tokens of all rounds. */
final class LangChain4jServiceUsage implements UsageExtractor {
    private final LangChain4jUsage models;

    LangChain4jServiceUsage(LangChain4jUsage models) {
        this.models = models;
    }

    @Override
    public Set<Class<?>> types() {
        return Set.of(Result.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        Result<?> answer = (Result<?>) result;
        ChatResponse last = answer.finalResponse();
        return models.reported(last == null ? null : last.modelName(), answer.tokenUsage());
    }
}
