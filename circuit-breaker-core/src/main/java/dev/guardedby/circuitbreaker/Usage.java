package dev.guardedby.circuitbreaker;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What one call of a model used: tokens by kind, and counted things by name.
 *
 * <p>Immutable. The kinds are counted apart, whatever the provider's way of counting: of a prompt of 1,000 tokens with 400 from a
 * cache, 600 are {@link TokenKind#INPUT} and 400 {@link TokenKind#CACHED_INPUT}.
 */
public final class Usage {
    /** Nothing. It is not the same as not knowing: for that there is {@link Confidence#UNKNOWN}. */
    public static final Usage NONE = builder().build();

    /** More in one call is no usage but a mistake, 10^12. */
    private static final long MOST = 1_000_000_000_000L;

    private static final Pattern UNIT = Pattern.compile("[a-z][a-z0-9-]{0,63}");

    private final EnumMap<TokenKind, Long> tokens;
    private final SortedMap<String, Long> units;

    private Usage(Builder builder) {
        tokens = new EnumMap<>(builder.tokens);
        units = Collections.unmodifiableSortedMap(new TreeMap<>(builder.units));
        withinTheWhole();
        atMost("input tokens", inputTokens());
    }

    /** A usage that says nothing of caches, reasoning and the like. */
    public static Usage of(long input, long output) {
        return builder()
                .tokens(TokenKind.INPUT, input)
                .tokens(TokenKind.OUTPUT, output)
                .build();
    }

    /** A usage to be written, all of it 0 so far. */
    public static Builder builder() {
        return new Builder();
    }

    /** How many tokens of a kind, 0 or more. */
    public long tokens(TokenKind kind) {
        return tokens.getOrDefault(kind, 0L);
    }

    /** All tokens sent: input, and what was read from and written to a cache. */
    public long inputTokens() {
        return tokens(TokenKind.INPUT)
                + tokens(TokenKind.CACHED_INPUT)
                + tokens(TokenKind.CACHE_WRITE)
                + tokens(TokenKind.CACHE_WRITE_1H);
    }

    /** All tokens received, those of reasoning and audio among them. */
    public long outputTokens() {
        return tokens(TokenKind.OUTPUT);
    }

    /** What is counted other than in tokens, by name, such as {@code image} or {@code web-search}; never 0. */
    public Map<String, Long> units() {
        return units;
    }

    /**
     * The usage as a cost.
     *
     * @param nanoUsd what it cost, in billionths of a US dollar, 0 or more
     * @throws IllegalArgumentException if the amount is negative
     */
    public Cost cost(long nanoUsd) {
        return new Cost(inputTokens(), outputTokens(), nanoUsd);
    }

    /** The tokens that are of this kind and of none that is among it. */
    long only(TokenKind kind) {
        long only = tokens(kind);
        for (TokenKind other : TokenKind.values()) {
            if (other.whole() == kind) {
                only -= tokens(other);
            }
        }
        return only;
    }

    private void withinTheWhole() {
        for (TokenKind kind : TokenKind.values()) {
            if (only(kind) < 0) {
                StringBuilder parts = new StringBuilder();
                for (TokenKind part : TokenKind.values()) {
                    if (part.whole() == kind && tokens(part) > 0) {
                        parts.append(parts.isEmpty() ? "" : " and ")
                                .append(part.key())
                                .append(" was ")
                                .append(tokens(part));
                    }
                }
                throw new IllegalArgumentException(
                        "what is among the " + kind.key() + " tokens must be at most these, but " + parts + " and "
                                + kind.key() + " was " + tokens(kind));
            }
        }
    }

    private static void atMost(String what, long count) {
        if (count < 0) {
            throw new IllegalArgumentException(what + " must not be negative, but was " + count);
        }
        if (count > MOST) {
            throw new IllegalArgumentException(what + " must be at most " + MOST + " a call, but was " + count);
        }
    }

    /** Refuses a name that no unit can have. */
    static String unit(String name) {
        if (!UNIT.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "unit must be 1 to 64 small letters, digits and dashes, a letter first, but was '" + name + "'");
        }
        return name;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Usage usage && tokens.equals(usage.tokens) && units.equals(usage.units);
    }

    @Override
    public int hashCode() {
        return Objects.hash(tokens, units);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Usage[");
        tokens.forEach((kind, count) -> append(text, kind.key(), count));
        units.forEach((unit, count) -> append(text, unit, count));
        return text.append(']').toString();
    }

    private static void append(StringBuilder text, String what, long count) {
        text.append(text.charAt(text.length() - 1) == '[' ? "" : ", ")
                .append(what)
                .append('=')
                .append(count);
    }

    /** Counts what was used. Not for several threads at once. */
    public static final class Builder {
        private final EnumMap<TokenKind, Long> tokens = new EnumMap<>(TokenKind.class);
        private final SortedMap<String, Long> units = new TreeMap<>();

        private Builder() {}

        /**
         * Says how many tokens of a kind there were; the last word counts.
         *
         * @param kind the kind
         * @param count 0 to 10^12
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder tokens(TokenKind kind, long count) {
            atMost(kind.key() + " tokens", count);
            if (count == 0) {
                tokens.remove(kind);
            } else {
                tokens.put(kind, count);
            }
            return this;
        }

        /**
         * Says how many of a unit there were; the last word counts.
         *
         * @param unit its name, 1 to 64 small letters, digits and dashes: {@code image}, {@code second}, {@code character},
         *     {@code request}, {@code web-search}
         * @param count 0 to 10^12
         * @throws IllegalArgumentException if the name is none, or the count out of range
         */
        public Builder units(String unit, long count) {
            atMost("unit " + unit(unit), count);
            if (count == 0) {
                units.remove(unit);
            } else {
                units.put(unit, count);
            }
            return this;
        }

        /**
         * The usage.
         *
         * @throws IllegalArgumentException if there is more of a part than of the whole, reasoning than output for example, or
         *     more than 10^12 tokens were sent in all
         */
        public Usage build() {
            return new Usage(this);
        }
    }
}
