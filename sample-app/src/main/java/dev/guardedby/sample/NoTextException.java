package dev.guardedby.sample;

import com.openai.errors.OpenAIException;

/** The model answered, and said nothing. */
final class NoTextException extends OpenAIException {
    private static final long serialVersionUID = 1;

    NoTextException() {
        super("the model answered without a text");
    }
}
