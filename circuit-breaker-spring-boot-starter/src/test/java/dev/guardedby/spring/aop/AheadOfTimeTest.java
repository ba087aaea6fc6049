package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplicationAotProcessor;
import org.springframework.context.ConfigurableApplicationContext;

/** The same application as always, and processed ahead of time, as {@code process-aot} does it, in a machine of its own. */
final class AheadOfTimeTest {
    private static final List<String> STORY = List.of(
            "because",
            "0 in, 0 out, 0.07 usd",
            "Ignored",
            "later",
            "canned for down",
            "canned for down",
            "refused by llm",
            "CallNotPermittedException",
            "2 ok, 2 failed, 1 ignored, 2 refused, open");

    @TempDir
    private Path generated;

    @Test
    void everythingThatAGuardCanBeTold_worksTheSame() throws IOException, InterruptedException {
        List<String> story = new ArrayList<>(List.of("class proxy true"));
        story.addAll(STORY);
        story.addAll(
                List.of("interface proxy false", "from the vault", "0 ok, 1 failed, 0 ignored, 0 refused, closed"));

        assertThat(asAlways()).isEqualTo(story);
        process();
        assertThat(story(aheadOfTime())).isEqualTo(story);
    }

    @Test
    void proxiesOfInterfaces_withoutTheAdvisorsOfAspectJ_workTheSame() throws IOException, InterruptedException {
        String[] settings = {"--spring.aop.auto=false", "--spring.aop.proxy-target-class=false"};
        List<String> story = new ArrayList<>(List.of("class proxy true"));
        story.addAll(STORY);
        story.addAll(List.of("interface proxy true", "from the vault", "0 ok, 1 failed, 0 ignored, 0 refused, closed"));

        assertThat(asAlways(settings)).isEqualTo(story);
        process(settings);
        assertThat(story(aheadOfTime(settings))).isEqualTo(story);
    }

    @Test
    void guardThatCannotWork_stopsTheStartInTheSameWords() throws IOException, InterruptedException {
        String said =
                "The fallback 'nowhere' of dev.guardedby.spring.aop.AheadOfTimeApplication.Misguided.ask() does not exist";

        assertThatThrownBy(() -> asAlways("--misguided=true")).hasMessageContaining(said);
        process("--misguided=true");
        assertThat(aheadOfTime()).contains("Description:\n\n" + said).doesNotContain(AheadOfTimeApplication.MARK);
    }

    private static List<String> asAlways(String... settings) {
        try (ConfigurableApplicationContext context = AheadOfTimeApplication.run(settings)) {
            return AheadOfTimeApplication.story(context);
        }
    }

    /** What the goal {@code process-aot} of Spring Boot's Maven plugin does: sources are generated, and compiled beside the classes. */
    private void process(String... settings) throws IOException, InterruptedException {
        Path sources = generated.resolve("sources");
        List<String> processor = new ArrayList<>(List.of(
                AheadOfTimeApplication.class.getName(),
                sources.toString(),
                generated.resolve("resources").toString(),
                generated.resolve("classes").toString(),
                "dev.guardedby",
                "ahead-of-time"));
        processor.addAll(List.of(settings));
        String said = java(classPath(), null, SpringApplicationAotProcessor.class.getName(), processor);
        assertThat(sources).as(said).isDirectory();
        List<String> compiler = new ArrayList<>(List.of(
                "-nowarn", "-proc:none", "-d", generated.resolve("classes").toString(), "-cp", classPath()));
        try (Stream<Path> all = Files.walk(sources)) {
            all.map(Path::toString).filter(file -> file.endsWith(".java")).forEach(compiler::add);
        }
        assertThat(ToolProvider.getSystemJavaCompiler().run(null, null, null, compiler.toArray(String[]::new)))
                .isZero();
    }

    private String aheadOfTime(String... settings) throws IOException, InterruptedException {
        String classPath = Stream.of("classes", "resources")
                        .map(folder -> generated.resolve(folder) + File.pathSeparator)
                        .reduce("", String::concat)
                + classPath();
        return java(classPath, "-Dspring.aot.enabled=true", AheadOfTimeApplication.class.getName(), List.of(settings));
    }

    private static List<String> story(String output) {
        assertThat(output).contains("Starting AOT-processed AheadOfTimeApplication");
        return output.lines()
                .filter(line -> line.startsWith(AheadOfTimeApplication.MARK))
                .map(line -> line.substring(AheadOfTimeApplication.MARK.length()))
                .toList();
    }

    /** Runs a main class to its end, and says all that it printed. */
    private String java(String classPath, @Nullable String option, String main, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath));
        if (option != null) {
            command.add(option);
        }
        command.add(main);
        command.addAll(arguments);
        Path output = generated.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError(main + " did not end: " + Files.readString(output));
        }
        return Files.readString(output);
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }
}
