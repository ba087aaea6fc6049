package dev.guardedby.circuitbreaker;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What models cost.
 *
 * <p>Immutable, so a call that takes the book at its start is priced by it to its end, whatever is reloaded meanwhile; see
 * {@link Prices}.
 *
 * <p>A model is found by its name or an alias, else by that name without what says who serves it ({@code openai/},
 * {@code us.anthropic.}), else by the longest name that it begins with, if the rest is nothing but a snapshot: a date, a number
 * of three digits or more, a version such as {@code v1:0}, or {@code latest}. So {@code gpt-4o-2024-08-06} is found as
 * {@code gpt-4o}, and {@code gpt-4o-mini} is not: unknown is better than wrong. Case makes no difference. A model fine-tuned from
 * another, {@code ft:gpt-4o-mini:acme::id}, is found as {@code ft:gpt-4o-mini} alone.
 */
public final class PriceBook {
    /** The book that knows no price. */
    public static final PriceBook EMPTY = of(List.of());

    /** The prices of each name, the latest first. */
    private final Map<String, List<ModelPrice>> byName;

    private final Collection<ModelPrice> models;
    private final @Nullable PriceBook weaker;

    private PriceBook(Map<String, List<ModelPrice>> byName, Collection<ModelPrice> models, @Nullable PriceBook weaker) {
        this.byName = byName;
        this.models = models;
        this.weaker = weaker;
    }

    /**
     * A book of prices.
     *
     * @param models the models; several of one name each have another day from which on they hold
     * @throws IllegalArgumentException if two of one name, or of one alias, hold from the same day on
     */
    public static PriceBook of(Collection<ModelPrice> models) {
        Map<String, List<ModelPrice>> byName = new HashMap<>();
        for (ModelPrice model : models) {
            Stream.concat(Stream.of(model.model()), model.aliases().stream())
                    .map(ModelName::canonical)
                    .distinct()
                    .forEach(name -> add(model, name, byName.computeIfAbsent(name, key -> new ArrayList<>())));
        }
        Comparator<ModelPrice> byStart = Comparator.comparing(PriceBook::start);
        byName.values().forEach(prices -> prices.sort(byStart.reversed()));
        return new PriceBook(byName, List.copyOf(models), null);
    }

    private static void add(ModelPrice model, String name, List<ModelPrice> others) {
        for (ModelPrice other : others) {
            if (other.from().equals(model.from())) {
                throw new IllegalArgumentException("model '" + name + "' has two prices "
                        + model.from().map(day -> "from " + day).orElse("without a day from which on they hold")
                        + ", of '"
                        + other.model() + "' and of '" + model.model() + "'");
            }
        }
        others.add(model);
    }

    private static Instant start(ModelPrice price) {
        return price.from().orElse(Instant.MIN);
    }

    /**
     * This book, and another where this one has no price. A model in this one counts for its snapshots, too, even if the other
     * has prices for these.
     */
    public PriceBook orElse(PriceBook other) {
        return new PriceBook(byName, models, weaker == null ? other : weaker.orElse(other));
    }

    /** Whether no model has a price. */
    public boolean isEmpty() {
        return models.isEmpty() && (weaker == null || weaker.isEmpty());
    }

    /** All models of this book, those last that others of the same name stand before. */
    public List<ModelPrice> models() {
        List<ModelPrice> all = new ArrayList<>(models);
        if (weaker != null) {
            all.addAll(weaker.models());
        }
        return Collections.unmodifiableList(all);
    }

    /**
     * The prices of a model.
     *
     * @param provider who serves it, in the words of price lists; null if not told. A model {@code provider/model} comes first
     * @param model its name
     * @param at when
     * @return empty if the model is unknown, or has no price yet
     */
    public Optional<ModelPrice> find(@Nullable String provider, String model, Instant at) {
        List<String> names = ModelName.candidates(provider, model);
        for (PriceBook book = this; book != null; book = book.weaker) {
            for (String name : names) {
                ModelPrice price = book.at(name, at);
                if (price != null) {
                    return Optional.of(price);
                }
            }
        }
        return Optional.empty();
    }

    private @Nullable ModelPrice at(String name, Instant at) {
        for (ModelPrice price : byName.getOrDefault(name, List.of())) {
            if (!start(price).isAfter(at)) {
                return price;
            }
        }
        return null;
    }

    /**
     * What a call costs: the exact sum of all that it used, rounded up once, to a whole nano-USD.
     *
     * <p>A price for long prompts applies to every token of the call as soon as the prompt is longer than its threshold. A sum
     * above 9,223,372,036 USD stops there.
     *
     * @param call what was used, and by which model
     * @param at when it began
     * @return empty if the model or what it used is unknown, or something that it used has no price; never 0 for that
     */
    public Optional<Cost> price(ModelUsage call, Instant at) {
        String model = call.model();
        if (model == null || call.confidence() == Confidence.UNKNOWN) {
            return Optional.empty();
        }
        return find(call.provider(), model, at)
                .map(price -> price.usd(call.usage(), call.tier()))
                .map(usd -> cost(call.usage(), usd));
    }

    private static Cost cost(Usage usage, BigDecimal usd) {
        return Cost.of(usage.inputTokens(), usage.outputTokens(), usd.min(Cost.MOST_USD));
    }

    @Override
    public String toString() {
        return "PriceBook[" + models().size() + " models]";
    }
}
