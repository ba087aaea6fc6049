package dev.guardedby.spring.prices;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.prices.PriceFile.Content;
import dev.guardedby.spring.prices.PriceFile.Entry;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.core.io.ResourceLoader;
import org.springframework.util.ClassUtils;

/**
 * Where the prices come from: {@code guardedby.prices.models}, and behind them the file that {@code guardedby.prices.import}
 * names. The file is read anew with each {@code reload()} of the {@link dev.guardedby.circuitbreaker.Prices} bean, which the
 * endpoint {@code guardedbyprices} asks for.
 *
 * <p>Thread-safe.
 */
public final class PriceSource {
    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    private static final String PARSER = "org.yaml.snakeyaml.Yaml";
    private static final int MOST_NAMED = 10;

    private final ConfiguredPrices configured;
    private final ResourceLoader files;
    // Weak, and no report holds its book.
    private final Map<PriceBook, PriceReport> reports = Collections.synchronizedMap(new WeakHashMap<>());

    PriceSource(ConfiguredPrices configured, ResourceLoader files) {
        this.configured = configured;
        this.files = files;
    }

    /**
     * What came of reading the prices of a book.
     *
     * @param book the one in force, {@code prices.current()}, or an earlier one
     * @return empty if the book was not read here
     */
    public Optional<PriceReport> report(PriceBook book) {
        return Optional.ofNullable(reports.get(book));
    }

    /**
     * Reads the prices.
     *
     * @throws InvalidPricesException if the file is wrong
     */
    PriceBook read() {
        Instant now = Instant.now();
        List<ModelPrice> written = configured.models();
        Optional<Content> file = configured.importFrom().map(this::read);
        List<Entry> imported = file.map(Content::entries).orElse(List.of());
        List<String> outliers = Outliers.in(imported, written, now);
        PriceBook book = PriceBook.of(written)
                .orElse(PriceBook.of(imported.stream().map(Entry::price).toList()));
        Optional<ImportReport> report = file.map(Content::report);
        reports.put(book, new PriceReport(now, written.size(), report, outliers));
        report.ifPresent(PriceSource::tell);
        warn(outliers);
        return book;
    }

    private Content read(String location) {
        if (!ClassUtils.isPresent(PARSER, files.getClassLoader())) {
            throw new InvalidPricesException(
                    "guardedby.prices.import needs org.yaml:snakeyaml on the class path, but it is not there", null);
        }
        Content content = PriceFile.read(location, files.getResource(location));
        if (content.entries().isEmpty()) {
            // A file of another kind, or with other keys: taken as it is, every price would be gone.
            throw new InvalidPricesException(
                    "guardedby.prices.import: " + location + " must have a price for one model at least, but has none",
                    null);
        }
        return content;
    }

    private static void tell(ImportReport report) {
        LOG.info(report.summary());
        report.skipped().forEach((model, reason) -> LOG.debug("Skipped '" + model + "': " + reason));
    }

    private static void warn(List<String> outliers) {
        if (!outliers.isEmpty()) {
            LOG.warn("Prices that are a thousand times their neighbours, or a thousandth, in USD per million tokens: "
                    + String.join("; ", outliers.subList(0, Math.min(MOST_NAMED, outliers.size())))
                    + (outliers.size() > MOST_NAMED ? "; and " + (outliers.size() - MOST_NAMED) + " more" : ""));
        }
    }
}
