package dev.guardedby.consumers.ai;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Objects;

/** A remote that answers every request with one payload; one whose name ends in {@code .txt} is a stream. */
final class Remote implements AutoCloseable {
    private final HttpServer server;
    private final String payload;

    private Remote(HttpServer server, String payload) {
        this.server = server;
        this.payload = payload;
    }

    static Remote answering(String payload) {
        try {
            Remote remote = new Remote(
                    HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0), payload);
            remote.server.createContext("/", remote::answer);
            remote.server.start();
            return remote;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange;
                InputStream file = Objects.requireNonNull(Remote.class.getResourceAsStream("/" + payload), payload)) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders()
                    .set("Content-Type", payload.endsWith(".txt") ? "text/event-stream" : "application/json");
            byte[] body = file.readAllBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
