package dev.guardedby.spring.models;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A remote that answers as OpenAI's does, each request with the next line of a script, and clients of it. */
final class ScriptedModel implements AutoCloseable {
    private final HttpServer server;
    private final Queue<String> script = new ConcurrentLinkedQueue<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    ScriptedModel() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    ScriptedModel answers(String... lines) {
        script.addAll(List.of(lines));
        return this;
    }

    /** The bodies of all requests so far. */
    List<String> requests() {
        return requests;
    }

    /** The models that were asked for, one a request. */
    List<String> models() {
        return requests.stream()
                .map(body -> body.replaceAll("(?s).*\"model\"\\s*:\\s*\"([^\"]*)\".*", "$1"))
                .toList();
    }

    OpenAiChatModel.OpenAiChatModelBuilder model(String name) {
        return OpenAiChatModel.builder()
                .baseUrl(url())
                .apiKey("key")
                .modelName(name)
                .maxTokens(100)
                .maxRetries(0);
    }

    OpenAiStreamingChatModel.OpenAiStreamingChatModelBuilder streaming(String name) {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(url())
                .apiKey("key")
                .modelName(name)
                .maxTokens(100);
    }

    private String url() {
        return "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort() + "/v1";
    }

    /** An answer in words. */
    static String says(String text, String usage) {
        return completion("{ \"role\": \"assistant\", \"content\": \"" + text + "\" }", "stop", usage);
    }

    /** An answer that asks for the tool {@code weather}. */
    static String asksForTool(String usage) {
        return completion(
                "{ \"role\": \"assistant\", \"content\": null, \"tool_calls\": [" + toolCall("") + "] }",
                "tool_calls",
                usage);
    }

    private static String toolCall(String index) {
        return "{ " + index + "\"id\": \"call_1\", \"type\": \"function\", \"function\":"
                + " { \"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Oslo\\\"}\" } }";
    }

    private static String completion(String message, String finish, String usage) {
        return """
                { "id": "chatcmpl-1", "object": "chat.completion", "created": 1741570283, "model": "gpt-4o-2024-08-06",
                  "choices": [ { "index": 0, "message": %s, "finish_reason": "%s" } ]%s }
                """.formatted(message, finish, usage);
    }

    /** What was used, and how much of what was sent came from the cache. */
    static String used(int sent, int cached, int received) {
        return """
                , "usage": { "prompt_tokens": %d, "completion_tokens": %d, "total_tokens": %d,
                  "prompt_tokens_details": { "cached_tokens": %d } }""".formatted(sent, received, sent + received, cached);
    }

    /** A stream of words, and what was used at its end; null to leave that out. */
    static String streams(@Nullable String usage, String... words) {
        StringBuilder events = new StringBuilder();
        for (String word : words) {
            events.append(chunk("{ \"content\": \"" + word + "\" }", null, ""));
        }
        return events + chunk("{}", "stop", "") + end(usage);
    }

    /** A stream that asks for the tool {@code weather}. */
    static String streamsTool(String usage) {
        return chunk("{ \"tool_calls\": [" + toolCall("\"index\": 0, ") + "] }", null, "")
                + chunk("{}", "tool_calls", "")
                + end(usage);
    }

    private static String end(@Nullable String usage) {
        return (usage == null ? "" : event("[]", usage)) + "data: [DONE]\n\n";
    }

    private static String chunk(String delta, @Nullable String finish, String usage) {
        String reason = finish == null ? "null" : "\"" + finish + "\"";
        return event("[ { \"index\": 0, \"delta\": " + delta + ", \"finish_reason\": " + reason + " } ]", usage);
    }

    private static String event(String choices, String usage) {
        String data = "{ \"id\": \"chatcmpl-1\", \"object\": \"chat.completion.chunk\", \"created\": 1741570283,"
                + " \"model\": \"gpt-4o-2024-08-06\", \"choices\": " + choices + usage + " }";
        return "data: " + data.replace("\n", "") + "\n\n";
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            String next = script.poll();
            boolean streams = next != null && next.startsWith("data:");
            exchange.getResponseHeaders().set("Content-Type", streams ? "text/event-stream" : "application/json");
            byte[] body = (next == null ? "{}" : next).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(next == null ? 500 : 200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
