package dev.guardedby.consumers;

import com.jayway.jsonpath.JsonPath;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** The application, started, with what it answers over HTTP. */
final class Running implements AutoCloseable {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final ConfigurableApplicationContext context;

    private Running(ConfigurableApplicationContext context) {
        this.context = context;
    }

    static Running start(String... arguments) {
        return new Running(SpringApplication.run(Application.class, arguments));
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    String get(String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = HTTP.send(request(path), BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(path + " answered " + answer.statusCode() + ": " + answer.body());
        }
        return answer.body();
    }

    CompletableFuture<String> ask(String question) {
        return HTTP.sendAsync(request("/ask?q=" + question), BodyHandlers.ofString())
                .thenApply(HttpResponse::body);
    }

    /** What a JSON document has at a path. */
    <T> T read(String path, String place) throws IOException, InterruptedException {
        return JsonPath.read(get(path), place);
    }

    private HttpRequest request(String path) {
        String port = context.getEnvironment().getRequiredProperty("local.server.port");
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .build();
    }

    @Override
    public void close() {
        context.close();
    }
}
