package dev.guardedby.spring.prices;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.prices.PriceFile.Content;
import dev.guardedby.spring.prices.PriceFile.Entry;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.ResourceLoader;
import org.springframework.util.ClassUtils;

/**
 * Where the prices come from: {@code guardedby.prices.models}, and behind them the file that {@code guardedby.prices.import}
 * names. The file is read anew with each {@code reload()} of the {@link dev.guardedby.circuitbreaker.Prices} bean.
 *
 * <p>Thread-safe.
 */
public final class PriceSource {
    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    private static final String PARSER = "org.yaml.snakeyaml.Yaml";
    private static final int MOST_NAMED = 10;

    private final ConfiguredPrices configured;
    private final ResourceLoader files;
    private volatile @Nullable ImportReport report;

    PriceSource(ConfiguredPrices configured, ResourceLoader files) {
        this.configured = configured;
        this.files = files;
    }

    /** What became of the file when it was last read as a whole; empty if none is imported. */
    public Optional<ImportReport> report() {
        return Optional.ofNullable(report);
    }

    /**
     * Reads the prices.
     *
     * @throws InvalidPricesException if the file is wrong
     */
    PriceBook read() {
        List<ModelPrice> written = configured.models();
        List<Entry> imported = configured.importFrom().map(this::read).orElse(List.of());
        warn(Outliers.in(imported, written, Instant.now()));
        return PriceBook.of(written)
                .orElse(PriceBook.of(imported.stream().map(Entry::price).toList()));
    }

    private List<Entry> read(String location) {
        if (!ClassUtils.isPresent(PARSER, files.getClassLoader())) {
            throw new InvalidPricesException(
                    "guardedby.prices.import needs org.yaml:snakeyaml on the class path, but it is not there", null);
        }
        Content content = PriceFile.read(location, files.getResource(location));
        report = content.report();
        LOG.info(content.report().summary());
        content.report().skipped().forEach((model, reason) -> LOG.debug("Skipped '" + model + "': " + reason));
        return content.entries();
    }

    private static void warn(List<String> outliers) {
        if (!outliers.isEmpty()) {
            LOG.warn("Prices that are a thousand times their neighbours, or a thousandth, in USD per million tokens: "
                    + String.join("; ", outliers.subList(0, Math.min(MOST_NAMED, outliers.size())))
                    + (outliers.size() > MOST_NAMED ? "; and " + (outliers.size() - MOST_NAMED) + " more" : ""));
        }
    }
}
