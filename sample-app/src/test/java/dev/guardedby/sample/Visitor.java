package dev.guardedby.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Pattern;

/** Sends the README's curl lines to the application under test. */
final class Visitor {
    private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

    private final HttpClient http = HttpClient.newHttpClient();
    private final String port;

    Visitor(String port) {
        this.port = port;
    }

    HttpResponse<String> send(String curl) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder();
        String method = "GET";
        HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.noBody();
        Deque<String> words = words(curl);
        words.remove(); // curl itself
        while (!words.isEmpty()) {
            String word = words.remove();
            switch (word) {
                case "-X" -> method = words.remove();
                case "-H" -> {
                    String[] header = words.remove().split(": ", 2);
                    request.header(header[0], header[1]);
                }
                case "-d" -> body = HttpRequest.BodyPublishers.ofString(words.remove());
                default -> request.uri(URI.create(word.replace("localhost:8080", "localhost:" + port)));
            }
        }
        return http.send(request.method(method, body).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static Deque<String> words(String line) {
        Deque<String> words = new ArrayDeque<>();
        WORD.matcher(line).results().forEach(word -> words.add(word.group(1) != null ? word.group(1) : word.group(2)));
        return words;
    }
}
