package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Estimate;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.config.ConfiguredPrices;
import dev.guardedby.spring.config.ConfiguredPrices.UnknownModel;
import dev.guardedby.spring.models.ModelRequest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.function.SingletonSupplier;

/** What the application knows of prices, and does about models that have none. */
final class Pricing {
    private static final Log LOG = LogFactory.getLog(Pricing.class);
    // A remote may name as many models as it likes.
    private static final int MOST_WARNED_OF = 256;

    private final Supplier<PriceBook> book;
    private final Supplier<UnknownModel> unknown;
    private final InstantSource clock;
    // Of the whole application: a model without a price is one mistake, however many methods call it.
    private final Set<String> warnedOf = ConcurrentHashMap.newKeySet();

    /**
     * Prices.
     *
     * @param book the book in force
     * @param unknown what becomes of models without a price
     * @param clock tells on which day a call began
     */
    Pricing(Supplier<PriceBook> book, Supplier<UnknownModel> unknown, InstantSource clock) {
        this.book = book;
        this.unknown = unknown;
        this.clock = clock;
    }

    /** Those of the application, whose beans are asked for when a price is first wanted; without, no model has one. */
    static Pricing of(ObjectProvider<Prices> prices, ObjectProvider<ConfiguredPrices> configured) {
        Supplier<Supplier<PriceBook>> book = SingletonSupplier.of(() -> {
            Prices present = prices.getIfAvailable();
            return present == null ? () -> PriceBook.EMPTY : present::current;
        });
        Supplier<UnknownModel> unknown = SingletonSupplier.of(() -> {
            ConfiguredPrices present = configured.getIfAvailable();
            return present == null ? UnknownModel.REJECT : present.unknownModel();
        });
        return new Pricing(() -> book.get().get(), unknown, InstantSource.system());
    }

    /** The prices of a call that begins now. */
    AtStart now() {
        return new AtStart(book.get(), clock.instant());
    }

    /** Whether calls of models without a price are refused where a budget counts US dollars. */
    boolean rejectsUnknown() {
        return unknown.get() == UnknownModel.REJECT;
    }

    /** Whether a call is refused where a budget counts US dollars, because its model has no price for what it may use. */
    boolean rejects(ModelRequest request, AtStart prices) {
        return request.model() != null && rejectsUnknown() && !prices.canPrice(request);
    }

    /** Whether calls of models without a price cost nothing. */
    boolean allowsUnknown() {
        return unknown.get() == UnknownModel.ALLOW_AND_FLAG;
    }

    /** How far what is charged for a usage without a price can be trusted. */
    Confidence confidenceInUnknown(ModelUsage usage) {
        return switch (unknown.get()) {
            case REJECT -> Confidence.UNKNOWN;
            case ESTIMATE -> Confidence.ESTIMATED;
            case ALLOW_AND_FLAG -> usage.confidence();
        };
    }

    void warnOfNoPrice(String method, ModelUsage usage) {
        String model = usage.model();
        if (warnedOf.size() < MOST_WARNED_OF && warnedOf.add(model == null ? method : model)) {
            String instead = allowsUnknown() ? "and 0 USD" : "and the dollars that were held";
            LOG.warn(
                    model == null
                            ? "The result of " + method
                                    + " does not name its model, so what it used has no price: the tokens are recorded, "
                                    + instead
                                    + ". Let the annotation's cost or a CostRecorder say it. Further results of this"
                                    + " method are counted and not logged."
                            : "There is no price for what the model '" + model + "' used, " + usage.usage()
                                    + ": the tokens are recorded, " + instead
                                    + ". Write it in guardedby.prices.models. Further calls of this model are counted and not"
                                    + " logged.");
        }
    }

    /**
     * A budget advises a model that would be refused, so the advice is not taken.
     *
     * @param unpriced what has no price: the model, or what has answered in place of it
     */
    void warnOfUselessAdvice(String model, String unpriced) {
        if (warnedOf.size() < MOST_WARNED_OF && warnedOf.add("degrade-to " + model)) {
            LOG.warn("A budget's degrade-to is '" + model
                    + "', which would be refused, because there is no price for what the model '" + unpriced
                    + "' uses: calls keep their own model. Write it in guardedby.prices.models.");
        }
    }

    /** Of each part the greater. */
    static Cost theMore(Cost one, Cost other) {
        return new Cost(
                Math.max(one.inputTokens(), other.inputTokens()),
                Math.max(one.outputTokens(), other.outputTokens()),
                Math.max(one.nanoUsd(), other.nanoUsd()));
    }

    /** The prices that were in force when a call began. */
    record AtStart(PriceBook book, Instant begun) {

        /** Whether any model has a price. */
        boolean areThere() {
            return !book.isEmpty();
        }

        /** What a usage costs; null if it has no price. */
        @Nullable Cost price(ModelUsage usage) {
            return book.price(usage, begun).orElse(null);
        }

        private boolean canPrice(ModelRequest request) {
            Long most = request.maxOutputTokens();
            Usage least = Usage.of(1, most != null && most == 0 ? 0 : 1);
            return price(ModelUsage.of(request.model(), least).servedBy(request.provider())) != null;
        }

        /**
         * What a call of a model may cost: a bound if there is a limit for what it answers, and else what is likely.
         *
         * @param learnt what such calls cost as a rule
         */
        Estimate estimate(ModelRequest request, Cost learnt) {
            long received = request.maxOutputTokens() == null ? 0 : request.maxOutputTokens();
            long sent = request.inputTokens();
            String model = request.model();
            Cost priced = model == null ? null : dearest(request.provider(), model, sent, received);
            Cost once = priced == null ? new Cost(sent, received, 0) : priced;
            // A success that tells nothing has been paid once, as far as anybody knows.
            if (sent == 0 || request.maxOutputTokens() == null) {
                return Estimate.likely(theMore(once, learnt));
            }
            Cost cost = once;
            for (int attempt = 1; attempt < request.attempts(); attempt++) {
                cost = cost.plus(once);
            }
            // Where there are no dollars in a bound, those that are learnt count.
            return new Estimate(cost, once.nanoUsd() > 0 ? once : once.plus(new Cost(0, 0, learnt.nanoUsd())));
        }

        /**
         * The most that tokens of a model may cost, however they turn out to be counted and served; null if it has no price.
         *
         * @param sent how many tokens are sent, perhaps to be cached
         * @param received how many tokens are received, perhaps of reasoning or sound
         */
        @Nullable Cost dearest(@Nullable String provider, String model, long sent, long received) {
            Cost dearest = null;
            for (ServiceTier tier : ServiceTier.values()) {
                for (Usage usage : usages(sent, received)) {
                    Cost cost =
                            price(ModelUsage.of(model, usage).servedBy(provider).with(tier));
                    if (cost != null && (dearest == null || cost.nanoUsd() > dearest.nanoUsd())) {
                        dearest = cost;
                    }
                }
            }
            return dearest;
        }

        private static List<Usage> usages(long sent, long received) {
            return Stream.of(TokenKind.INPUT, TokenKind.CACHE_WRITE, TokenKind.CACHE_WRITE_1H)
                    .flatMap(in -> Stream.of(TokenKind.OUTPUT, TokenKind.REASONING, TokenKind.AUDIO_OUTPUT)
                            .map(out -> Usage.builder()
                                    .tokens(in, sent)
                                    .tokens(TokenKind.OUTPUT, received)
                                    .tokens(out, received)
                                    .build()))
                    .toList();
        }
    }
}
