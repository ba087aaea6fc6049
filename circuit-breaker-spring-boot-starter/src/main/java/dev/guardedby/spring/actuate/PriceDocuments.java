package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.spring.prices.ImportReport;
import dev.guardedby.spring.prices.PriceReport;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Where prices come from, and those of one model, as plain maps that any JSON writer can write. */
final class PriceDocuments {
    // A file may skip thousands, and the log has them all.
    private static final int MOST_SHOWN = 20;
    private static final String FINE_TUNED = "ft:";

    private PriceDocuments() {}

    /**
     * Where the prices of a book come from.
     *
     * @param report what came of reading it; empty for a book of the application's own
     */
    static Map<String, Object> of(PriceBook book, Optional<PriceReport> report) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("source", report.isPresent() ? "configuration" : "application");
        document.put("models", names(book).size());
        report.ifPresent(read -> {
            document.put("readAt", read.readAt().toString());
            document.put("written", read.written());
            read.imported().ifPresent(imported -> document.put("imported", imported(imported)));
            document.put("outliers", some(read.outliers()));
        });
        return document;
    }

    /** The models that have prices; one may have several, each from another day on, or written and imported. */
    static List<String> names(PriceBook book) {
        return book.models().stream().map(ModelPrice::model).distinct().toList();
    }

    private static Map<String, Object> imported(ImportReport report) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("from", report.location());
        document.put("models", report.imported());
        Map<String, Object> skipped = some(report.skipped());
        skipped.put(
                "reasons",
                report.skipped().values().stream()
                        .collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting())));
        document.put("skipped", skipped);
        document.put("unusedKeys", some(report.unusedKeys()));
        return document;
    }

    private static Map<String, Object> some(Collection<String> all) {
        return counted(all.size(), all.stream().limit(MOST_SHOWN).toList());
    }

    private static <V> Map<String, Object> some(Map<String, V> all) {
        Map<String, Object> shown = new LinkedHashMap<>();
        all.entrySet().stream().limit(MOST_SHOWN).forEach(each -> shown.put(each.getKey(), each.getValue()));
        return counted(all.size(), shown);
    }

    private static Map<String, Object> counted(int count, Object shown) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("count", count);
        document.put("some", shown);
        return document;
    }

    /**
     * What a model costs.
     *
     * @param asked the name that was asked for
     * @param inputTokens how long the prompt is
     * @param found the entry that has its prices
     * @param source where that is written
     */
    static Map<String, Object> of(String asked, long inputTokens, ModelPrice found, String source) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("model", asked);
        document.put("entry", found.model());
        document.put("match", match(asked, found));
        document.put("source", source);
        found.from().ifPresent(start -> document.put("from", start.toString()));
        document.put("inputTokens", inputTokens);
        document.put("usdPerMillion", tiers(found, inputTokens));
        Map<String, Object> units = new LinkedHashMap<>();
        found.units().forEach((unit, usd) -> units.put(unit, plain(usd)));
        document.put("usdPerUnit", units);
        return document;
    }

    /** Why the book has taken that entry for the name. */
    private static String match(String asked, ModelPrice found) {
        String name = canonical(asked);
        if (name.equals(canonical(found.model()))) {
            return "NAME";
        }
        List<String> aliases =
                found.aliases().stream().map(PriceDocuments::canonical).toList();
        if (aliases.contains(name)) {
            return "ALIAS";
        }
        if (name.startsWith(FINE_TUNED)) {
            return "FINE_TUNED";
        }
        boolean whole =
                name.endsWith(canonical(found.model())) || aliases.stream().anyMatch(name::endsWith);
        return whole ? "WITHOUT_PROVIDER" : "SNAPSHOT";
    }

    private static String canonical(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    /** The prices of the standard tier, and of each other that has different ones. */
    private static Map<String, Object> tiers(ModelPrice price, long inputTokens) {
        Map<String, Object> tiers = new LinkedHashMap<>();
        Map<String, Object> standard = tier(price, ServiceTier.STANDARD, inputTokens);
        for (ServiceTier tier : ServiceTier.values()) {
            Map<String, Object> prices = tier(price, tier, inputTokens);
            if (tier == ServiceTier.STANDARD || !prices.equals(standard)) {
                tiers.put(tier.name().toLowerCase(Locale.ROOT), prices);
            }
        }
        return tiers;
    }

    private static Map<String, Object> tier(ModelPrice price, ServiceTier tier, long inputTokens) {
        Map<String, Object> prices = new LinkedHashMap<>();
        for (TokenKind kind : TokenKind.values()) {
            price.perMillion(kind, tier, inputTokens).ifPresent(usd -> prices.put(kind.key(), plain(usd)));
        }
        return prices;
    }

    /** 100 is written 100, never 1E+2. */
    private static BigDecimal plain(BigDecimal usd) {
        BigDecimal exact = usd.stripTrailingZeros();
        return exact.scale() < 0 ? exact.setScale(0) : exact;
    }
}
