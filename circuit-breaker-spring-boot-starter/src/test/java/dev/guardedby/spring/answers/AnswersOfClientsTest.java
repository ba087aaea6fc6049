package dev.guardedby.spring.answers;

import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.client.reactive.JdkClientHttpConnector;
import org.springframework.web.client.RestClient;
import org.springframework.web.reactive.function.client.WebClient;

/** What becomes of a breaker when a real client meets each answer of a real server. It is noon, and no time passes. */
class AnswersOfClientsTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final String PATH = "/v1/chat/completions";
    private static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    private static HttpServer server;
    private static String base;
    private static Map<String, Client> clients;
    private static volatile Reply next;

    private record Reply(int status, Map<String, String> headers, String body) {
        static Reply of(int status, String body, String... headers) {
            Map<String, String> all = new LinkedHashMap<>();
            for (int i = 0; i < headers.length; i += 2) {
                all.put(headers[i], headers[i + 1]);
            }
            return new Reply(status, all, body);
        }

        void to(HttpExchange exchange) throws IOException {
            try (exchange) {
                exchange.getRequestBody().readAllBytes();
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                headers.forEach(exchange.getResponseHeaders()::set);
                byte[] bytes = body.getBytes(StandardCharsets.ISO_8859_1);
                exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        }
    }

    /** One guarded call; what the client throws is the breaker's business and nobody else's. */
    private interface Client {
        Object callOn(CircuitBreaker breaker) throws Exception;
    }

    @BeforeAll
    static void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> next.to(exchange));
        server.start();
        base = "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort();
        clients = clients();
    }

    @AfterAll
    static void stop() {
        server.stop(0);
    }

    private static Map<String, Client> clients() {
        RestClient rest = RestClient.builder()
                .baseUrl(base)
                .requestFactory(new JdkClientHttpRequestFactory(HTTP))
                .build();
        WebClient web = WebClient.builder()
                .baseUrl(base)
                .clientConnector(new JdkClientHttpConnector(HTTP))
                .build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + PATH)).build();
        OpenAIClient openAi = OpenAIOkHttpClient.builder()
                .baseUrl(base + "/v1")
                .apiKey("key")
                .maxRetries(0)
                .build();
        ChatCompletionCreateParams completion = ChatCompletionCreateParams.builder()
                .model("gpt-4.1-mini")
                .addUserMessage("Why?")
                .build();
        AnthropicClient anthropic = AnthropicOkHttpClient.builder()
                .baseUrl(base)
                .apiKey("key")
                .maxRetries(0)
                .build();
        MessageCreateParams message = MessageCreateParams.builder()
                .model("claude-haiku")
                .maxTokens(16)
                .addUserMessage("Why?")
                .build();
        Map<String, Client> clients = new LinkedHashMap<>();
        clients.put(
                "RestClient",
                breaker -> breaker.call(() -> rest.get().uri(PATH).retrieve().body(String.class)));
        clients.put(
                "RestClient, wrapped by the application",
                breaker -> breaker.call(() -> {
                    try {
                        return rest.get().uri(PATH).retrieve().body(String.class);
                    } catch (RuntimeException e) {
                        throw new IllegalStateException("our own", new IOException(e));
                    }
                }));
        clients.put(
                "WebClient",
                breaker -> breaker.call(() ->
                        web.get().uri(PATH).retrieve().bodyToMono(String.class).block()));
        clients.put(
                "WebClient, as a future",
                breaker -> breaker.callAsync(() -> web.get()
                                .uri(PATH)
                                .retrieve()
                                .bodyToMono(String.class)
                                .toFuture())
                        .get());
        clients.put("HttpClient", breaker -> breaker.call(() -> HTTP.send(request, BodyHandlers.ofString())));
        clients.put("HttpClient, bytes", breaker -> breaker.call(() -> HTTP.send(request, BodyHandlers.ofByteArray())));
        clients.put(
                "HttpClient, as a future",
                breaker -> breaker.callAsync(() -> HTTP.sendAsync(request, BodyHandlers.ofString()))
                        .get());
        clients.put(
                "OpenAI",
                breaker -> breaker.call(() -> openAi.chat().completions().create(completion)));
        clients.put(
                "OpenAI, as a future",
                breaker -> breaker.callAsync(
                                () -> openAi.async().chat().completions().create(completion))
                        .get());
        clients.put(
                "Anthropic", breaker -> breaker.call(() -> anthropic.messages().create(message)));
        clients.put(
                "Anthropic, as a future",
                breaker -> breaker.callAsync(() -> anthropic.async().messages().create(message))
                        .get());
        return clients;
    }

    private static String error(String code) {
        return "{\"type\": \"error\", \"error\": {\"message\": \"no \\\"code\\\": \\\"insufficient_quota\\\"\", \"type\": \""
                + code + "\", \"param\": null, \"code\": \"" + code + "\"}}";
    }

    static Stream<Arguments> answers() {
        String limited = error("rate_limit_error");
        return Stream.of(
                answer("trip-on retry-after PT30S", Reply.of(429, limited, "Retry-After", "30")),
                answer("trip-on retry-after PT30S", Reply.of(429, limited, "retry-after", "30")),
                answer("trip-on retry-after PT30.5S", Reply.of(429, limited, "Retry-After", "30.5")),
                answer("trip-on retry-after PT10S", Reply.of(429, limited, "Retry-After", "1")),
                answer("trip-on retry-after PT10M", Reply.of(429, limited, "Retry-After", "99999999999999999999")),
                answer(
                        "trip-on retry-after PT1M",
                        Reply.of(429, limited, "Retry-After", "Thu, 01 Jan 2026 12:01:00 GMT")),
                answer(
                        "trip-on retry-after PT1M",
                        Reply.of(503, limited, "Retry-After", "Thursday, 01-Jan-26 12:01:00 GMT")),
                answer("trip-on retry-after PT1M", Reply.of(503, limited, "Retry-After", "Thu Jan  1 12:01:00 2026")),
                answer(
                        "trip-on retry-after PT10S",
                        Reply.of(503, limited, "Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")),
                answer(
                        "trip-on retry-after PT12.345S",
                        Reply.of(429, limited, "retry-after-ms", "12345", "Retry-After", "99")),
                answer("trip-on retry-after PT20S", Reply.of(503, "", "Retry-After", "20")),
                answer("trip-on retry-after PT20S", Reply.of(503, "<html>busy</html>", "Retry-After", "20")),
                answer(
                        "trip-on retry-after PT20S",
                        Reply.of(429, "{\"error\": {\"code\": 429, \"type\": 7}}", "Retry-After", "20")),
                answer("none", Reply.of(429, limited)),
                answer("none", Reply.of(429, limited, "Retry-After", "soon")),
                answer("none", Reply.of(429, limited, "Retry-After", "0")),
                answer("none", Reply.of(429, limited, "retry-after-ms", "0")),
                answer("none", Reply.of(429, limited, "Retry-After", "-30")),
                answer("none", Reply.of(503, limited)),
                answer("none", Reply.of(500, limited, "Retry-After", "30")),
                answer("none", Reply.of(404, limited)),
                answer("trip-on quota-exhausted PT10S", Reply.of(402, "")),
                answer("trip-on quota-exhausted PT10S", Reply.of(402, "<html>pay</html>")),
                answer("trip-on quota-exhausted PT10S", Reply.of(402, error("billing_error"))),
                answer("trip-on quota-exhausted PT10S", Reply.of(429, error("insufficient_quota"))),
                answer("trip-on quota-exhausted PT10S", Reply.of(403, error("project_spend_limit_exceeded"))),
                answer("trip-on quota-exhausted PT10S", Reply.of(400, error("billing_hard_limit_reached"))),
                answer("none", Reply.of(403, error("permission_error"))),
                answer("none", Reply.of(400, error("invalid_request_error"))),
                answer("trip-on key-revoked PT10S", Reply.of(401, error("invalid_api_key"))),
                answer("trip-on key-revoked PT10S", Reply.of(401, error("authentication_error"))),
                answer("none", Reply.of(401, error("missing_scope"))),
                answer("none", Reply.of(401, "")),
                answer("none", Reply.of(401, "Unauthorized")),
                answer("none", Reply.of(401, "{\"error\": {\"code\": ")),
                answer("none", Reply.of(401, "\u00ff\0\u00c3(\1")),
                answer("none", Reply.of(401, "[".repeat(20_000) + error("invalid_api_key"))));
    }

    /** What a user sent comes back in the answer; it is no proof of anything. */
    static Stream<Arguments> echoes() {
        String sent = "{\"type\": \"insufficient_quota\", \"code\": \"insufficient_quota\","
                + " \"error_code\": \"insufficient_quota\"}";
        String limited = "\"error\": {\"type\": \"rate_limit_error\", \"message\": \"m\"";
        return Stream.of(
                echo("{" + limited + ", \"input\": " + sent + "}}"),
                echo("{" + limited + ", \"input\": [" + sent + "], \"param\": null}}"),
                echo("{" + limited + ", \"input\": {\"error\": " + sent + "}}}"),
                echo("{" + limited + ", \"input\": {\"a\": [{\"details\": " + sent + "}]}}}"),
                echo("{" + limited + "}, \"input\": " + sent + "}"),
                echo("{" + limited + "}, \"input\": {\"error\": " + sent + "}}"),
                echo("{\"input\": {\"error\": " + sent + "}, " + limited + "}}"),
                echo("{\"input\": [\"\\\\\", {\"error\": " + sent + "}], " + limited + "}}"),
                echo("{" + limited + "}} {\"error\": " + sent + "}"),
                echo("[{\"error\": " + sent + "}]"),
                echo("invalid: {\"error\": " + sent + "}"));
    }

    private static Arguments echo(String body) {
        return answer("none", Reply.of(429, body));
    }

    @ParameterizedTest
    @MethodSource("echoes")
    void whatTheCallerSent_isNoCode(String told, Reply reply) {
        everyClient_isUnderstoodAlike(told, reply);
    }

    private static Arguments answer(String told, Reply reply) {
        return Arguments.argumentSet(
                reply.status + " " + reply.headers + " " + reply.body.length() + " bytes: " + told, told, reply);
    }

    @ParameterizedTest
    @MethodSource("answers")
    void everyClient_isUnderstoodAlike(String told, Reply reply) {
        next = reply;
        String expected = told.equals("none") ? "CLOSED" : "OPEN " + told;

        assertThat(afterOneCall(clients))
                .isNotEmpty()
                .allSatisfy((client, state) -> assertThat(state).isEqualTo(expected));
    }

    /** What one call does to a breaker, by client. */
    private static Map<String, String> afterOneCall(Map<String, Client> asked) {
        Map<String, String> states = new LinkedHashMap<>();
        configured().run(application -> {
            CircuitBreakerRegistry breakers = application.getBean(CircuitBreakerRegistry.class);
            for (Map.Entry<String, Client> client : asked.entrySet()) {
                CircuitBreaker breaker = breakers.get("breaker-" + states.size());
                try {
                    Object returned = client.getValue().callOn(breaker);
                    assertThat(returned).isInstanceOf(HttpResponse.class);
                } catch (Exception expected) {
                    assertThat(client.getKey()).doesNotStartWith("HttpClient");
                }
                states.put(
                        client.getKey(),
                        breaker.stats().state()
                                + breaker.lastTransition()
                                        .map(moved -> " " + moved.evidence().rule())
                                        .orElse("")
                                + breaker.timeUntilRetry()
                                        .map(wait -> " " + wait)
                                        .orElse(""));
            }
        });
        return states;
    }

    private static ApplicationContextRunner configured() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        GuardedByAutoConfiguration.class, GuardedByAnswersAutoConfiguration.class))
                .withPropertyValues("guardedby.defaults.recovery-timeout=10s")
                .withBean("guardedByTicker", LongSupplier.class, () -> () -> Long.MAX_VALUE)
                .withBean(
                        CircuitBreakerCustomizer.class,
                        () -> (name, breaker) -> breaker.clock(() -> NOON).maxRecoveryTimeout(Duration.ofMinutes(10)));
    }

    @Test
    void anthropicSpendCap_isInTheDetails() {
        next = Reply.of(
                429,
                "{\"type\": \"error\", \"error\": {\"type\": \"rate_limit_error\", \"message\": \"m\","
                        + " \"details\": {\"error_code\": \"enforced_spend_limit_reached\"}}}");
        Map<String, Client> others = new LinkedHashMap<>(clients);
        others.keySet().removeIf(client -> client.startsWith("OpenAI"));

        assertThat(afterOneCall(others))
                .hasSize(9)
                .allSatisfy((client, state) -> assertThat(state).isEqualTo("OPEN trip-on quota-exhausted PT10S"));
    }

    @Test
    void streamedBody_staysUnread_andTheHeadersCount() {
        next = Reply.of(401, error("invalid_api_key"));
        List<String> read = new ArrayList<>();
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + PATH)).build();
        Map<String, Client> streaming = Map.of("HttpClient", breaker -> {
            var response = breaker.call(() -> HTTP.send(request, BodyHandlers.ofInputStream()));
            read.add(new String(response.body().readAllBytes(), StandardCharsets.UTF_8));
            return response;
        });

        assertThat(afterOneCall(streaming)).containsValue("CLOSED");
        next = Reply.of(503, error("busy"), "Retry-After", "30");
        assertThat(afterOneCall(streaming)).containsValue("OPEN trip-on retry-after PT30S");
        assertThat(read).containsExactly(error("invalid_api_key"), error("busy"));
    }

    @Test
    void goodAnswers_andOrdinaryErrorsThatAreReturned_areSuccesses() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + PATH)).build();
        configured().run(application -> {
            CircuitBreaker breaker =
                    application.getBean(CircuitBreakerRegistry.class).get("llm");
            for (int status : new int[] {200, 204, 301, 404, 500}) {
                next = Reply.of(status, "", "Retry-After", "30");
                CompletableFuture<HttpResponse<String>> response =
                        breaker.callAsync(() -> HTTP.sendAsync(request, BodyHandlers.ofString()));
                assertThat(response.get().statusCode()).isEqualTo(status);
            }
            assertThat(breaker.stats().totalSuccesses()).isEqualTo(5);
        });
    }
}
