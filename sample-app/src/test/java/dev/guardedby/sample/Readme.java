package dev.guardedby.sample;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** README.md, taken apart. */
final class Readme {
    static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    /** What stands between two fences. */
    record Block(int line, String language, String text) {
        List<String> lines() {
            return text.lines().filter(line -> !line.isBlank()).toList();
        }

        @Override
        public String toString() {
            return "line " + line + ": " + language + " " + lines().get(0);
        }
    }

    private final List<String> lines;

    Readme() {
        try {
            lines = Files.readAllLines(ROOT.resolve("README.md"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("```")) {
                int first = i + 1;
                int end = first + lines.subList(first, lines.size()).indexOf("```");
                blocks.add(new Block(
                        first, lines.get(i).substring(3).strip(), String.join("\n", lines.subList(first, end)) + "\n"));
                i = end;
            }
        }
        return blocks;
    }

    /** The rows of the table whose heading begins with these cells, without back-ticks. */
    List<List<String>> table(String... heading) {
        for (int i = 0; i < lines.size(); i++) {
            List<String> cells = cells(lines.get(i));
            if (cells.size() >= heading.length
                    && cells.subList(0, heading.length).equals(Arrays.asList(heading))) {
                return lines.subList(i + 2, lines.size()).stream()
                        .takeWhile(line -> line.startsWith("|"))
                        .map(Readme::cells)
                        .toList();
            }
        }
        throw new AssertionError("README.md has no table with the heading " + Arrays.toString(heading));
    }

    private static List<String> cells(String line) {
        if (!line.startsWith("|")) {
            return List.of();
        }
        return Arrays.stream(line.substring(1).split("\\|", -1))
                .map(cell -> cell.replace("`", "").strip())
                .toList();
    }
}
