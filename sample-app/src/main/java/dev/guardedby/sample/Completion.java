package dev.guardedby.sample;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model's answer to {@code POST /v1/chat/completions}, as far as it is read here. */
record Completion(@Nullable List<Choice> choices, @Nullable Usage usage) {
    /** One of the texts a model offers; a request for one gets one. */
    record Choice(Message message) {}

    /** A text and who said it: {@code system}, {@code user} or {@code assistant}. */
    record Message(String role, String content) {}

    /** The tokens a provider charges for. */
    record Usage(
            @JsonProperty("prompt_tokens") long promptTokens,
            @JsonProperty("completion_tokens") long completionTokens) {}

    /** The text answered; {@link IllegalStateException} when there is none. */
    String text() {
        if (choices == null || choices.isEmpty()) {
            throw new IllegalStateException("the model answered without a text");
        }
        return choices.get(0).message().content();
    }
}
