package dev.guardedby.sample;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A language model's HTTP server on loopback, OpenAI-compatible, that can be told to misbehave. */
final class LoopbackModel implements AutoCloseable {
    /** How the model behaves from now on. */
    enum Mood {
        /** Every request is answered. */
        HEALTHY,
        /** Every request gets 500. */
        FAILING,
        /** Every request is answered, long after the client gave up. */
        SLOW,
        /** Every request gets 429 with {@code Retry-After}. */
        RATE_LIMITED;

        static Optional<Mood> named(String text) {
            return Arrays.stream(values())
                    .filter(mood -> mood.toString().equals(text))
                    .findFirst();
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final Duration SLOW_ANSWER = Duration.ofSeconds(5);
    private static final String RETRY_AFTER_SECONDS = "2";
    /** What a chat costs beside its texts: a few tokens a message, a few to begin the answer. */
    private static final int TOKENS_A_MESSAGE = 3;

    private static final Map<String, String> KNOWLEDGE = Map.of(
            "circuit breaker", "It stops calling what keeps failing, for a while.",
            "half-open", "One call goes ahead to see whether the others may follow.",
            "token", "What a model reads and writes, and what its bill is made of.");

    private static final String NO_IDEA = "Good question, but I only know circuit breakers, half-open and tokens.";

    private final JsonMapper json = new JsonMapper();
    private final Duration thinkingTime;
    private final HttpServer server;
    private final ScheduledExecutorService threads;
    private final AtomicLong requests = new AtomicLong();
    private volatile Mood mood = Mood.HEALTHY;

    /** Starts the server on a free port. */
    LoopbackModel(Duration thinkingTime) {
        this.thinkingTime = thinkingTime;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException("the model on loopback found no free port", e);
        }
        threads = Executors.newScheduledThreadPool(4, task -> {
            Thread thread = new Thread(task, "loopback-model");
            thread.setDaemon(true);
            return thread;
        });
        server.setExecutor(threads);
        server.createContext("/v1/chat/completions", this::serve);
        server.start();
    }

    URI baseUrl() {
        InetSocketAddress address = server.getAddress();
        return URI.create("http://" + address.getAddress().getHostAddress() + ":" + address.getPort() + "/v1");
    }

    Mood mood() {
        return mood;
    }

    void become(Mood mood) {
        this.mood = mood;
    }

    /** How many requests have reached the model. */
    long requests() {
        return requests.get();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void serve(HttpExchange exchange) throws IOException {
        Mood today = mood;
        long number = requests.incrementAndGet();
        byte[] body = exchange.getRequestBody().readAllBytes();
        Reply reply = switch (today) {
            case FAILING -> Reply.error(500, "The server had an error while processing your request", "server_error");
            case RATE_LIMITED -> Reply.error(429, "Rate limit reached for requests", "rate_limit_exceeded");
            case HEALTHY, SLOW -> answer(exchange, body, number);
        };
        Duration delay = today == Mood.SLOW ? SLOW_ANSWER : thinkingTime;
        // Answered by a timer, so that slow answers hold no thread back.
        var unused = threads.schedule(() -> send(exchange, reply), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private Reply answer(HttpExchange exchange, byte[] body, long number) {
        if (!exchange.getRequestMethod().equals("POST")) {
            return Reply.error(405, "Only POST is understood here", "invalid_request_error");
        }
        try {
            JsonNode request = json.readTree(body);
            List<String> messages = request.path("messages")
                    .valueStream()
                    .map(message -> message.path("content").asString(""))
                    .toList();
            if (messages.isEmpty()) {
                return Reply.error(400, "messages must not be empty", "invalid_request_error");
            }
            return new Reply(200, completion(request.path("model").asString(""), messages, number));
        } catch (JacksonException e) {
            return Reply.error(400, "The body is not JSON", "invalid_request_error");
        }
    }

    private static Map<String, Object> completion(String model, List<String> messages, long number) {
        String text = answerTo(messages.get(messages.size() - 1).toLowerCase(Locale.ROOT));
        int promptTokens = TOKENS_A_MESSAGE
                + messages.stream()
                        .mapToInt(message -> TOKENS_A_MESSAGE + tokens(message))
                        .sum();
        int completionTokens = tokens(text);
        return Map.of(
                "id",
                "chatcmpl-" + number,
                "object",
                "chat.completion",
                "created",
                Instant.now().getEpochSecond(),
                "model",
                model,
                "choices",
                List.of(Map.of(
                        "index", 0, "message", Map.of("role", "assistant", "content", text), "finish_reason", "stop")),
                "usage",
                Map.of(
                        "prompt_tokens",
                        promptTokens,
                        "completion_tokens",
                        completionTokens,
                        "total_tokens",
                        promptTokens + completionTokens,
                        "prompt_tokens_details",
                        Map.of("cached_tokens", 0),
                        "completion_tokens_details",
                        Map.of("reasoning_tokens", 0)));
    }

    private static String answerTo(String question) {
        return KNOWLEDGE.entrySet().stream()
                .filter(known -> question.contains(known.getKey()))
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(NO_IDEA);
    }

    /** The tokens of a text: one for every four letters begun, which is about right for English. */
    private static int tokens(String text) {
        return (text.length() + 3) / 4;
    }

    private void send(HttpExchange exchange, Reply reply) {
        try (exchange) {
            byte[] body = json.writeValueAsBytes(reply.body());
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            if (reply.status() == 429) {
                exchange.getResponseHeaders().set("Retry-After", RETRY_AFTER_SECONDS);
            }
            exchange.sendResponseHeaders(reply.status(), body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException e) {
            // The client gave up waiting, which is what a slow model is for.
        }
    }

    private record Reply(int status, Map<String, Object> body) {
        static Reply error(int status, String message, String code) {
            return new Reply(status, Map.of("error", Map.of("message", message, "type", code, "code", code)));
        }
    }
}
