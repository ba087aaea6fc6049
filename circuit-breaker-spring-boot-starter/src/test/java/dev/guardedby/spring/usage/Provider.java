package dev.guardedby.spring.usage;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;

/** A remote that answers each request with one of the payloads beside this class, and clients of it. */
final class Provider implements AutoCloseable {
    private final HttpServer server;
    private volatile String next = "";

    Provider() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** From now on it answers with this payload; one whose name ends in {@code .txt} is a stream. */
    void answers(String payload) {
        next = payload;
    }

    String url() {
        return "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort();
    }

    OpenAIClient openAi() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(url() + "/v1")
                .apiKey("key")
                .maxRetries(0)
                .build();
    }

    AnthropicClient anthropic() {
        return AnthropicOkHttpClient.builder()
                .baseUrl(url())
                .apiKey("key")
                .maxRetries(0)
                .build();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders()
                    .set("Content-Type", next.endsWith(".txt") ? "text/event-stream" : "application/json");
            byte[] body = payload();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private byte[] payload() throws IOException {
        try (InputStream file = Objects.requireNonNull(Provider.class.getResourceAsStream(next), next)) {
            return file.readAllBytes();
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
