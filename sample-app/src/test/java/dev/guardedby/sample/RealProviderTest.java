package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.resttestclient.autoconfigure.AutoConfigureRestTestClient;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.http.HttpStatus;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.servlet.client.EntityExchangeResult;
import org.springframework.test.web.servlet.client.RestTestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** With a base URL and a key in the environment, that provider is asked and nothing is played. */
@ExtendWith(OutputCaptureExtension.class)
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@AutoConfigureRestTestClient
class RealProviderTest {
    private static final List<String> seen = new CopyOnWriteArrayList<>();
    private static HttpServer provider;

    @BeforeAll
    static void startProvider() throws IOException {
        provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        provider.createContext("/", RealProviderTest::answer);
        provider.start();
    }

    @AfterAll
    static void stopProvider() {
        provider.stop(0);
    }

    @DynamicPropertySource
    static void environment(DynamicPropertyRegistry environment) {
        environment.add(
                "OPENAI_BASE_URL",
                () -> "http://localhost:" + provider.getAddress().getPort());
        environment.add("OPENAI_API_KEY", () -> "sk-of-the-test");
    }

    @Autowired
    private RestTestClient http;

    @Test
    void provider_isAskedWithTheKeyAndItsUsageIsBooked() {
        JsonNode before = stats();
        seen.clear();

        String answer = http.get()
                .uri("/ask?q=Why?")
                .exchangeSuccessfully()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(answer).isEqualTo("Because.\n");
        assertThat(seen)
                .containsExactly("POST /v1/chat/completions, Bearer sk-of-the-test, gpt-4.1-mini is asked 'Why?'");
        JsonNode after = stats();
        assertThat(added(before, after, "totalInputTokens")).isEqualByComparingTo("1000");
        assertThat(added(before, after, "totalOutputTokens")).isEqualByComparingTo("100");
        assertThat(added(before, after, "totalEstimatedCost")).isEqualByComparingTo("0.00056");
    }

    @Test
    void providerThatSaysNoUsage_isAnsweredAndNothingIsBooked() {
        JsonNode before = stats();

        EntityExchangeResult<String> answer = ask("usage?");

        assertThat(answer.getStatus()).isEqualTo(HttpStatus.OK);
        assertThat(answer.getResponseBody()).isEqualTo("Because.\n");
        JsonNode after = stats();
        assertThat(added(before, after, "totalSuccesses")).isEqualByComparingTo("1");
        assertThat(added(before, after, "totalInputTokens")).isZero();
        assertThat(added(before, after, "totalEstimatedCost")).isZero();
    }

    @Test
    void providerThatSaysNoText_isAFailureAndIsPaidFor() {
        JsonNode before = stats();

        EntityExchangeResult<String> answer = ask("content?");

        assertThat(answer.getStatus()).isEqualTo(HttpStatus.BAD_GATEWAY);
        assertThat(answer.getResponseBody()).contains("the model answered without a text");
        JsonNode after = stats();
        assertThat(added(before, after, "totalFailures")).isEqualByComparingTo("1");
        assertThat(added(before, after, "totalInputTokens")).isEqualByComparingTo("1000");
    }

    private EntityExchangeResult<String> ask(String question) {
        return http.get()
                .uri("/ask?q={question}", question)
                .exchange()
                .expectBody(String.class)
                .returnResult();
    }

    private static BigDecimal added(JsonNode before, JsonNode after, String field) {
        return after.get(field).decimalValue().subtract(before.get(field).decimalValue());
    }

    private JsonNode stats() {
        return new JsonMapper()
                .readTree(http.get()
                        .uri("/actuator/guardedby/llm")
                        .exchangeSuccessfully()
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody())
                .get("stats");
    }

    @Test
    void story_isNotPlayed(CapturedOutput output) throws Exception {
        String url = "http://localhost:" + provider.getAddress().getPort();
        try (var application = SpringApplication.run(
                SampleApplication.class,
                "--server.port=0",
                "--OPENAI_BASE_URL=" + url,
                "--OPENAI_API_KEY=sk-of-the-test")) {
            application.getBean(Story.class).told().get(5, TimeUnit.SECONDS);
        }

        assertThat(output.getAll())
                .contains("A real provider is asked, " + url + "/v1, so no story of outages is played.")
                .contains("/actuator/guardedby")
                .doesNotContain("sk-of-the-test")
                .doesNotContain("/model/failing");
    }

    @Test
    void provider_takesNoOrders() {
        http.post().uri("/model/failing").exchange().expectStatus().isEqualTo(HttpStatus.CONFLICT);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            JsonNode request = new JsonMapper().readTree(exchange.getRequestBody());
            seen.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + ", "
                    + exchange.getRequestHeaders().getFirst("Authorization") + ", "
                    + request.get("model").asString() + " is asked '"
                    + request.at("/messages/1/content").asString() + "'");
            String question = request.at("/messages/1/content").asString();
            String content = question.equals("content?") ? "null" : "\"Because.\"";
            String usage = question.equals("usage?")
                    ? "null"
                    : "{\"prompt_tokens\": 1000, \"completion_tokens\": 100, \"total_tokens\": 1100}";
            byte[] body = """
                    {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": %s}}], "usage": %s}
                    """.formatted(content, usage).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
