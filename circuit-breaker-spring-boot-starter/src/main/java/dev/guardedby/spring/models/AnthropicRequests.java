package dev.guardedby.spring.models;

import com.anthropic.core.ObjectMappers;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.StructuredMessageCreateParams;
import java.util.Map;
import java.util.Set;

/** Requests of Anthropic's SDK: messages. */
final class AnthropicRequests implements ModelRequestReader {
    @Override
    public Set<Class<?>> types() {
        return Set.of(MessageCreateParams.class, StructuredMessageCreateParams.class);
    }

    @Override
    public ModelRequest read(Object argument) {
        MessageCreateParams params = argument instanceof StructuredMessageCreateParams<?> structured
                ? structured.rawParams()
                : (MessageCreateParams) argument;
        JsonRequest body = new JsonRequest(ObjectMappers.jsonMapper().convertValue(params._body(), Map.class));
        return body.asked(
                "anthropic",
                body.has("tools") || body.has("output_config") ? ModelRequest.explained("anthropic") : 0,
                ModelRequest.limit(body.number("max_tokens"), 1));
    }
}
