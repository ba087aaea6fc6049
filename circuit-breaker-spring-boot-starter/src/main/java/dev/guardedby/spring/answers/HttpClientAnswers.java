package dev.guardedby.spring.answers;

import dev.guardedby.circuitbreaker.AnswerReader;
import dev.guardedby.circuitbreaker.HttpAnswer;
import java.net.http.HttpResponse;
import java.util.Optional;

/** The JDK's {@code HttpClient}, which returns every status and throws for none. */
final class HttpClientAnswers implements AnswerReader {
    private static final int FIRST_ERROR = 400;

    @Override
    public Optional<HttpAnswer> read(Object outcome) {
        if (!(outcome instanceof HttpResponse<?> response) || response.statusCode() < FIRST_ERROR) {
            return Optional.empty();
        }
        return Optional.of(new HttpAnswer(
                response.statusCode(), response.headers()::firstValue, ErrorBody.codes(response.body())));
    }

    @Override
    public boolean readsResults() {
        return true;
    }
}
