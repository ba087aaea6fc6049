package dev.guardedby.spring.prices;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What came of reading prices.
 *
 * @param readAt when they were read, by the wall clock
 * @param written how many models {@code guardedby.prices.models} has
 * @param imported what became of the file; empty if none is imported
 * @param outliers prices that are a thousand times those of their neighbours, or a thousandth, each in words
 */
public record PriceReport(Instant readAt, int written, Optional<ImportReport> imported, List<String> outliers) {
    /** Copies the list. */
    public PriceReport {
        outliers = List.copyOf(outliers);
    }
}
