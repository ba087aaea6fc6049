package dev.guardedby.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import javax.tools.ToolProvider;
import org.springframework.util.StringUtils;

/**
 * Measures what the starter adds to the start of an application: the same one with the starter's jars and without, in turn,
 * each time in a machine of its own.
 *
 * <p>The wall clock is what people wait for. On a busy machine it says more about the neighbours, so the time that the main
 * thread computed stands beside it: on an idle machine both differ by little more than the start of the machine itself.
 */
final class Startup {
    /** Everything that an application gets with the starter, and would not have without. */
    private static final List<String> STARTER = List.of("circuit-breaker-", "aspectjweaver-");

    /** An application: so many beans with so many methods each, all guarded; one breaker a bean, or one a method. */
    private record Application(String name, int beans, int methods, boolean breakerEach, int heldTo) {}

    private static final List<Application> APPLICATIONS = List.of(
            new Application("1 guarded method", 1, 1, false, 60),
            new Application("500 guarded methods, 50 breakers", 50, 10, false, 300),
            new Application("500 guarded methods, 500 breakers", 50, 10, true, 0));

    /** One start: milliseconds by the wall clock, and of the main thread's own time. */
    private record Start(double wall, double cpu) {}

    private record Pair(Start with, Start without) {}

    private final Path folder = Files.createTempDirectory("startup");
    private final String classPath = System.getProperty("java.class.path");

    private Startup() throws IOException {}

    /**
     * Writes the document.
     *
     * @param args the document, and the number of rounds
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path document = Path.of(args[0]);
        int rounds = Integer.parseInt(args[1]);
        Check.that(rounds >= 1, "startup.rounds must be at least 1, but was " + rounds);
        String tables = new Startup().measure(rounds);
        System.out.println(tables);
        Report.replaceGenerated(document, document, tables);
    }

    private String measure(int rounds) throws IOException, InterruptedException {
        Map<Application, List<Pair>> measured = new LinkedHashMap<>();
        for (Application application : APPLICATIONS) {
            write(application);
            measured.put(application, new ArrayList<>());
        }
        List<Application> order = new ArrayList<>(APPLICATIONS);
        // The first round warms the caches of the operating system and does not count.
        for (int round = 0; round <= rounds; round++) {
            for (Application application : order) {
                Pair pair = pair(application, round % 2 == 0);
                if (round > 0) {
                    measured.computeIfAbsent(application, missing -> new ArrayList<>())
                            .add(pair);
                }
            }
            Collections.reverse(order);
            System.out.println("round " + round + " of " + rounds);
        }
        return report(measured, rounds);
    }

    /** Starts it both ways; which of them comes first changes with each round. */
    private Pair pair(Application application, boolean starterFirst) throws IOException, InterruptedException {
        Start one = start(application, starterFirst);
        Start other = start(application, !starterFirst);
        return starterFirst ? new Pair(one, other) : new Pair(other, one);
    }

    private Start start(Application application, boolean starter) throws IOException, InterruptedException {
        List<String> entries = new ArrayList<>(List.of(classes(application).toString()));
        for (String entry : StringUtils.delimitedListToStringArray(classPath, File.pathSeparator)) {
            if (!entry.contains("resilience4j") && (starter || !isOfStarter(entry))) {
                entries.add(entry);
            }
        }
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        String.join(File.pathSeparator, entries),
                        StartedApplication.class.getName(),
                        "--server.port=0",
                        "--spring.main.banner-mode=off",
                        "--management.endpoints.web.exposure.include=health,prometheus,guardedby")
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        int status = process.waitFor();
        String said = Files.readString(output);
        String[] figures = said.lines()
                .filter(line -> line.startsWith(StartedApplication.MARK))
                .map(line ->
                        StringUtils.delimitedListToStringArray(line.substring(StartedApplication.MARK.length()), " "))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("it ended with " + status + ": " + said));
        int proxies = Integer.parseInt(figures[2]);
        Check.that(
                proxies == (starter ? application.beans : 0),
                proxies + " beans of '" + application.name + "' are guarded, with the starter: " + starter);
        return new Start(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
    }

    /** Whether it is one of the jars, or where the reactor has their classes; those of this module stay. */
    private static boolean isOfStarter(String entry) {
        return !entry.contains("circuit-breaker-benchmarks") && STARTER.stream().anyMatch(entry::contains);
    }

    private Path classes(Application application) {
        return folder.resolve(Integer.toString(APPLICATIONS.indexOf(application)));
    }

    private void write(Application application) throws IOException {
        Path classes = classes(application);
        Path sources = Files.createDirectories(classes.resolve("startup"));
        List<String> compiler = new ArrayList<>(
                List.of("-parameters", "-proc:none", "-nowarn", "-cp", classPath, "-d", classes.toString()));
        for (int i = 0; i < application.beans; i++) {
            Path source = sources.resolve("Remote" + i + ".java");
            Files.writeString(source, source(application, i));
            compiler.add(source.toString());
        }
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, compiler.toArray(String[]::new));
        Check.that(status == 0, "the beans of '" + application.name + "' compile");
    }

    /** A bean; the first of its methods has a fallback and a cost, as about one in ten may have. */
    private static String source(Application application, int number) {
        StringBuilder source = new StringBuilder("package startup;\n\n"
                + "@org.springframework.stereotype.Service\npublic class Remote" + number + " {\n"
                + "    private String canned(String question, Throwable failure) {\n"
                + "        return question;\n    }\n");
        for (int i = 0; i < application.methods; i++) {
            String breaker = "remote-" + number + (application.breakerEach ? "-" + i : "");
            source.append("\n    @dev.guardedby.spring.GuardedBy(name = \"") .append(breaker)
                    .append(i == 0 ? "\", fallback = \"canned\", cost = \"#result.length() * 0.001\")" : "\")")
                    .append("\n    public String ask")
                    .append(i)
                    .append("(String question) {\n        return question;\n    }\n");
        }
        return source.append("}\n").toString();
    }

    private static String report(Map<Application, List<Pair>> measured, int rounds) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%s, rounds: %d, %s %s, %s, processors: %d%n%n",
                LocalDate.now(ZoneOffset.UTC),
                rounds,
                System.getProperty("java.vm.name"),
                System.getProperty("java.vm.version"),
                System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors()));
        text.append("| application | ms | without | with | more | from | to | held to |\n");
        text.append("|---|---|---:|---:|---:|---:|---:|---|\n");
        measured.forEach((application, pairs) -> {
            text.append(row(application, "main thread", pairs, Start::cpu));
            text.append(row(application, "wall clock", pairs, Start::wall));
        });
        return text.toString().stripTrailing() + "\n";
    }

    private static String row(Application application, String what, List<Pair> pairs, ToDoubleFunction<Start> figure) {
        double[] more = sorted(pairs, pair -> figure.applyAsDouble(pair.with) - figure.applyAsDouble(pair.without));
        return String.format(
                Locale.ROOT,
                "| %s | %s | %.0f | %.0f | **%.0f** | %.0f | %.0f | %s |%n",
                application.name,
                what,
                median(sorted(pairs, pair -> figure.applyAsDouble(pair.without))),
                median(sorted(pairs, pair -> figure.applyAsDouble(pair.with))),
                median(more),
                more[more.length / 4],
                more[more.length * 3 / 4],
                application.heldTo == 0 ? "" : "under " + application.heldTo);
    }

    private static double[] sorted(List<Pair> pairs, ToDoubleFunction<Pair> figure) {
        return pairs.stream().mapToDouble(figure).sorted().toArray();
    }

    private static double median(double[] sorted) {
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
