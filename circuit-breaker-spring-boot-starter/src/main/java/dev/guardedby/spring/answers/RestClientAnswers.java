package dev.guardedby.spring.answers;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.HttpAnswer;
import java.util.Optional;
import org.springframework.http.HttpHeaders;
import org.springframework.web.client.RestClientResponseException;

/** Spring's {@code RestClient} and {@code RestTemplate}, and HTTP interfaces on them. */
final class RestClientAnswers implements AnswerReader {

    @Override
    public Optional<HttpAnswer> read(Object outcome) {
        if (!(outcome instanceof RestClientResponseException failure)) {
            return Optional.empty();
        }
        HttpHeaders headers = failure.getResponseHeaders();
        return Optional.of(new HttpAnswer(
                failure.getStatusCode().value(),
                name -> headers == null ? Optional.empty() : Optional.ofNullable(headers.getFirst(name)),
                ErrorBody.codes(failure.getResponseBodyAsByteArray())));
    }
}
