package dev.guardedby.sample;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;
import org.springframework.web.client.RestClientResponseException;

/** Asks an OpenAI-compatible model over HTTP; knows nothing of circuit breakers. */
final class ModelClient {
    private static final Completion.Message INSTRUCTION =
            new Completion.Message("system", "You are a helpful assistant. Answer in one short sentence.");

    private final RestClient http;
    private final String model;

    ModelClient(RestClient.Builder http, URI baseUrl, String apiKey, String model, Duration patience) {
        // HTTP/1.1: without TLS the newer version costs every first request a refused upgrade.
        JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(2))
                .build());
        requests.setReadTimeout(patience);
        this.http = http.requestFactory(requests)
                .baseUrl(baseUrl.toString())
                .defaultHeaders(headers -> {
                    if (!apiKey.isBlank()) {
                        headers.setBearerAuth(apiKey);
                    }
                })
                .build();
        this.model = model;
    }

    Completion complete(String question) {
        return Objects.requireNonNull(http.post()
                .uri("/chat/completions")
                .contentType(MediaType.APPLICATION_JSON)
                .body(new Request(model, List.of(INSTRUCTION, new Completion.Message("user", question))))
                .retrieve()
                .body(Completion.class));
    }

    /** What went wrong, for people. */
    static String inWords(RestClientException failure) {
        if (failure instanceof RestClientResponseException answer) {
            HttpHeaders headers = answer.getResponseHeaders();
            String retryAfter = headers == null ? null : headers.getFirst(HttpHeaders.RETRY_AFTER);
            return "the model answered " + answer.getStatusCode().value()
                    + (retryAfter == null ? "" : " with Retry-After: " + retryAfter);
        }
        if (failure instanceof Completion.NoTextException silence) {
            return String.valueOf(silence.getMessage());
        }
        if (failure instanceof ResourceAccessException && failure.getCause() instanceof HttpTimeoutException) {
            return "the model did not answer in time";
        }
        return failure instanceof ResourceAccessException
                ? "the model cannot be reached"
                : "the model's answer cannot be read";
    }

    private record Request(String model, List<Completion.Message> messages) {}
}
