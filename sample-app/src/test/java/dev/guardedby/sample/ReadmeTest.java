package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.ConfigDataApplicationContextInitializer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Nothing in README.md is only written: each block is compiled, started, sent or compared with what the sample says. */
@ExtendWith(OutputCaptureExtension.class)
class ReadmeTest {
    private static final String KOTLIN =
            "circuit-breaker-kotlin-tests/src/test/kotlin/dev/guardedby/spring/kotlin/KotlinReadmeTest.kt";
    private static final Readme README = new Readme();
    private static final JsonMapper JSON = new JsonMapper();
    private static final Path CORE = Path.of("circuit-breaker-core/src/main/java/dev/guardedby/circuitbreaker");

    private static ConfigurableApplicationContext sample;
    private static Visitor visitor;
    private static Set<String> told;
    private static String lastAnswer = "";

    @BeforeAll
    static void tellTheStory(CapturedOutput output) throws Exception {
        sample = new SpringApplicationBuilder(SampleApplication.class, FakeTicker.Config.class, FakePace.Config.class)
                .run("--server.port=0", "--sample.model.base-url=", "--sample.model.patience=30s");
        sample.getBean(Story.class).told().get(30, TimeUnit.SECONDS);
        visitor = new Visitor(sample.getEnvironment().getRequiredProperty("local.server.port"));
        String metrics =
                visitor.send("curl http://localhost:8080/actuator/prometheus").body();
        told = Stream.concat(output.getOut().lines(), metrics.lines())
                .map(ReadmeTest::withoutNumbers)
                .collect(Collectors.toSet());
    }

    @AfterAll
    static void stop() {
        sample.close();
    }

    /** In the order of the README, because a visitor's commands build on each other. */
    @TestFactory
    Stream<DynamicTest> everyBlock_isTrue(@TempDir Path directory) {
        return README.blocks().stream()
                .map(block -> DynamicTest.dynamicTest(block.toString(), () -> check(block, directory)));
    }

    /** The examples in the Javadoc of what users of the core begin with. */
    @TestFactory
    Stream<DynamicTest> everyExampleOfTheCore_runs(@TempDir Path directory) {
        List<Path> sources = List.of(CORE.resolve("CircuitBreaker.java"), CORE.resolve("Permit.java"));
        return sources.stream()
                .map(source -> DynamicTest.dynamicTest(source.getFileName().toString(), () -> {
                    Readme.Block example = example(source);
                    new Snippet(example, Files.createDirectory(directory.resolve("java" + example.line()))).check();
                }));
    }

    private static Readme.Block example(Path source) throws IOException {
        List<String> lines = Files.readAllLines(Readme.ROOT.resolve(source));
        int first = lines.indexOf(" * <pre>{@code") + 1;
        String text = lines.subList(first, lines.indexOf(" * }</pre>")).stream()
                .map(line -> line.substring(2) + "\n")
                .collect(Collectors.joining());
        return new Readme.Block(first, "java", text);
    }

    private static void check(Readme.Block block, Path directory) throws Exception {
        switch (block.language()) {
            case "java" -> new Snippet(block, Files.createDirectory(directory.resolve("java" + block.line()))).check();
            // No Kotlin is compiled here; there it is, and run.
            case "kotlin" ->
                assertThat(read(KOTLIN).lines().map(String::strip).collect(Collectors.joining("\n")))
                        .contains(block.text().lines().map(String::strip).collect(Collectors.joining("\n")));
            case "yaml" -> starts(block, directory.resolve("application" + block.line() + ".yml"));
            case "sh" -> {
                for (String command : block.lines()) {
                    works(command);
                }
            }
            case "json" -> hasTheShapeOfTheLastAnswer(block);
            case "text" ->
                assertThat(block.lines())
                        .filteredOn(line -> !told.contains(withoutNumbers(line)))
                        .isEmpty();
            case "xml" -> isTheStarter(block);
            default -> throw new AssertionError("README.md, " + block + ": no test knows this language");
        }
    }

    private static void starts(Readme.Block block, Path file) throws Exception {
        Files.writeString(file, block.text());
        String wanted = block.text();
        configured()
                .withInitializer(new ConfigDataApplicationContextInitializer())
                .withSystemProperties("spring.config.location=" + file)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(ConfiguredBreakers.class).names())
                            .isNotEmpty()
                            .allSatisfy(name -> {
                                assertThat(wanted).contains("    " + name + ":");
                                assertThat(context.getBean(CircuitBreakerRegistry.class)
                                                .find(name))
                                        .isPresent();
                            });
                });
    }

    private static void works(String command) throws Exception {
        if (command.startsWith("curl ")) {
            HttpResponse<String> answer = visitor.send(command);
            assertThat(answer.statusCode()).as(command + ": " + answer.body()).isNotIn(400, 404, 405, 415);
            lastAnswer = answer.body();
        } else if (command.equals("mvn verify")) {
            assertThat(read(".ci/run").lines()).anyMatch(line -> line.matches("mvn( -[\\w-]+)* verify"));
        } else if (command.equals("mvn -pl sample-app -am spring-boot:run")) {
            assertThat(read("pom.xml"))
                    .contains("<module>sample-app</module>")
                    .contains("<spring-boot.run.skip>true</spring-boot.run.skip>");
            assertThat(read("sample-app/pom.xml"))
                    .contains("<artifactId>spring-boot-maven-plugin</artifactId>")
                    .contains("<spring-boot.run.skip>false</spring-boot.run.skip>");
        } else {
            throw new AssertionError("README.md: no test knows the command " + command);
        }
    }

    private static void hasTheShapeOfTheLastAnswer(Readme.Block block) {
        assertThat(shape("", JSON.readTree(block.text()))).isEqualTo(shape("", JSON.readTree(lastAnswer)));
    }

    private static void isTheStarter(Readme.Block block) throws Exception {
        Element written = xml(block.text());
        Element pom = xml(read("circuit-breaker-spring-boot-starter/pom.xml"));
        Element parent = (Element) pom.getElementsByTagName("parent").item(0);
        assertThat(text(written, "artifactId")).isEqualTo("circuit-breaker-spring-boot-starter");
        assertThat(text(written, "groupId")).isEqualTo(text(parent, "groupId"));
        assertThat(text(written, "version")).isEqualTo(text(parent, "version"));
        assertThat(read("circuit-breaker-spring-boot-starter/pom.xml"))
                .contains("<artifactId>" + text(written, "artifactId") + "</artifactId>");
    }

    @Test
    void metricsTables_nameEveryMeterAndItsTags() throws Exception {
        Map<String, Set<String>> written = new TreeMap<>();
        for (List<String> row : README.table("gauge", "it shows")) {
            for (String meter : row.get(0).split(", ", -1)) {
                written.put(meter, Set.of("name"));
            }
        }
        for (List<String> row : README.table("meter", "tags")) {
            Set<String> tags = new TreeSet<>(Set.of("name"));
            Arrays.stream(row.get(1).split(", ", -1))
                    .filter(tag -> !tag.isEmpty())
                    .forEach(tags::add);
            written.put(row.get(0), tags);
        }
        Map<String, Set<String>> live = new TreeMap<>();
        for (JsonNode name : metrics("").get("names")) {
            if (name.asString().startsWith("guardedby.")) {
                Set<String> tags = new TreeSet<>();
                metrics("/" + name.asString())
                        .get("availableTags")
                        .forEach(tag -> tags.add(tag.get("tag").asString()));
                live.put(name.asString(), tags);
            }
        }

        assertThat(live).isEqualTo(written);
    }

    private static JsonNode metrics(String path) throws Exception {
        return JSON.readTree(visitor.send("curl http://localhost:8080/actuator/metrics" + path)
                .body());
    }

    private static ApplicationContextRunner configured() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(GuardedByAutoConfiguration.class));
    }

    /** Every path of a document with the kind of its value; of a list, the kinds of its items. */
    private static Set<String> shape(String path, JsonNode node) {
        Set<String> shape = new TreeSet<>();
        if (node.isObject()) {
            node.properties().forEach(field -> shape.addAll(shape(path + "/" + field.getKey(), field.getValue())));
        } else if (node.isArray()) {
            node.forEach(item -> shape.addAll(shape(path + "/*", item)));
        }
        shape.add(path + " " + node.getNodeType());
        return shape;
    }

    /** A line in which only the words count: times and amounts differ from run to run. */
    private static String withoutNumbers(String line) {
        return line.strip()
                .replaceAll("\\d[\\d.,]*(E-?\\d+)?", "#")
                .replaceAll("(# (h|min) )?# (us|ms|s|min)\\b", "# time")
                .replaceAll("\\s+", " ");
    }

    private static String read(String file) {
        try {
            return Files.readString(Readme.ROOT.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Element xml(String text) throws Exception {
        return DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(text)))
                .getDocumentElement();
    }

    private static String text(Element element, String child) {
        return element.getElementsByTagName(child).item(0).getTextContent();
    }
}
