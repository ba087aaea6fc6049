package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.prices.ImportReport;
import dev.guardedby.spring.prices.InvalidPricesException;
import dev.guardedby.spring.prices.PriceReport;
import dev.guardedby.spring.prices.PriceSource;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;

/** Shows the prices that are in force, and lets an operator have them read again where writing is granted. */
@Endpoint(id = GuardedByPricesEndpoint.NAME, defaultAccess = Access.READ_ONLY)
final class GuardedByPricesEndpoint {
    static final String NAME = "guardedbyprices";
    static final EndpointId ID = EndpointId.of(NAME);

    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    // No model has a longer name, and to compare it with thousands would take long.
    private static final int LONGEST_NAME = 256;

    private final Prices prices;
    private final PriceSource source;
    private final ConfiguredPrices configured;
    private final InstantSource clock;

    /**
     * An endpoint over the prices in force.
     *
     * @param clock the day whose prices are shown
     */
    GuardedByPricesEndpoint(Prices prices, PriceSource source, ConfiguredPrices configured, InstantSource clock) {
        this.prices = prices;
        this.source = source;
        this.configured = configured;
        this.clock = clock;
    }

    /**
     * Where the prices come from or, if a model is asked for, what that costs; null if it has no price.
     *
     * @param inputTokens how long a prompt is whose prices are asked for; null for one of no length
     */
    @ReadOperation
    @SuppressWarnings("deprecation")
    @Nullable Map<String, Object> prices(
            @org.springframework.lang.Nullable @Nullable String model,
            @org.springframework.lang.Nullable @Nullable String inputTokens) {
        PriceBook book = prices.current();
        Optional<PriceReport> report = source.report(book);
        if (model == null) {
            if (inputTokens != null) {
                throw invalid("inputTokens goes with model, but model was missing");
            }
            return PriceDocuments.of(book, report);
        }
        long tokens = tokens(inputTokens);
        return book.find(null, model, clock.instant())
                .map(found -> PriceDocuments.of(model, tokens, found, source(found, report)))
                .orElse(null);
    }

    private static long tokens(@Nullable String inputTokens) {
        if (inputTokens == null) {
            return 0;
        }
        try {
            long tokens = Long.parseLong(inputTokens);
            if (tokens >= 0) {
                return tokens;
            }
        } catch (NumberFormatException e) {
            // Refused like one that is negative.
        }
        throw invalid("inputTokens must be a whole number, at least 0, but was '" + inputTokens + "'");
    }

    /** Where an entry is written. */
    private String source(ModelPrice entry, Optional<PriceReport> report) {
        if (report.isEmpty()) {
            return "application";
        }
        return configured.models().contains(entry)
                ? "guardedby.prices.models"
                : report.flatMap(PriceReport::imported)
                        .map(ImportReport::location)
                        .orElse("application");
    }

    /** Reads the prices again. If that fails, those in force stay. */
    @WriteOperation
    Map<String, Object> reload() {
        try {
            prices.reload();
        } catch (InvalidPricesException e) {
            throw invalid(e.getMessage() + "; the prices in force stay");
        }
        PriceBook book = prices.current();
        LOG.info("Operator's action on prices: reload, models with prices now: "
                + PriceDocuments.names(book).size());
        return PriceDocuments.of(book, source.report(book));
    }

    /** That a model has no price, and from when on it has one, or which is meant. */
    String unknown(String model) {
        PriceBook book = prices.current();
        String none = "model '" + model + "' has no price";
        Optional<Instant> start = book.models().stream()
                .filter(price -> price.model().equalsIgnoreCase(model))
                .flatMap(price -> price.from().stream())
                .min(Comparator.naturalOrder());
        if (start.isPresent()) {
            return none + " before " + start.get();
        }
        if (model.length() > LONGEST_NAME) {
            return none;
        }
        List<String> names = PriceDocuments.names(book);
        return none + "; "
                + ConfiguredBreakers.nearest(model, names)
                        .map(meant -> "did you mean " + meant + "?")
                        .orElse("models with prices: " + names.size());
    }

    private static InvalidEndpointRequestException invalid(String message) {
        return new InvalidEndpointRequestException(message, message);
    }
}
