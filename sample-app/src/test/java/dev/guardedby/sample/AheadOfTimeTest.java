package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The application as the build has processed it ahead of time, in a machine of its own, as a visitor sees it. */
class AheadOfTimeTest {
    private static final Pattern ADDRESS = Pattern.compile("the assistant +(http://localhost:\\d+)/");

    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    private Path folder;

    private Process application;
    private String address;

    @BeforeEach
    void start() throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        application = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Dspring.aot.enabled=true",
                        "-cp",
                        classPath(),
                        SampleApplication.class.getName(),
                        "--server.port=0",
                        "--logging.level.dev.guardedby.sample=info",
                        "--spring.main.log-startup-info=true",
                        "--sample.story=false",
                        "--sample.model.base-url=",
                        "--guardedby.breakers.llm.recovery-timeout=1h")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        address = address(output);
        assertThat(Files.readString(output)).contains("Starting AOT-processed SampleApplication");
    }

    @AfterEach
    void stop() throws InterruptedException {
        application.destroy();
        if (!application.waitFor(30, TimeUnit.SECONDS)) {
            application.destroyForcibly();
        }
    }

    @Test
    void outage_isCutOff_andEverythingTellsOfIt() throws IOException, InterruptedException {
        List<Integer> answers = new ArrayList<>();
        answers.add(get("/ask?q=Why").statusCode());
        post("/model/failing");
        for (int i = 0; i < 4; i++) {
            answers.add(get("/ask?q=Why").statusCode());
        }

        assertThat(answers).containsExactly(200, 502, 502, 502, 503);
        JsonNode breaker =
                new JsonMapper().readTree(get("/actuator/guardedby/llm").body());
        assertThat(breaker.get("state").asString()).isEqualTo("OPEN");
        assertThat(breaker.get("stats").get("totalRejected").asLong()).isEqualTo(1);
        assertThat(breaker.get("stats").get("totalEstimatedCost").decimalValue())
                .isPositive();
        assertThat(breaker.get("settings").get("ignore-exceptions").get("value").toString())
                .isEqualTo("[\"com.openai.errors.BadRequestException\"]");
        assertThat(breaker.at("/budgets/0/spent").decimalValue()).isPositive();
        assertThat(get("/actuator/prometheus").body().lines())
                .contains("guardedby_stats_total_failures{name=\"llm\"} 3.0");
        assertThat(get("/actuator/health").body()).contains("\"guardedBy\":{");
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(address + path)).build());
    }

    private void post(String path) throws IOException, InterruptedException {
        send(HttpRequest.newBuilder(URI.create(address + path))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** Where it answers, as it says itself once it does. */
    private String address(Path output) throws IOException, InterruptedException {
        for (int tenths = 0; tenths < 1200; tenths++) {
            Matcher said = ADDRESS.matcher(Files.readString(output));
            if (said.find()) {
                return said.group(1);
            }
            if (application.waitFor(100, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new AssertionError("it did not start: " + Files.readString(output));
    }

    /** That of an application: without the tests. */
    private static String classPath() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.endsWith("test-classes"))
                .reduce((one, other) -> one + File.pathSeparator + other)
                .orElseThrow();
    }
}
