package dev.guardedby.spring.answers;

import com.anthropic.core.JsonField;
import com.anthropic.errors.AnthropicServiceException;
import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.HttpAnswer;
import java.util.Optional;
import java.util.stream.Stream;

/** Anthropic's SDK, and Spring AI on it. */
final class AnthropicAnswers implements AnswerReader {

    @Override
    public Optional<HttpAnswer> read(Object outcome) {
        if (!(outcome instanceof AnthropicServiceException failure)) {
            return Optional.empty();
        }
        // As it came: the typed accessor knows only the types of its own day, and not what is in the details.
        Optional<JsonField<?>> error = field(failure.body(), "error");
        Stream<JsonField<?>> codes = Stream.concat(
                error.flatMap(said -> field(said, "type")).stream(),
                error
                        .flatMap(said -> field(said, "details"))
                        .flatMap(details -> field(details, "error_code"))
                        .stream());
        return Optional.of(new HttpAnswer(
                failure.statusCode(),
                name -> failure.headers().values(name).stream().findFirst(),
                codes.flatMap(code -> code.asString().stream()).toList()));
    }

    private static Optional<JsonField<?>> field(JsonField<?> value, String name) {
        return value.asObject().map(fields -> fields.get(name));
    }
}
