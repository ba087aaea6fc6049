package dev.guardedby.circuitbreaker;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one model costs, from a day on: its tokens by kind, tier and length of the prompt, and counted units.
 *
 * <p>Immutable. Prices are {@link BigDecimal}s as somebody wrote them, so each is exact, however fine; nothing is rounded before
 * the sum of a call is.
 *
 * <p>Where a price is missing, another one holds, and never none:
 *
 * <ul>
 *   <li>of a kind of tokens, that of the kind which {@link TokenKind} names; without one the model has no price for such a call;
 *   <li>of a length, that of the next shorter one;
 *   <li>of a tier, the standard price times the factor of the tier; without a factor, the standard price of that length or the
 *       tier's price of a shorter one, whichever is higher.
 * </ul>
 */
public final class ModelPrice {
    /** The unit that every call has one of, unless its usage counts more. */
    static final String REQUEST = "request";

    private static final BigDecimal MOST = BigDecimal.valueOf(1_000_000);
    private static final int MOST_DECIMALS = 40;
    private static final int LONGEST_NAME = 256;
    /** Below every threshold, so that a prompt of any length is above it. */
    private static final long ANY_LENGTH = -1;

    /** The prices that one tier has from one length on. */
    private record Place(long above, ServiceTier tier) {}

    private final String model;
    private final List<String> aliases;
    private final @Nullable Instant from;
    private final NavigableMap<Long, Map<ServiceTier, Map<TokenKind, BigDecimal>>> byLength;
    private final Map<ServiceTier, BigDecimal> factors;
    private final Map<String, BigDecimal> units;

    private ModelPrice(Builder builder) {
        model = builder.model;
        aliases = List.copyOf(builder.aliases);
        from = builder.from;
        factors = new EnumMap<>(builder.factors);
        units = Collections.unmodifiableMap(new TreeMap<>(builder.units));
        byLength = new TreeMap<>();
        builder.tokens.forEach(
                (place, prices) -> byLength.computeIfAbsent(place.above, length -> new EnumMap<>(ServiceTier.class))
                        .put(place.tier, new EnumMap<>(prices)));
    }

    /**
     * Prices to be written, none so far.
     *
     * @param model the name of the model, 1 to 256 characters and not blank; case makes no difference
     * @throws IllegalArgumentException if the name is none
     */
    public static Builder builder(String model) {
        return new Builder(name("model", model));
    }

    /** The name of the model. */
    public String model() {
        return model;
    }

    /** Its other names. */
    public List<String> aliases() {
        return aliases;
    }

    /** From when on these prices hold; empty if from ever. */
    public Optional<Instant> from() {
        return Optional.ofNullable(from);
    }

    /** US dollars for one of each unit that has a price. */
    public Map<String, BigDecimal> units() {
        return units;
    }

    /**
     * US dollars for a million tokens.
     *
     * @param kind of which kind
     * @param tier how quickly the model was asked to answer
     * @param inputTokens how long the prompt was in all, cache reads and writes included
     * @return empty if tokens of this kind have no price
     */
    public Optional<BigDecimal> perMillion(TokenKind kind, ServiceTier tier, long inputTokens) {
        for (TokenKind asked = kind; asked != null; asked = asked.otherwise()) {
            BigDecimal price = own(asked, tier, inputTokens);
            if (price != null) {
                return Optional.of(price);
            }
        }
        return Optional.empty();
    }

    private @Nullable BigDecimal own(TokenKind kind, ServiceTier tier, long inputTokens) {
        BigDecimal standard = null;
        for (Map<ServiceTier, Map<TokenKind, BigDecimal>> prices :
                byLength.headMap(inputTokens, false).descendingMap().values()) {
            BigDecimal tiered = price(prices, tier, kind);
            if (tiered != null) {
                return standard == null ? tiered : standard.max(tiered);
            }
            if (standard == null) {
                standard = price(prices, ServiceTier.STANDARD, kind);
                BigDecimal factor = factors.get(tier);
                if (standard != null && factor != null) {
                    return standard.multiply(factor);
                }
            }
        }
        return standard;
    }

    private static @Nullable BigDecimal price(
            Map<ServiceTier, Map<TokenKind, BigDecimal>> prices, ServiceTier tier, TokenKind kind) {
        Map<TokenKind, BigDecimal> ofTier = prices.get(tier);
        return ofTier == null ? null : ofTier.get(kind);
    }

    /** The exact price of a usage in US dollars; null if something that was used has no price. */
    @Nullable BigDecimal usd(Usage usage, ServiceTier tier) {
        BigDecimal forUnits = usdOfUnits(usage);
        if (forUnits == null) {
            return null;
        }
        // What is sold by the piece alone may count tokens, too; they are in the price of the piece.
        if (byLength.isEmpty()) {
            return isSold(usage) ? forUnits : null;
        }
        BigDecimal forTokens = usdOfTokens(usage, tier);
        return forTokens == null ? null : forUnits.add(forTokens);
    }

    private boolean isSold(Usage usage) {
        return units.containsKey(REQUEST) || usage.units().keySet().stream().anyMatch(units::containsKey);
    }

    private @Nullable BigDecimal usdOfTokens(Usage usage, ServiceTier tier) {
        BigDecimal sum = BigDecimal.ZERO;
        long inputTokens = usage.inputTokens();
        for (TokenKind kind : TokenKind.values()) {
            long count = usage.only(kind);
            if (count > 0) {
                BigDecimal price = perMillion(kind, tier, inputTokens).orElse(null);
                if (price == null) {
                    return null;
                }
                sum = sum.add(price.multiply(BigDecimal.valueOf(count)));
            }
        }
        return sum.movePointLeft(6);
    }

    private @Nullable BigDecimal usdOfUnits(Usage usage) {
        BigDecimal request = units.get(REQUEST);
        BigDecimal sum = request == null || usage.units().containsKey(REQUEST) ? BigDecimal.ZERO : request;
        for (Map.Entry<String, Long> counted : usage.units().entrySet()) {
            BigDecimal price = units.get(counted.getKey());
            // A request is a call, and it is in the price of the tokens where it has none of its own.
            if (price == null && !counted.getKey().equals(REQUEST)) {
                return null;
            }
            sum = price == null ? sum : sum.add(price.multiply(BigDecimal.valueOf(counted.getValue())));
        }
        return sum;
    }

    @Override
    public String toString() {
        return "ModelPrice[" + model + from().map(day -> " from " + day).orElse("") + "]";
    }

    private static String name(String what, String name) {
        if (name.isBlank() || name.length() > LONGEST_NAME) {
            throw new IllegalArgumentException(
                    what + " must be 1 to " + LONGEST_NAME + " characters and not blank, but was '" + name + "'");
        }
        return name.strip();
    }

    private static BigDecimal amount(String what, BigDecimal amount) {
        if (amount.signum() < 0) {
            throw new IllegalArgumentException(what + " must be at least 0, but was " + amount);
        }
        if (amount.compareTo(MOST) > 0) {
            throw new IllegalArgumentException(what + " must be at most " + MOST + ", but was " + amount);
        }
        // Also keeps a number of a billion digits out of the sums.
        BigDecimal plain = amount.signum() == 0 ? BigDecimal.ZERO : amount;
        if (plain.scale() > MOST_DECIMALS) {
            throw new IllegalArgumentException(
                    what + " must have at most " + MOST_DECIMALS + " decimals, but was " + amount);
        }
        return plain;
    }

    /** Takes down the prices of a model. Not for several threads at once. */
    public static final class Builder {
        private final String model;
        private final List<String> aliases = new ArrayList<>();
        private final Map<Place, Map<TokenKind, BigDecimal>> tokens = new LinkedHashMap<>();
        private final Map<ServiceTier, BigDecimal> factors = new EnumMap<>(ServiceTier.class);
        private final Map<String, BigDecimal> units = new TreeMap<>();
        private @Nullable Instant from;

        private Builder(String model) {
            this.model = model;
        }

        /**
         * Adds another name of the model.
         *
         * @throws IllegalArgumentException if the name is not 1 to 256 characters, or blank
         */
        public Builder alias(String alias) {
            aliases.add(name("alias", alias));
            return this;
        }

        /** Says from when on these prices hold. By default, from ever. */
        public Builder from(Instant start) {
            from = start;
            return this;
        }

        /**
         * Says what tokens cost at the standard tier.
         *
         * @param kind of which kind
         * @param usdPerMillion US dollars for a million of them, 0 to 1,000,000, with at most 40 decimals
         * @throws IllegalArgumentException if the price is out of range
         */
        public Builder price(TokenKind kind, BigDecimal usdPerMillion) {
            return price(ServiceTier.STANDARD, kind, usdPerMillion);
        }

        /**
         * Says what tokens cost at a tier.
         *
         * @param tier the tier
         * @param kind of which kind
         * @param usdPerMillion US dollars for a million of them, 0 to 1,000,000, with at most 40 decimals
         * @throws IllegalArgumentException if the price is out of range
         */
        public Builder price(ServiceTier tier, TokenKind kind, BigDecimal usdPerMillion) {
            return put(ANY_LENGTH, tier, kind, usdPerMillion);
        }

        /**
         * Says what all tokens of a call cost, output too, when its prompt is long.
         *
         * @param inputTokens a prompt with more tokens than this is long, cache reads and writes included, 1 or more
         * @param tier the tier
         * @param kind of which kind
         * @param usdPerMillion US dollars for a million of them, 0 to 1,000,000, with at most 40 decimals
         * @throws IllegalArgumentException if the length is below 1, or the price is out of range
         */
        public Builder priceAbove(long inputTokens, ServiceTier tier, TokenKind kind, BigDecimal usdPerMillion) {
            if (inputTokens < 1) {
                throw new IllegalArgumentException("tokens must be at least 1, but was " + inputTokens);
            }
            return put(inputTokens, tier, kind, usdPerMillion);
        }

        private Builder put(long above, ServiceTier tier, TokenKind kind, BigDecimal usdPerMillion) {
            tokens.computeIfAbsent(new Place(above, tier), place -> new EnumMap<>(TokenKind.class))
                    .put(kind, amount(kind.key(), usdPerMillion));
            return this;
        }

        /**
         * Says what tokens cost at a tier, as a share of what they cost at the standard tier, where the tier has no price of
         * its own.
         *
         * @param tier the tier, not the standard one
         * @param factor 0 to 1,000,000, such as 0.5 for half
         * @throws IllegalArgumentException if the tier is the standard one, or the factor is out of range
         */
        public Builder factor(ServiceTier tier, BigDecimal factor) {
            if (tier == ServiceTier.STANDARD) {
                throw new IllegalArgumentException("factor must be of another tier than standard");
            }
            factors.put(tier, amount("factor", factor));
            return this;
        }

        /**
         * Says what one of a unit costs. The price of a {@code request} is due once a call, unless its usage counts them.
         *
         * @param unit its name, 1 to 64 small letters, digits and dashes, such as {@code image}
         * @param usd US dollars for one, 0 to 1,000,000, with at most 40 decimals
         * @throws IllegalArgumentException if the name is none, or the price is out of range
         */
        public Builder unit(String unit, BigDecimal usd) {
            units.put(Usage.unit(unit), amount(unit, usd));
            return this;
        }

        /**
         * The prices of the model.
         *
         * @throws IllegalArgumentException if there are none
         */
        public ModelPrice build() {
            if (tokens.isEmpty() && units.isEmpty()) {
                throw new IllegalArgumentException("model '" + model + "' must have a price, but has none");
            }
            return new ModelPrice(this);
        }
    }
}
