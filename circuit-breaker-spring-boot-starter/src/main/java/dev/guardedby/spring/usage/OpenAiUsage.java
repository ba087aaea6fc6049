package dev.guardedby.spring.usage;

import com.openai.core.JsonField;
import com.openai.models.ChatModel;
import com.openai.models.ResponsesModel;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.completions.CompletionUsage;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.images.Image;
import com.openai.models.images.ImagesResponse;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCompletedEvent;
import com.openai.models.responses.ResponseFailedEvent;
import com.openai.models.responses.ResponseIncompleteEvent;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.ResponseUsage;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * OpenAI's SDK: chat completions and their chunks, responses and their events, embeddings, and images, whose answers do not name
 * the model.
 *
 * <p>Fields are read as they came. The typed accessors throw for one that is required and missing, and servers that are only
 * nearly compatible leave out many.
 */
final class OpenAiUsage implements UsageExtractor {
    static final String PROVIDER = "openai";

    @Override
    public Set<Class<?>> types() {
        return Set.of(
                ChatCompletion.class,
                ChatCompletionChunk.class,
                Response.class,
                ResponseStreamEvent.class,
                CreateEmbeddingResponse.class,
                ImagesResponse.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        if (result instanceof ChatCompletion completion) {
            return reported(
                    known(completion._model()),
                    known(completion._usage(), OpenAiUsage::of),
                    known(completion._serviceTier(), ChatCompletion.ServiceTier::asString));
        }
        if (result instanceof ChatCompletionChunk chunk) {
            return reported(
                    known(chunk._model()),
                    known(chunk._usage(), OpenAiUsage::of),
                    known(chunk._serviceTier(), ChatCompletionChunk.ServiceTier::asString));
        }
        if (result instanceof Response response) {
            return of(response);
        }
        if (result instanceof ResponseStreamEvent event) {
            return last(event).flatMap(JsonField::asKnown).flatMap(OpenAiUsage::of);
        }
        if (result instanceof ImagesResponse images) {
            return reported(null, of(images), null);
        }
        CreateEmbeddingResponse embeddings = (CreateEmbeddingResponse) result;
        return reported(known(embeddings._model()), known(embeddings._usage(), OpenAiUsage::of), null);
    }

    private static Optional<ModelUsage> reported(@Nullable String model, @Nullable Usage usage, @Nullable String tier) {
        return Counts.reported(PROVIDER, model, usage, Counts.tier(tier));
    }

    private static Optional<ModelUsage> of(Response response) {
        return reported(
                known(response._model(), OpenAiUsage::name),
                known(response._usage(), OpenAiUsage::of),
                known(response._serviceTier(), Response.ServiceTier::asString));
    }

    /** The response that one of the three last events of a stream carries; those before have counted nothing. */
    private static Optional<JsonField<Response>> last(ResponseStreamEvent event) {
        return event.completed()
                .map(ResponseCompletedEvent::_response)
                .or(() -> event.incomplete().map(ResponseIncompleteEvent::_response))
                .or(() -> event.failed().map(ResponseFailedEvent::_response));
    }

    private static @Nullable String name(ResponsesModel model) {
        return model.string()
                .or(() -> model.chat().map(ChatModel::asString))
                .or(() -> model.only().map(ResponsesModel.ResponsesOnlyModel::asString))
                .orElse(null);
    }

    /** Null if the numbers of tokens are missing. */
    static @Nullable Usage of(CompletionUsage usage) {
        Long prompt = known(usage._promptTokens());
        Long completion = known(usage._completionTokens());
        if (prompt == null || completion == null) {
            return null;
        }
        Optional<CompletionUsage.PromptTokensDetails> sent =
                usage._promptTokensDetails().asKnown();
        Optional<CompletionUsage.CompletionTokensDetails> received =
                usage._completionTokensDetails().asKnown();
        long reasoning =
                received.map(details -> count(details._reasoningTokens())).orElse(0L);
        long output = output(prompt, completion, count(usage._totalTokens()), reasoning);
        Counts counts = new Counts(
                prompt,
                sent.map(details -> count(details._cachedTokens())).orElse(0L),
                sent.map(details -> count(details._cacheWriteTokens())).orElse(0L),
                0,
                output,
                reasoning);
        return withAudio(
                counts.cacheAmongInput(),
                sent.map(details -> count(details._audioTokens())).orElse(0L),
                received.map(details -> count(details._audioTokens())).orElse(0L));
    }

    /** Some servers leave reasoning out of what was received, and only their total tells. */
    private static long output(long prompt, long completion, long total, long reasoning) {
        return reasoning > 0 && total == prompt + completion + reasoning ? completion + reasoning : completion;
    }

    private static Usage withAudio(Usage.Builder usage, long sent, long received) {
        Usage counted = usage.build();
        // What sound was read from a cache is not told.
        return usage.tokens(TokenKind.AUDIO_INPUT, Math.min(sent, counted.tokens(TokenKind.INPUT)))
                .tokens(
                        TokenKind.AUDIO_OUTPUT,
                        Math.min(received, counted.outputTokens() - counted.tokens(TokenKind.REASONING)))
                .build();
    }

    /** Null if the numbers of tokens are missing. */
    static @Nullable Usage of(ResponseUsage usage) {
        Long input = known(usage._inputTokens());
        Long output = known(usage._outputTokens());
        if (input == null || output == null) {
            return null;
        }
        Optional<ResponseUsage.InputTokensDetails> sent =
                usage._inputTokensDetails().asKnown();
        Optional<ResponseUsage.OutputTokensDetails> received =
                usage._outputTokensDetails().asKnown();
        long reasoning =
                received.map(details -> count(details._reasoningTokens())).orElse(0L);
        return new Counts(
                        input,
                        sent.map(details -> count(details._cachedTokens())).orElse(0L),
                        sent.map(details -> count(details._cacheWriteTokens())).orElse(0L),
                        0,
                        output(input, output, count(usage._totalTokens()), reasoning),
                        reasoning)
                .cacheAmongInput()
                .build();
    }

    /** The tokens, of models that count them, and else the images. */
    private static @Nullable Usage of(ImagesResponse images) {
        Usage tokens = known(images._usage(), OpenAiUsage::of);
        List<Image> data = known(images._data());
        return tokens == null && data != null ? Counts.images(data.size()) : tokens;
    }

    private static @Nullable Usage of(ImagesResponse.Usage usage) {
        Long input = known(usage._inputTokens());
        Long output = known(usage._outputTokens());
        return input == null || output == null ? null : Usage.of(input, output);
    }

    /** Null if the number of tokens is missing. */
    static @Nullable Usage of(CreateEmbeddingResponse.Usage usage) {
        Long prompt = known(usage._promptTokens());
        return prompt == null ? null : Usage.of(prompt, 0);
    }

    private static long count(JsonField<Long> field) {
        return Counts.orNone(known(field));
    }

    private static <T> @Nullable T known(JsonField<T> field) {
        return field.asKnown().orElse(null);
    }

    private static <T, R> @Nullable R known(JsonField<T> field, Reading<T, R> reading) {
        T known = known(field);
        return known == null ? null : reading.read(known);
    }

    private interface Reading<T, R> {
        @Nullable R read(T known);
    }
}
