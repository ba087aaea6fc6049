package dev.guardedby.spring.models;

import com.openai.core.ObjectMappers;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.StructuredChatCompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.StructuredResponseCreateParams;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Requests of OpenAI's SDK: chat completions, responses and embeddings, of which nothing is received that is counted in tokens. */
final class OpenAiRequests implements ModelRequestReader {

    @Override
    public Set<Class<?>> types() {
        return Set.of(
                ChatCompletionCreateParams.class,
                StructuredChatCompletionCreateParams.class,
                ResponseCreateParams.class,
                StructuredResponseCreateParams.class,
                EmbeddingCreateParams.class);
    }

    @Override
    public ModelRequest read(Object argument) {
        if (argument instanceof StructuredChatCompletionCreateParams<?> structured) {
            return read(structured.rawParams());
        }
        if (argument instanceof StructuredResponseCreateParams<?> structured) {
            return read(structured.rawParams());
        }
        if (argument instanceof ChatCompletionCreateParams chat) {
            JsonRequest body = json(chat._body());
            long most = Math.max(body.number("max_completion_tokens"), body.number("max_tokens"));
            return of(body, ModelRequest.limit(most, Math.max(1, body.number("n"))));
        }
        if (argument instanceof ResponseCreateParams response) {
            JsonRequest body = json(response._body());
            return of(body, ModelRequest.limit(body.number("max_output_tokens"), 1));
        }
        return of(json(((EmbeddingCreateParams) argument)._body()), 0L);
    }

    private static JsonRequest json(Object body) {
        return new JsonRequest(ObjectMappers.jsonMapper().convertValue(body, Map.class));
    }

    private static ModelRequest of(JsonRequest body, @Nullable Long mostReceived) {
        return body.asked("openai", 0, mostReceived);
    }
}
