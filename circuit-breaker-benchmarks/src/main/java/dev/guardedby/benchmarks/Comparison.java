package dev.guardedby.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Measures every cell in rounds and writes the tables.
 *
 * <p>A round runs each cell once, in a machine of its own; the next goes through them the other way. So what slows the
 * computer down for a while meets all cells alike, and two cells are compared within each round, never across.
 */
final class Comparison {
    private Comparison() {}

    /**
     * Writes the document.
     *
     * @param args the document, the number of rounds, and whether a quick look (true) is enough, which takes one short round
     *     and writes beside the build instead
     */
    public static void main(String[] args) throws Exception {
        Path document = Path.of(args[0]);
        boolean quick = Boolean.parseBoolean(args[2]);
        int rounds = quick ? 1 : Integer.parseInt(args[1]);
        Check.that(rounds >= 1, "benchmarks.rounds must be at least 1, but was " + args[1]);

        long startedAt = System.nanoTime();
        Map<Cell, List<Measurement>> measured = measure(Cell.all(), rounds, quick);
        String tables = new Report(measured, IdleBytes.measure(quick), rounds, quick).markdown();
        Path written = quick ? Path.of("benchmarks.md") : document;
        Report.replaceGenerated(document, written, tables);
        long seconds = (System.nanoTime() - startedAt) / 1_000_000_000;
        System.out.printf("%s written after %d:%02d minutes%n", written.toRealPath(), seconds / 60, seconds % 60);
    }

    /** What one cell took in one round: nanoseconds and bytes a call. */
    record Measurement(double nanos, double bytes) {}

    private static Map<Cell, List<Measurement>> measure(List<Cell> cells, int rounds, boolean quick)
            throws RunnerException {
        Map<Cell, List<Measurement>> measured = new LinkedHashMap<>();
        cells.forEach(cell -> measured.put(cell, new ArrayList<>()));
        List<Cell> order = new ArrayList<>(cells);
        for (int round = 1; round <= rounds; round++) {
            int done = 0;
            for (Cell cell : order) {
                Measurement measurement = measure(cell, quick);
                measured.getOrDefault(cell, new ArrayList<>()).add(measurement);
                System.out.printf(
                        "round %d of %d, %3d of %d: %10.1f ns %8.1f B  %s.%s %s x%d%n",
                        round,
                        rounds,
                        ++done,
                        order.size(),
                        measurement.nanos,
                        measurement.bytes,
                        cell.type().getSimpleName(),
                        cell.method(),
                        cell.policy() == null ? "" : cell.policy(),
                        cell.threads());
            }
            Collections.reverse(order);
        }
        return measured;
    }

    private static Measurement measure(Cell cell, boolean quick) throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + cell.type().getName() + "\\." + cell.method() + "$")
                .threads(cell.threads())
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
        if (cell.policy() != null) {
            options.param("policy", cell.policy().name());
        }
        if (quick) {
            TimeValue time = TimeValue.milliseconds(100);
            options.warmupIterations(1)
                    .warmupTime(time)
                    .measurementIterations(1)
                    .measurementTime(time);
        }
        RunResult result = new Runner(options.build()).runSingle();
        Result<?> bytes = result.getSecondaryResults().get("gc.alloc.rate.norm");
        return new Measurement(
                result.getPrimaryResult().getStatistics().getPercentile(50),
                bytes == null ? Double.NaN : bytes.getScore());
    }
}
