package dev.guardedby.sample;

import com.openai.errors.OpenAIException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.OpenAIServiceException;
import java.io.InterruptedIOException;
import java.util.List;

/** What goes wrong with a model. */
final class ModelFailure {
    private ModelFailure() {}

    /** What went wrong, for people. */
    static String inWords(OpenAIException failure) {
        if (failure instanceof OpenAIServiceException answer) {
            List<String> retryAfter = answer.headers().values("Retry-After");
            return "the model answered " + answer.statusCode()
                    + (retryAfter.isEmpty() ? "" : " with Retry-After: " + retryAfter.get(0));
        }
        if (failure instanceof NoTextException) {
            return String.valueOf(failure.getMessage());
        }
        if (failure instanceof OpenAIIoException) {
            return failure.getCause() instanceof InterruptedIOException // all timeouts are
                    ? "the model did not answer in time"
                    : "the model cannot be reached";
        }
        return "the model's answer cannot be read";
    }
}
