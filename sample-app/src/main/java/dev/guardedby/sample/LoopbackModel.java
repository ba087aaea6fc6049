package dev.guardedby.sample;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
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

    private final JsonMapper json = new JsonMapper();
    private final Duration thinkingTime;
    private final HttpServer server;
    private final ScheduledExecutorService threads;
    private final AtomicLong requests = new AtomicLong();
    private volatile Mood mood = Mood.HEALTHY;
    private volatile String lastModel = "";

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

    /** Which model the last request that was answered has named. */
    String lastModel() {
        return lastModel;
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
            case FAILING -> error(500, "The server had an error while processing your request", "server_error");
            case RATE_LIMITED -> error(429, "Rate limit reached for requests", "rate_limit_exceeded");
            case HEALTHY, SLOW -> answer(exchange, body, number);
        };
        Duration delay = today == Mood.SLOW ? SLOW_ANSWER : thinkingTime;
        // Answered by a timer, so that slow answers hold no thread back.
        var unused = threads.schedule(() -> send(exchange, reply), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private Reply answer(HttpExchange exchange, byte[] body, long number) {
        if (!exchange.getRequestMethod().equals("POST")) {
            return error(405, "Only POST is understood here", "invalid_request_error");
        }
        try {
            JsonNode request = json.readTree(body);
            List<String> messages = request.path("messages")
                    .valueStream()
                    .map(message -> message.path("content").asString(""))
                    .toList();
            if (messages.isEmpty()) {
                return error(400, "messages must not be empty", "invalid_request_error");
            }
            lastModel = request.path("model").asString("");
            LoopbackAnswer answer = LoopbackAnswer.to(messages, lastModel, number);
            return request.path("stream").asBoolean(false)
                    ? events(answer.chunks(
                            request.at("/stream_options/include_usage").asBoolean(false)))
                    : new Reply(200, "application/json", List.of(json.writeValueAsString(answer.completion())));
        } catch (JacksonException e) {
            return error(400, "The body is not JSON", "invalid_request_error");
        }
    }

    private Reply error(int status, String message, String code) {
        Map<String, Object> error = Map.of("message", message, "type", code, "code", code);
        return new Reply(status, "application/json", List.of(json.writeValueAsString(Map.of("error", error))));
    }

    private Reply events(List<Map<String, Object>> chunks) {
        Stream<String> events = Stream.concat(chunks.stream().map(json::writeValueAsString), Stream.of("[DONE]"));
        return new Reply(
                200,
                "text/event-stream",
                events.map(event -> "data: " + event + "\n\n").toList());
    }

    private static void send(HttpExchange exchange, Reply reply) {
        try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", reply.contentType());
            if (reply.status() == 429) {
                exchange.getResponseHeaders().set("Retry-After", RETRY_AFTER_SECONDS);
            }
            exchange.sendResponseHeaders(reply.status(), 0); // of a length that is not told
            for (String piece : reply.pieces()) {
                exchange.getResponseBody().write(piece.getBytes(StandardCharsets.UTF_8));
                exchange.getResponseBody().flush();
            }
        } catch (IOException e) {
            // The client gave up waiting, which is what a slow model is for.
        }
    }

    private record Reply(int status, String contentType, List<String> pieces) {}
}
