package dev.guardedby.spring.answers;

import com.openai.errors.OpenAIServiceException;
import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.HttpAnswer;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** OpenAI's SDK, and Spring AI on it. */
final class OpenAiAnswers implements AnswerReader {

    @Override
    public Optional<HttpAnswer> read(Object outcome) {
        if (!(outcome instanceof OpenAIServiceException failure)) {
            return Optional.empty();
        }
        List<String> codes =
                Stream.concat(said(failure::code), said(failure::type)).toList();
        return Optional.of(new HttpAnswer(
                failure.statusCode(),
                name -> failure.headers().values(name).stream().findFirst(),
                codes));
    }

    private static Stream<String> said(Supplier<Optional<String>> field) {
        try {
            return field.get().stream();
        } catch (RuntimeException noText) {
            // Servers that are only nearly compatible send a number here, or nothing: the headers still count.
            return Stream.empty();
        }
    }
}
