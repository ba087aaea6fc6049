package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.Usage;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.output.TokenUsage;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * LangChain4j's models: chat responses, and what older and smaller models answer with, images for example, which does not name
 * the model.
 */
final class LangChain4jUsage implements UsageExtractor {
    private final List<NativeUsage> providers;

    /**
     * Of LangChain4j.
     *
     * @param providers read what the providers on the class path have counted beyond the common counts
     */
    LangChain4jUsage(List<NativeUsage> providers) {
        this.providers = List.copyOf(providers);
    }

    @Override
    public Set<Class<?>> types() {
        return Set.of(ChatResponse.class, Response.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        if (result instanceof ChatResponse response) {
            return reported(response.modelName(), response.tokenUsage());
        }
        Response<?> response = (Response<?>) result;
        return response.tokenUsage() == null
                ? Counts.reported(null, null, images(response.content()), ServiceTier.STANDARD)
                : reported(null, response.tokenUsage());
    }

    private static @Nullable Usage images(@Nullable Object content) {
        if (content instanceof List<?> several) {
            return Counts.images(
                    several.stream().filter(Image.class::isInstance).count());
        }
        return Counts.images(content instanceof Image ? 1 : 0);
    }

    /** What a model used, as far as it is told: LangChain4j has null for what is not. */
    Optional<ModelUsage> reported(@Nullable String model, @Nullable TokenUsage usage) {
        if (usage == null) {
            return Optional.of(ModelUsage.unknown(model));
        }
        for (NativeUsage provider : providers) {
            Usage read = provider.read(usage);
            if (read != null) {
                return Counts.reported(provider.provider(), model, read, ServiceTier.STANDARD);
            }
        }
        return Counts.reported(null, model, counted(usage), ServiceTier.STANDARD);
    }

    private static @Nullable Usage counted(TokenUsage usage) {
        Integer input = usage.inputTokenCount();
        // An embedding has no output.
        return input == null ? null : Usage.of(input, Counts.orNone(usage.outputTokenCount()));
    }
}
