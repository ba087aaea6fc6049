package dev.guardedby.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import javax.tools.ToolProvider;
import org.springframework.util.StringUtils;

/**
 * Measures what the starter adds to the start of an application: the same one without, with an advisor that does nothing, with
 * the starter, and with that of Resilience4j, in turn, each time in a machine of its own.
 *
 * <p>The wall clock is what people wait for. On a busy machine it says more about the neighbours, so the time that the main
 * thread computed stands beside it: on an idle machine both differ by little more than the start of the machine itself.
 */
final class Startup {
    /** What stands before the methods. */
    private enum Guard {
        NOTHING("without"),
        EMPTY_ADVISOR("an empty advisor"),
        GUARDED_BY("GuardedBy"),
        RESILIENCE4J("Resilience4j");

        private final String title;

        Guard(String title) {
            this.title = title;
        }

        /** Whether an application gets a jar, or where the reactor has its classes; those of this module it always gets. */
        private boolean brings(String entry) {
            if (entry.contains("aspectjweaver")) {
                return this != NOTHING;
            }
            if (entry.contains("circuit-breaker-core") || entry.contains("circuit-breaker-spring-boot-starter")) {
                return this == GUARDED_BY;
            }
            return this == RESILIENCE4J || !entry.contains("resilience4j");
        }

        /** What is written before a method, the first of a bean or another. */
        private String annotation(String breaker, boolean first) {
            return switch (this) {
                // Of an annotation whose class is missing nobody sees anything.
                case NOTHING, GUARDED_BY ->
                    "@dev.guardedby.spring.GuardedBy(name = \"" + breaker + "\""
                            + (first ? ", fallback = \"canned\", cost = \"#result.length() * 0.001\")" : ")");
                case EMPTY_ADVISOR -> "";
                case RESILIENCE4J ->
                    "@io.github.resilience4j.circuitbreaker.annotation.CircuitBreaker(name = \"" + breaker + "\""
                            + (first ? ", fallbackMethod = \"canned\")" : ")");
            };
        }
    }

    /** An application: so many beans with so many methods each, all guarded; one breaker a bean, or one a method. */
    private record Application(String name, int beans, int methods, boolean breakerEach, int heldTo) {}

    private static final List<Application> APPLICATIONS = List.of(
            new Application("1 guarded method", 1, 1, false, 60),
            new Application("500 guarded methods, 50 breakers", 50, 10, false, 300),
            new Application("500 guarded methods, 500 breakers", 50, 10, true, 0));

    private static final String EMPTY_ADVISOR = """
            package startup;

            @org.springframework.context.annotation.Configuration(proxyBeanMethods = false)
            @org.springframework.context.annotation.EnableAspectJAutoProxy
            class EmptyAdvisor {
                @org.springframework.context.annotation.Bean
                static org.springframework.aop.Advisor advisor() {
                    var pointcut = new org.springframework.aop.support.NameMatchMethodPointcut();
                    pointcut.setMappedName("ask*");
                    return new org.springframework.aop.support.DefaultPointcutAdvisor(
                            pointcut, (org.aopalliance.intercept.MethodInterceptor) call -> call.proceed());
                }
            }
            """;

    /** One start: milliseconds by the wall clock, and of the main thread's own time. */
    private record Start(double wall, double cpu) {}

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
        Map<Application, List<Map<Guard, Start>>> measured = new LinkedHashMap<>();
        for (Application application : APPLICATIONS) {
            for (Guard guard : Guard.values()) {
                write(application, guard);
            }
            measured.put(application, new ArrayList<>());
        }
        List<Application> order = new ArrayList<>(APPLICATIONS);
        List<Guard> guards = new ArrayList<>(List.of(Guard.values()));
        // The first round warms the caches of the operating system and does not count.
        for (int round = 0; round <= rounds; round++) {
            for (Application application : order) {
                Map<Guard, Start> starts = new EnumMap<>(Guard.class);
                for (Guard guard : guards) {
                    starts.put(guard, start(application, guard));
                }
                if (round > 0) {
                    measured.computeIfAbsent(application, missing -> new ArrayList<>())
                            .add(starts);
                }
            }
            Collections.reverse(order);
            // Each comes first, and each last, as often as the others.
            Collections.rotate(guards, 1);
            System.out.println("round " + round + " of " + rounds);
        }
        return report(measured, rounds);
    }

    private Start start(Application application, Guard guard) throws IOException, InterruptedException {
        List<String> entries =
                new ArrayList<>(List.of(classes(application, guard).toString()));
        for (String entry : StringUtils.delimitedListToStringArray(classPath, File.pathSeparator)) {
            if (guard.brings(entry)) {
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
                        "--management.endpoints.web.exposure.include=health,prometheus,guardedby,circuitbreakers")
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
                proxies == (guard == Guard.NOTHING ? 0 : application.beans),
                proxies + " beans of '" + application.name + "' have a proxy, with: " + guard.title);
        return new Start(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
    }

    private Path classes(Application application, Guard guard) {
        return folder.resolve(APPLICATIONS.indexOf(application) + "-" + guard.name());
    }

    private void write(Application application, Guard guard) throws IOException {
        Path classes = classes(application, guard);
        Path sources = Files.createDirectories(classes.resolve("startup"));
        List<String> compiler = new ArrayList<>(
                List.of("-parameters", "-proc:none", "-nowarn", "-cp", classPath, "-d", classes.toString()));
        for (int i = 0; i < application.beans; i++) {
            compiler.add(source(sources, "Remote" + i, remote(application, guard, i)));
        }
        if (guard == Guard.EMPTY_ADVISOR) {
            compiler.add(source(sources, "EmptyAdvisor", EMPTY_ADVISOR));
        }
        int status = ToolProvider.getSystemJavaCompiler().run(null, null, null, compiler.toArray(String[]::new));
        Check.that(status == 0, "the beans of '" + application.name + "' compile");
    }

    private static String source(Path folder, String type, String text) throws IOException {
        return Files.writeString(folder.resolve(type + ".java"), text).toString();
    }

    /** A bean; the first of its methods has a fallback and, where there is such a thing, a cost, as about one in ten may have. */
    private static String remote(Application application, Guard guard, int number) {
        StringBuilder source = new StringBuilder("package startup;\n\n"
                + "@org.springframework.stereotype.Service\npublic class Remote" + number + " {\n"
                + "    private String canned(String question, Throwable failure) {\n"
                + "        return question;\n    }\n");
        for (int i = 0; i < application.methods; i++) {
            String breaker = "remote-" + number + (application.breakerEach ? "-" + i : "");
            source.append("\n    ")
                    .append(guard.annotation(breaker, i == 0))
                    .append("\n    public String ask")
                    .append(i)
                    .append("(String question) {\n        return question;\n    }\n");
        }
        return source.append("}\n").toString();
    }

    private static String report(Map<Application, List<Map<Guard, Start>>> measured, int rounds) {
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
        text.append("| application | ms |");
        for (Guard guard : Guard.values()) {
            text.append(' ').append(guard.title).append(" |");
        }
        text.append(" GuardedBy is held to |\n|---|---|---:|---:|---:|---:|---|\n");
        measured.forEach((application, starts) -> {
            text.append(row(application, "main thread", starts, Start::cpu));
            text.append(row(application, "wall clock", starts, Start::wall));
        });
        return text.toString().stripTrailing() + "\n";
    }

    private static String row(
            Application application, String what, List<Map<Guard, Start>> starts, ToDoubleFunction<Start> figure) {
        StringBuilder row = new StringBuilder("| " + application.name + " | " + what);
        row.append(String.format(
                Locale.ROOT,
                " | %.0f",
                median(sorted(starts, round -> figure.applyAsDouble(start(round, Guard.NOTHING))))));
        for (Guard guard : EnumSet.complementOf(EnumSet.of(Guard.NOTHING))) {
            double[] more = sorted(
                    starts,
                    round -> figure.applyAsDouble(start(round, guard))
                            - figure.applyAsDouble(start(round, Guard.NOTHING)));
            row.append(String.format(
                    Locale.ROOT,
                    " | **+%.0f** (%.0f to %.0f)",
                    median(more),
                    more[more.length / 4],
                    more[more.length * 3 / 4]));
        }
        return row + (application.heldTo == 0 ? " | |\n" : " | under +" + application.heldTo + " |\n");
    }

    private static Start start(Map<Guard, Start> round, Guard guard) {
        return Objects.requireNonNull(round.get(guard));
    }

    private static double[] sorted(List<Map<Guard, Start>> starts, ToDoubleFunction<Map<Guard, Start>> figure) {
        return starts.stream().mapToDouble(figure).sorted().toArray();
    }

    private static double median(double[] sorted) {
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
