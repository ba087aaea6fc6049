package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.Usage;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.image.ImageResponse;
import org.springframework.util.ClassUtils;

/**
 * Spring AI's models, 1.1 and 2.0: what the provider's client counted, and else the portable counts. Images are counted, and
 * their responses do not name the model.
 *
 * <p>The portable ones do not say whether the tokens of a cache are among the prompt's. OpenAI counts them so and Anthropic does
 * not, and once the rounds of a tool loop have been added up no native counts are left. Then the name of the model decides.
 */
final class SpringAiUsage implements UsageExtractor {
    /** Since 2.0; before, nothing tells of caches, nor of the tokens of images. */
    private static final boolean TELLS_MORE =
            ClassUtils.hasMethod(org.springframework.ai.chat.metadata.Usage.class, "getCacheReadInputTokens");

    private final List<NativeUsage> clients;

    /**
     * Of Spring AI.
     *
     * @param clients read what the clients on the class path have counted
     */
    SpringAiUsage(List<NativeUsage> clients) {
        this.clients = List.copyOf(clients);
    }

    @Override
    public Set<Class<?>> types() {
        return Set.of(ChatResponse.class, EmbeddingResponse.class, ImageResponse.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        if (result instanceof ChatResponse response) {
            ChatResponseMetadata metadata = response.getMetadata();
            return reported(metadata.getModel(), metadata.getUsage());
        }
        if (result instanceof ImageResponse response) {
            return of(response);
        }
        EmbeddingResponseMetadata metadata = ((EmbeddingResponse) result).getMetadata();
        return reported(metadata.getModel(), metadata.getUsage());
    }

    /** The tokens where they are told, and else the images. */
    private Optional<ModelUsage> of(ImageResponse response) {
        Optional<ModelUsage> tokens = TELLS_MORE
                ? reported(null, response.getMetadata().getUsage())
                        .filter(told -> told.confidence() != Confidence.UNKNOWN)
                : Optional.empty();
        return tokens.or(() ->
                Counts.reported(null, null, Counts.images(response.getResults().size()), ServiceTier.STANDARD));
    }

    private Optional<ModelUsage> reported(
            @Nullable String named, org.springframework.ai.chat.metadata.@Nullable Usage usage) {
        String model = named == null || named.isEmpty() ? null : named;
        Object counts = usage == null ? null : usage.getNativeUsage();
        if (counts != null) {
            for (NativeUsage client : clients) {
                Usage read = client.read(counts);
                if (read != null) {
                    return Counts.reported(client.provider(), model, read, ServiceTier.STANDARD);
                }
            }
        }
        return Counts.reported(null, model, usage == null ? null : portable(model, usage), ServiceTier.STANDARD);
    }

    private static @Nullable Usage portable(@Nullable String model, org.springframework.ai.chat.metadata.Usage usage) {
        // Unknown looks like 0.
        if (Counts.orNone(usage.getTotalTokens()) == 0) {
            return null;
        }
        Counts counts = new Counts(
                Counts.orNone(usage.getPromptTokens()),
                TELLS_MORE ? Counts.orNone(usage.getCacheReadInputTokens()) : 0,
                TELLS_MORE ? Counts.orNone(usage.getCacheWriteInputTokens()) : 0,
                0,
                Counts.orNone(usage.getCompletionTokens()),
                0);
        boolean anthropic = model != null && model.toLowerCase(Locale.ROOT).contains("claude");
        return (anthropic ? counts.cacheBesideInput() : counts.cacheAmongInput()).build();
    }
}
