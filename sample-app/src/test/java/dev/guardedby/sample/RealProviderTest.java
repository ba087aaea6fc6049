package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
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
        String answer = http.get()
                .uri("/ask?q=Why?")
                .exchangeSuccessfully()
                .expectBody(String.class)
                .returnResult()
                .getResponseBody();

        assertThat(answer).isEqualTo("Because.\n");
        assertThat(seen)
                .containsExactly("POST /v1/chat/completions, Bearer sk-of-the-test, gpt-4.1-mini is asked 'Why?'");
        http.get()
                .uri("/actuator/guardedby/llm")
                .exchangeSuccessfully()
                .expectBody()
                .jsonPath("$.stats.totalInputTokens")
                .isEqualTo(1_000)
                .jsonPath("$.stats.totalOutputTokens")
                .isEqualTo(100)
                .jsonPath("$.stats.totalEstimatedCost")
                .isEqualTo(0.00056);
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
            byte[] body = """
                    {"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Because."}}],
                     "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}
                    """.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
