package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
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
        environment.add("DAILY_USD", () -> "1");
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
    void question_reachesTheProviderAsItIs() {
        seen.clear();

        assertThat(ask("Why {me}?").getStatus()).isEqualTo(HttpStatus.OK);

        assertThat(seen).singleElement().asString().endsWith("is asked 'Why {me}?'");
    }

    @Test
    void ourOwnMistake_isNoSignThatTheModelIsIll() {
        for (String path : new String[] {"/ask?q={question}", "/ask/stream?q={question}"}) {
            JsonNode before = stats();

            assertThat(http.get()
                            .uri(path, "mistake?")
                            .exchange()
                            .returnResult()
                            .getStatus())
                    .isEqualTo(HttpStatus.BAD_GATEWAY);

            JsonNode after = stats();
            assertThat(added(before, after, "totalIgnored")).as(path).isEqualByComparingTo("1");
            assertThat(added(before, after, "totalFailures")).as(path).isZero();
        }
    }

    @Test
    void days_areReal(@Autowired StoryClock clock) {
        Instant reset = resetsAt();

        clock.hurryTo(Instant.now().plus(Duration.ofDays(3)), Duration.ofMillis(1));
        try {
            assertThat(Duration.between(reset, resetsAt())).isLessThan(Duration.ofDays(2));
        } finally {
            clock.runNormally();
        }
    }

    private Instant resetsAt() {
        return Instant.parse(breaker().at("/budgets/0/resetsAt").asString());
    }

    @Test
    void providerThatSaysNoUsage_isAnsweredAndCostsWhatWasHeld() {
        BigDecimal before = spent();

        EntityExchangeResult<String> answer = ask("usage?");

        assertThat(answer.getStatus()).isEqualTo(HttpStatus.OK);
        assertThat(answer.getResponseBody()).isEqualTo("Because.\n");
        // 60 tokens at 1.60 USD a million, and a generous guess of what was sent.
        assertThat(spent().subtract(before)).isBetween(new BigDecimal("0.000096"), new BigDecimal("0.00014"));
    }

    private BigDecimal spent() {
        return breaker().at("/budgets/0/spent").decimalValue();
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
        return breaker().get("stats");
    }

    private JsonNode breaker() {
        return new JsonMapper()
                .readTree(http.get()
                        .uri("/actuator/guardedby/llm")
                        .exchangeSuccessfully()
                        .expectBody(String.class)
                        .returnResult()
                        .getResponseBody());
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
    void modelWithoutAPrice_isAsked_andOnlyItsTokensAreCounted_andNoKeyIsSentWhereThereIsNone() {
        String url = "http://localhost:" + provider.getAddress().getPort();
        seen.clear();
        try (var application = SpringApplication.run(
                SampleApplication.class,
                "--server.port=0",
                "--sample.story=false",
                "--OPENAI_BASE_URL=" + url,
                "--OPENAI_API_KEY=",
                "--OPENAI_MODEL=house-model")) {
            assertThat(application.getBean(AssistantService.class).ask("Why?")).isEqualTo("Because.");

            CircuitBreakerStats stats =
                    application.getBean(CircuitBreakerRegistry.class).get("llm").stats();
            assertThat(stats.totalInputTokens()).isEqualTo(1000);
            assertThat(stats.totalEstimatedCost()).isZero();
        }
        assertThat(seen).containsExactly("POST /v1/chat/completions, null, house-model is asked 'Why?'");
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
            if (question.equals("mistake?")) {
                exchange.sendResponseHeaders(400, -1);
                return;
            }
            String content = question.equals("content?") ? "null" : "\"Because.\"";
            String usage = question.equals("usage?")
                    ? "null"
                    : "{\"prompt_tokens\": 1000, \"completion_tokens\": 100, \"total_tokens\": 1100}";
            byte[] body = """
                    {"id": "x", "object": "chat.completion", "created": 1764000000, "model": %s, "choices": [
                      {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": %s}}], "usage": %s}
                    """.formatted(request.get("model"), content, usage).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
