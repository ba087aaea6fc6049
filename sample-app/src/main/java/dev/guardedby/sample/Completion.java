package dev.guardedby.sample;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.client.RestClientException;

/** A model's answer to {@code POST /v1/chat/completions}, as far as it is read here. */
record Completion(@Nullable List<Choice> choices, @Nullable Usage usage) {
    /** One of the texts a model offers; a request for one gets one. */
    record Choice(@Nullable Message message) {}

    /** A text, null where a model refuses to say one, and who said it: {@code system}, {@code user} or {@code assistant}. */
    record Message(String role, @Nullable String content) {}

    /** The tokens a provider charges for. */
    record Usage(
            @JsonProperty("prompt_tokens") long promptTokens,
            @JsonProperty("completion_tokens") long completionTokens) {}

    /** The text answered; {@link NoTextException} when there is none. */
    String text() {
        Message message =
                choices == null || choices.isEmpty() ? null : choices.get(0).message();
        if (message == null || message.content() == null) {
            throw new NoTextException();
        }
        return message.content();
    }

    /** The model answered, and said nothing. */
    static final class NoTextException extends RestClientException {
        private static final long serialVersionUID = 1;

        NoTextException() {
            super("the model answered without a text");
        }
    }
}
