package dev.guardedby.spring.answers;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.HttpAnswer;
import java.util.Optional;
import org.springframework.web.reactive.function.client.WebClientResponseException;

/** Spring's {@code WebClient}, and HTTP interfaces on it. */
final class WebClientAnswers implements AnswerReader {

    @Override
    public Optional<HttpAnswer> read(Object outcome) {
        if (!(outcome instanceof WebClientResponseException failure)) {
            return Optional.empty();
        }
        return Optional.of(new HttpAnswer(
                failure.getStatusCode().value(),
                name -> Optional.ofNullable(failure.getHeaders().getFirst(name)),
                ErrorBody.codes(failure.getResponseBodyAsByteArray())));
    }
}
