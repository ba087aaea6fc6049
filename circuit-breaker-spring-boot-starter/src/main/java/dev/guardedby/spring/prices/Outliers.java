package dev.guardedby.spring.prices;

import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.spring.prices.PriceFile.Entry;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds prices that are a thousand times those of their neighbours, or a thousandth: a price for a thousand tokens, say, that was
 * entered as one for a million.
 *
 * <p>The neighbour of an imported price of input or output is the median of its provider, where that has prices for five models
 * or more. That of a written one is the imported price of the same model, or else the median of all models, if there are five.
 * And in each model input and output are neighbours. Prices of 0 are none.
 */
final class Outliers {
    private static final BigDecimal FAR = BigDecimal.valueOf(1_000);
    private static final int FEWEST = 5;
    private static final List<TokenKind> COMPARED = List.of(TokenKind.INPUT, TokenKind.OUTPUT);

    private final Instant now;
    private final List<String> found = new ArrayList<>();

    private Outliers(Instant now) {
        this.now = now;
    }

    /** What is far from its neighbours, each in words. */
    static List<String> in(List<Entry> imported, List<ModelPrice> written, Instant now) {
        Outliers outliers = new Outliers(now);
        outliers.amongImported(imported);
        outliers.amongWritten(written, imported);
        return outliers.found;
    }

    private void amongImported(List<Entry> imported) {
        Map<String, List<ModelPrice>> byProvider = new HashMap<>();
        imported.forEach(entry -> byProvider
                .computeIfAbsent(entry.provider(), provider -> new ArrayList<>())
                .add(entry.price()));
        for (TokenKind kind : COMPARED) {
            Map<String, Optional<BigDecimal>> medians = new HashMap<>();
            byProvider.forEach((provider, models) -> medians.put(provider, median(models, kind)));
            for (Entry entry : imported) {
                Optional<BigDecimal> median = medians.getOrDefault(entry.provider(), Optional.empty());
                compare(entry.price(), kind, median.orElse(null), "the median of " + entry.provider());
            }
        }
        imported.forEach(entry -> compareWithin(entry.price()));
    }

    private void amongWritten(List<ModelPrice> written, List<Entry> imported) {
        List<ModelPrice> all =
                new ArrayList<>(imported.stream().map(Entry::price).toList());
        PriceBook book = PriceBook.of(all);
        all.addAll(written);
        for (ModelPrice model : written) {
            ModelPrice same = book.find(null, model.model(), now).orElse(null);
            for (TokenKind kind : COMPARED) {
                BigDecimal imports = same == null ? null : plain(same, kind);
                if (imports != null) {
                    compare(model, kind, imports, "the imported price");
                } else {
                    compare(model, kind, median(all, kind).orElse(null), "the median of all models");
                }
            }
            compareWithin(model);
        }
    }

    private void compare(ModelPrice model, TokenKind kind, @Nullable BigDecimal neighbour, String whose) {
        BigDecimal price = plain(model, kind);
        if (price != null && neighbour != null && isFar(price, neighbour)) {
            found.add(kind.key() + " of '" + model.model() + "' is " + price.toPlainString() + ", " + whose + " is "
                    + neighbour.toPlainString());
        }
    }

    private void compareWithin(ModelPrice model) {
        compare(model, TokenKind.OUTPUT, plain(model, TokenKind.INPUT), "its input");
    }

    private static boolean isFar(BigDecimal price, BigDecimal neighbour) {
        return price.compareTo(neighbour.multiply(FAR)) >= 0 || neighbour.compareTo(price.multiply(FAR)) >= 0;
    }

    private static Optional<BigDecimal> median(List<ModelPrice> models, TokenKind kind) {
        List<BigDecimal> prices = new ArrayList<>();
        for (ModelPrice model : models) {
            BigDecimal price = plain(model, kind);
            if (price != null) {
                prices.add(price);
            }
        }
        prices.sort(null);
        return prices.size() < FEWEST ? Optional.empty() : Optional.of(prices.get(prices.size() / 2));
    }

    private static @Nullable BigDecimal plain(ModelPrice model, TokenKind kind) {
        return model.perMillion(kind, ServiceTier.STANDARD, 0)
                .filter(price -> price.signum() > 0)
                .map(BigDecimal::stripTrailingZeros)
                .orElse(null);
    }
}
