package dev.guardedby.spring.models;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.json.JsonParserFactory;

/** A remote that speaks as OpenAI's does: answers requests in turn as it was told to, the last answer again and again. */
final class OpenAiScript implements AutoCloseable {
    /** An answer that breaks off, as when the connection is lost. */
    static final String BROKEN_OFF = "BROKEN OFF";

    /** An answer that is an error of the server. */
    static final String FAILURE = "FAILURE";

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final ConcurrentLinkedQueue<String> answers = new ConcurrentLinkedQueue<>();
    private final List<Map<String, Object>> requests = new CopyOnWriteArrayList<>();
    private volatile String last = FAILURE;
    private volatile Runnable atEach = () -> {};

    OpenAiScript() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    /** From now on it answers like this. */
    OpenAiScript answers(String... next) {
        answers.clear();
        answers.addAll(List.of(next));
        return this;
    }

    /** Does something at each request, before it is answered. */
    void atEach(Runnable action) {
        atEach = action;
    }

    /** What was asked so far. */
    List<Map<String, Object>> requests() {
        return requests;
    }

    /** Which models were asked so far. */
    List<Object> models() {
        return requests.stream().map(request -> request.get("model")).toList();
    }

    String url() {
        return "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                + server.getAddress().getPort();
    }

    OpenAIClient client() {
        return OpenAIOkHttpClient.builder()
                .baseUrl(url())
                .apiKey("key")
                .maxRetries(0)
                .build();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Map<String, Object> request = JsonParserFactory.getJsonParser()
                    .parseMap(new String(exchange.getRequestBody().readAllBytes(), UTF_8));
            requests.add(request);
            atEach.run();
            String next = next().replace("$model", String.valueOf(request.get("model")));
            if (next.equals(FAILURE)) {
                exchange.sendResponseHeaders(500, -1);
                return;
            }
            boolean stream = next.startsWith("data:");
            exchange.getResponseHeaders().set("Content-Type", stream ? "text/event-stream" : "application/json");
            byte[] body = next.replace(BROKEN_OFF, "").getBytes(UTF_8);
            // One byte more than ever comes.
            exchange.sendResponseHeaders(200, next.endsWith(BROKEN_OFF) ? body.length + 1 : body.length);
            exchange.getResponseBody().write(body);
            exchange.getResponseBody().flush();
        }
    }

    private String next() {
        String next = answers.poll();
        if (next != null) {
            last = next;
        }
        return last;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    /** An answer in one piece. */
    static String text(String text, int input, int cached, int output) {
        return completion("{\"role\":\"assistant\",\"content\":\"" + text + "\",\"refusal\":null}", "stop")
                + ",\"usage\":" + usage(input, cached, output) + "}";
    }

    /** An answer that asks for a tool. */
    static String tool(String name, String argument, int input, int cached, int output) {
        return completion(
                        "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"tool_calls\":["
                                + call(name, argument) + "]}",
                        "tool_calls")
                + ",\"usage\":" + usage(input, cached, output) + "}";
    }

    /** An answer in pieces, with the usage at its end. */
    static String stream(List<String> texts, int input, int cached, int output) {
        return pieces(texts) + finish("stop") + event(null, usage(input, cached, output)) + "data: [DONE]\n\n";
    }

    /** An answer in pieces that never tells the usage. */
    static String streamWithoutUsage(List<String> texts) {
        return pieces(texts) + finish("stop") + "data: [DONE]\n\n";
    }

    /** An answer in pieces that breaks off after them. */
    static String streamBrokenOff(List<String> texts) {
        return pieces(texts) + BROKEN_OFF;
    }

    /** An answer in pieces that asks for a tool. */
    static String toolStream(String name, String argument, int input, int cached, int output) {
        String call = "{\"index\":0," + call(name, argument).substring(1);
        return event("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" + call + "]}", null)
                + finish("tool_calls")
                + event(null, usage(input, cached, output))
                + "data: [DONE]\n\n";
    }

    private static String pieces(List<String> texts) {
        StringBuilder events = new StringBuilder();
        texts.forEach(text -> events.append(event("{\"role\":\"assistant\",\"content\":\"" + text + "\"}", null)));
        return events.toString();
    }

    private static String finish(String reason) {
        return "data: " + head("chat.completion.chunk") + "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\""
                + reason + "\"}]}\n\n";
    }

    private static String event(@Nullable String delta, @Nullable String usage) {
        return "data: " + head("chat.completion.chunk") + "\"choices\":["
                + (delta == null ? "" : "{\"index\":0,\"delta\":" + delta + ",\"finish_reason\":null}") + "]"
                + (usage == null ? "" : ",\"usage\":" + usage) + "}\n\n";
    }

    private static String completion(String message, String finish) {
        return head("chat.completion") + "\"choices\":[{\"index\":0,\"message\":" + message
                + ",\"logprobs\":null,\"finish_reason\":\"" + finish + "\"}]";
    }

    private static String head(String object) {
        return "{\"id\":\"chatcmpl-1\",\"object\":\"" + object + "\",\"created\":1,\"model\":\"$model\",";
    }

    private static String call(String name, String argument) {
        return "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"" + name
                + "\",\"arguments\":\"{\\\"city\\\":\\\"" + argument + "\\\"}\"}}";
    }

    private static String usage(int input, int cached, int output) {
        return "{\"prompt_tokens\":" + input + ",\"completion_tokens\":" + output + ",\"total_tokens\":"
                + (input + output) + ",\"prompt_tokens_details\":{\"cached_tokens\":" + cached + "}}";
    }
}
