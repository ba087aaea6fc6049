package dev.guardedby.spring.answers;

import dev.guardedby.circuitbreaker.Answer;
import dev.guardedby.circuitbreaker.AnswerReader;
import java.util.Optional;
import org.springframework.web.reactive.function.client.WebClientResponseException;

/** Spring's {@code WebClient}, and HTTP interfaces on it. */
final class WebClientAnswers implements AnswerReader {

    @Override
    public Optional<Answer> read(Object outcome) {
        if (!(outcome instanceof WebClientResponseException failure)) {
            return Optional.empty();
        }
        return Optional.of(new Answer(
                failure.getStatusCode().value(),
                name -> Optional.ofNullable(failure.getHeaders().getFirst(name)),
                ErrorBody.codes(failure.getResponseBodyAsByteArray())));
    }
}
