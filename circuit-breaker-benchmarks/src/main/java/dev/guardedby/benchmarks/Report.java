package dev.guardedby.benchmarks;

import dev.guardedby.benchmarks.Comparison.Measurement;
import dev.guardedby.benchmarks.IdleBytes.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The measurements as Markdown. */
final class Report {
    private static final String BEGIN = "<!-- generated: begin -->";
    private static final String END = "<!-- generated: end -->";
    private static final String COMMAND =
            "mvn -ntp -Pbenchmarks -pl circuit-breaker-benchmarks -am verify -DskipTests -Dbenchmarks.";

    private final Map<Cell, List<Measurement>> measured;
    private final List<Weight> weights;
    private final int rounds;
    private final boolean quick;
    private final StringBuilder text = new StringBuilder();

    Report(Map<Cell, List<Measurement>> measured, List<Weight> weights, int rounds, boolean quick) {
        this.measured = measured;
        this.weights = weights;
        this.rounds = rounds;
        this.quick = quick;
    }

    /** Writes the document with what stands between its marks replaced. */
    static void replaceGenerated(Path document, Path written, String generated) throws IOException {
        String old = Files.readString(document);
        int begin = old.indexOf(BEGIN);
        int end = old.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalArgumentException(document + " must hold the lines " + BEGIN + " and " + END);
        }
        Files.writeString(
                written, old.substring(0, begin + BEGIN.length()) + "\n\n" + generated + "\n" + old.substring(end));
    }

    String markdown() {
        origin();
        goals();
        Map<String, List<Cell>> tables = measured.keySet().stream()
                .collect(Collectors.groupingBy(Cell::table, LinkedHashMap::new, Collectors.toList()));
        tables.forEach(this::table);
        weights();
        return text.toString().stripTrailing() + "\n";
    }

    private void origin() {
        line("```sh");
        line(COMMAND + (quick ? "quick=true" : "rounds=" + rounds));
        line("```");
        line("");
        if (quick) {
            line("**A quick look, one short round: these figures show that everything runs, and nothing else.**");
            line("");
        }
        line(
                "%s, rounds: %d, %s %s, %s, processors: %d",
                LocalDate.now(ZoneOffset.UTC),
                rounds,
                System.getProperty("java.vm.name"),
                System.getProperty("java.vm.version"),
                System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors());
        line("");
    }

    // What is held to a figure

    private void goals() {
        line("## At a glance");
        line("");
        line("| GuardedBy | threads | beside | held to | measured |");
        line("|---|---|---|---|---|");
        for (Policy policy : Policy.values()) {
            for (int threads : new int[] {1, 2, 4}) {
                share(Cell.closed(policy), threads, threads == 1 ? "at most 1.25 x" : "");
            }
        }
        share(Cell.REFUSED_CHECK, 1, "at most 1.25 x");
        gain(Cell.closed(Policy.COUNT_WINDOW), 1, "20 x faster");
        gain(Cell.closed(Policy.COUNT_WINDOW), 2, "30 x faster");
        gain(Cell.closed(Policy.COUNT_WINDOW), 4, "30 x faster");
        gain(Cell.closed(Policy.TIME_WINDOW), 1, "2.5 x faster");
        gain(Cell.closed(Policy.TIME_WINDOW), 2, "8 x faster");
        gain(Cell.closed(Policy.TIME_WINDOW), 4, "");
        gain(Cell.closed(Policy.SLOW_CALLS), 1, "");
        gain(Cell.closed(Policy.SLOW_CALLS), 2, "");
        gain(Cell.closed(Policy.SLOW_CALLS), 4, "");
        gain(Cell.FAILING, 1, "");
        gain(Cell.FAILING, 2, "8 x faster");
        gain(Cell.REFUSED_CALL, 1, "25 x faster");
        gain(Cell.MANY, 2, "12 x faster");
        time(Cell.BUDGETED, 1, Cell.LEDGER, "at most 150 ns");
        more(Cell.BUDGETED, 1, Cell.FLOOR, "");
        more(Cell.BUDGETED, 2, Cell.FLOOR, "");
        more(Cell.SPRING, 1, Cell.EMPTY_INTERCEPTOR, "at most 40 ns more");
        gain(Cell.SPRING, 1, "12 x faster");
        gain(Cell.SPRING, 2, "12 x faster");
        line("");
    }

    private void share(String table, int threads, String heldTo) {
        Cell floor = find(table, threads, Cell.FLOOR);
        goal(table, threads, floor.row(), heldTo, ratio(reference(table, threads), floor) + " x");
    }

    private void gain(String table, int threads, String heldTo) {
        Cell peer = find(table, threads, Cell.RESILIENCE4J);
        goal(table, threads, peer.row(), heldTo, ratio(peer, reference(table, threads)) + " x faster");
    }

    private void more(String table, int threads, String than, String heldTo) {
        Cell less = find(table, threads, than);
        double[] differences = IntStream.range(0, rounds)
                .mapToDouble(round -> of(reference(table, threads)).get(round).nanos()
                        - of(less).get(round).nanos())
                .sorted()
                .toArray();
        goal(table, threads, less.row(), heldTo, number(median(differences)) + " ns more");
    }

    private void time(String table, int threads, String row, String heldTo) {
        Cell cell = find(table, threads, row);
        goal(table, threads, cell.row(), heldTo, number(median(cell, Measurement::nanos)) + " ns");
    }

    private void goal(String table, int threads, String beside, String heldTo, String ratio) {
        line("| %s | %d | %s | %s | %s |", table, threads, beside, heldTo, ratio);
    }

    // All that was measured

    private void table(String table, List<Cell> cells) {
        int[] threads =
                cells.stream().mapToInt(Cell::threads).distinct().sorted().toArray();
        line("## " + table);
        line("");
        line("| |" + join(threads, " %d thread%s, ns | x |") + " B |");
        line("|---|" + "---|---|".repeat(threads.length) + "---|");
        cells.stream().map(Cell::row).distinct().forEach(row -> {
            StringBuilder line = new StringBuilder("| " + row + " |");
            for (int count : threads) {
                Cell cell = row(table, count, row);
                Cell reference = reference(table, count);
                line.append(' ')
                        .append(number(median(cell, Measurement::nanos)))
                        .append(" | ");
                line.append(cell.equals(reference) ? "1" : ratio(cell, reference))
                        .append(" |");
            }
            Cell alone = row(table, threads[0], row);
            line(line + " " + Math.round(median(alone, Measurement::bytes)) + " |");
        });
        line("");
    }

    private void weights() {
        line("## Bytes of one breaker");
        line("");
        line("| | policy | just made | after %d calls, one in ten failing |", Check.CALLS);
        line("|---|---|---|---|");
        for (Weight weight : weights) {
            line("| %s | %s | %,d | %,d |", weight.library(), weight.policy().words, weight.idle(), weight.used());
        }
    }

    private Cell reference(String table, int threads) {
        return measured.keySet().stream()
                .filter(cell -> cell.table().equals(table) && cell.threads() == threads && cell.reference())
                .findFirst()
                .orElseThrow();
    }

    /** The first row of that table that begins so. */
    private Cell find(String table, int threads, String row) {
        return measured.keySet().stream()
                .filter(cell -> cell.table().equals(table)
                        && cell.threads() == threads
                        && cell.row().startsWith(row))
                .findFirst()
                .orElseThrow();
    }

    private Cell row(String table, int threads, String row) {
        return measured.keySet().stream()
                .filter(cell -> cell.table().equals(table)
                        && cell.threads() == threads
                        && cell.row().equals(row))
                .findFirst()
                .orElseThrow();
    }

    /** How many times longer one cell takes than another: the median of the rounds, and in brackets the extremes. */
    private String ratio(Cell longer, Cell shorter) {
        double[] ratios = IntStream.range(0, rounds)
                .mapToDouble(round ->
                        of(longer).get(round).nanos() / of(shorter).get(round).nanos())
                .sorted()
                .toArray();
        String median = number(median(ratios));
        return rounds == 1 ? median : median + " (" + number(ratios[0]) + " to " + number(ratios[rounds - 1]) + ")";
    }

    private double median(Cell cell, ToDoubleFunction<Measurement> value) {
        return median(of(cell).stream().mapToDouble(value).sorted().toArray());
    }

    private List<Measurement> of(Cell cell) {
        return measured.getOrDefault(cell, List.of());
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Three digits are as many as a noisy machine can tell apart. */
    private static String number(double value) {
        String format = value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }

    private static String join(int[] threads, String column) {
        return Arrays.stream(threads)
                .mapToObj(count -> String.format(Locale.ROOT, column, count, count == 1 ? "" : "s"))
                .collect(Collectors.joining());
    }

    private void line(String format, Object... values) {
        text.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values))
                .append('\n');
    }
}
