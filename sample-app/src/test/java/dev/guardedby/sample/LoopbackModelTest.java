package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(30)
class LoopbackModelTest {
    private final LoopbackModel model = new LoopbackModel(Duration.ZERO);
    private final HttpClient http = HttpClient.newHttpClient();
    private final JsonMapper json = new JsonMapper();

    @AfterEach
    void close() {
        model.close();
    }

    @Test
    void healthy_answersInTheShapeOfAChatCompletionAndCountsTokensFromTheTexts() throws Exception {
        // 20 and 13 letters are 5 and 4 tokens, and 3 for each message and for the answer's beginning make 18.
        HttpResponse<String> response = post("""
                {"model": "gpt-4.1-mini", "messages": [
                  {"role": "system", "content": "Answer in a sentence"},
                  {"role": "user", "content": "What is open?"}]}
                """);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
        JsonNode answer = json.readTree(response.body());
        String text = answer.at("/choices/0/message/content").asString();
        int tokens = (int) Math.ceil(text.length() / 4.0);
        assertThat(text).endsWith(".");
        assertThat(answer.get("model").asString()).isEqualTo("gpt-4.1-mini");
        assertThat(answer.at("/choices/0/message/role").asString()).isEqualTo("assistant");
        assertThat(answer.get("usage")).isEqualTo(json.readTree("""
                                {"prompt_tokens": 18, "completion_tokens": %d, "total_tokens": %d,
                                 "prompt_tokens_details": {"cached_tokens": 0},
                                 "completion_tokens_details": {"reasoning_tokens": 0}}
                                """.formatted(tokens, 18 + tokens)));
    }

    @Test
    void sameQuestion_getsTheSameAnswer() throws Exception {
        String first =
                json.readTree(ask().body()).at("/choices/0/message/content").asString();

        assertThat(json.readTree(ask().body()).at("/choices/0/message/content").asString())
                .isEqualTo(first);
        assertThat(model.requests()).isEqualTo(2);
    }

    @Test
    void stream_comesInPiecesOfTheSameAnswer_withTheUsageAtItsEnd() throws Exception {
        JsonNode whole = json.readTree(ask().body());

        HttpResponse<String> response = post(streamed(", \"stream_options\": {\"include_usage\": true}"));

        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
        List<JsonNode> chunks = chunks(response);
        assertThat(chunks).hasSizeGreaterThan(5).allSatisfy(chunk -> {
            assertThat(chunk.get("object").asString()).isEqualTo("chat.completion.chunk");
            assertThat(chunk.get("model").asString()).isEqualTo("gpt-4.1-nano");
        });
        assertThat(text(chunks))
                .isEqualTo(whole.at("/choices/0/message/content").asString());
        JsonNode last = chunks.get(chunks.size() - 1);
        assertThat(last.get("choices")).isEmpty();
        assertThat(last.get("usage")).isEqualTo(whole.get("usage"));
        assertThat(chunks.subList(0, chunks.size() - 1)).noneMatch(chunk -> chunk.has("usage"));
        assertThat(chunks.get(chunks.size() - 2).at("/choices/0/finish_reason").asString())
                .isEqualTo("stop");
        assertThat(model.lastModel()).isEqualTo("gpt-4.1-nano");
    }

    @Test
    void stream_hasNoUsage_ifNobodyWantsIt() throws Exception {
        assertThat(chunks(post(streamed("")))).isNotEmpty().noneMatch(chunk -> chunk.has("usage"));
    }

    private static String streamed(String options) {
        return "{\"model\": \"gpt-4.1-nano\", \"messages\": [{\"role\": \"user\", \"content\": \"Why?\"}], \"stream\": true"
                + options + "}";
    }

    private List<JsonNode> chunks(HttpResponse<String> response) {
        List<String> events = List.of(response.body().split("\n\n"));
        assertThat(events).allMatch(event -> event.startsWith("data: ")).endsWith("data: [DONE]");
        return events.subList(0, events.size() - 1).stream()
                .map(event -> json.readTree(event.substring(6)))
                .toList();
    }

    private static String text(List<JsonNode> chunks) {
        return chunks.stream()
                .map(chunk -> chunk.at("/choices/0/delta/content").asString(""))
                .collect(Collectors.joining());
    }

    @Test
    void failing_answers500UntilItIsHealthyAgain() throws Exception {
        model.become(LoopbackModel.Mood.FAILING);
        HttpResponse<String> failed = ask();
        model.become(LoopbackModel.Mood.HEALTHY);

        assertThat(failed.statusCode()).isEqualTo(500);
        assertThat(json.readTree(failed.body()).at("/error/code").asString()).isEqualTo("server_error");
        assertThat(ask().statusCode()).isEqualTo(200);
    }

    @Test
    void rateLimited_answers429AndSaysWhenToComeBack() throws Exception {
        model.become(LoopbackModel.Mood.RATE_LIMITED);

        HttpResponse<String> response = ask();

        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(response.headers().firstValue("Retry-After")).hasValue("2");
    }

    @Test
    void slow_keepsOneCallerWaitingAndNobodyElse() throws Exception {
        model.become(LoopbackModel.Mood.SLOW);
        CompletableFuture<HttpResponse<String>> slow = http.sendAsync(question(), HttpResponse.BodyHandlers.ofString());
        while (model.requests() == 0) {
            Thread.onSpinWait();
        }
        model.become(LoopbackModel.Mood.HEALTHY);

        assertThat(ask().statusCode()).isEqualTo(200);
        assertThat(slow).isNotDone();
    }

    @Test
    void whatIsNoChat_isRefused() throws Exception {
        assertThat(post("what?").statusCode()).isEqualTo(400);
        assertThat(post("{\"messages\": []}").statusCode()).isEqualTo(400);
        assertThat(http.send(HttpRequest.newBuilder(url()).build(), HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(405);
    }

    private HttpResponse<String> ask() throws IOException, InterruptedException {
        return http.send(question(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest question() {
        return request("{\"model\": \"gpt-4.1-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"Why?\"}]}");
    }

    private HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return http.send(request(body), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String body) {
        return HttpRequest.newBuilder(url())
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private URI url() {
        return URI.create(model.baseUrl() + "/chat/completions");
    }
}
