package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.ResponseEntity;
import org.springframework.ai.chat.model.ChatResponse;

/** What Spring AI's {@code ChatClient} wraps a model's response in. */
final class SpringAiClientUsage implements UsageExtractor {
    private final SpringAiUsage models;

    SpringAiClientUsage(SpringAiUsage models) {
        this.models = models;
    }

    @Override
    public Set<Class<?>> types() {
        return Set.of(ChatClientResponse.class, ResponseEntity.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        @Nullable Object response = result instanceof ChatClientResponse client
                ? client.chatResponse()
                : ((ResponseEntity<?, ?>) result).response();
        return response instanceof ChatResponse chat ? models.extract(chat) : Optional.empty();
    }
}
