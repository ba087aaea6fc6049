package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The counts of an answer in the words of its provider, on the way to being counted apart.
 *
 * @param input tokens sent; whether those of the cache are among them depends on the provider
 * @param cached of the tokens sent, those read from a cache
 * @param written of the tokens sent, those written to a cache for some minutes
 * @param writtenForAnHour of the tokens sent, those written to a cache for longer
 * @param output tokens received, those of reasoning among them
 * @param reasoning of the tokens received, those that were thought and not said
 */
record Counts(long input, long cached, long written, long writtenForAnHour, long output, long reasoning) {
    private static final String IMAGE = "image";

    /** As OpenAI counts: the tokens of the cache are among those sent. */
    Usage.Builder cacheAmongInput() {
        long rest = input - cached - written - writtenForAnHour;
        // There cannot be more of a part than of the whole, so this server counts as Anthropic does.
        return rest < 0 ? cacheBesideInput() : counted(rest);
    }

    /** As Anthropic counts: the tokens of the cache come on top of those sent. */
    Usage.Builder cacheBesideInput() {
        return counted(input);
    }

    private Usage.Builder counted(long uncached) {
        return Usage.builder()
                .tokens(TokenKind.INPUT, uncached)
                .tokens(TokenKind.CACHED_INPUT, cached)
                .tokens(TokenKind.CACHE_WRITE, written)
                .tokens(TokenKind.CACHE_WRITE_1H, writtenForAnHour)
                .tokens(TokenKind.OUTPUT, output)
                .tokens(TokenKind.REASONING, Math.min(reasoning, output));
    }

    /** A count that may be missing. */
    static long orNone(@Nullable Number count) {
        return count == null ? 0 : count.longValue();
    }

    /** What a model used; where it says nothing, or that it used nothing at all, that is not known. */
    static Optional<ModelUsage> reported(
            @Nullable String provider, @Nullable String model, @Nullable Usage usage, ServiceTier tier) {
        ModelUsage told = usage == null || usage.equals(Usage.NONE)
                ? ModelUsage.unknown(model)
                : ModelUsage.of(model, usage).with(tier);
        return Optional.of(told.servedBy(provider));
    }

    /** The same with more tokens received. */
    static Usage more(Usage usage, long output) {
        Usage.Builder more = Usage.builder();
        for (TokenKind kind : TokenKind.values()) {
            more.tokens(kind, usage.tokens(kind));
        }
        usage.units().forEach(more::units);
        return more.tokens(TokenKind.OUTPUT, usage.outputTokens() + output).build();
    }

    /** Pictures, for answers that tell no tokens; null if there are none. */
    static @Nullable Usage images(long count) {
        return count == 0 ? null : Usage.builder().units(IMAGE, count).build();
    }

    /** The tier as providers name it; for one of no special price, the standard one. */
    static ServiceTier tier(@Nullable String name) {
        return switch (name == null ? "" : name) {
            case "batch" -> ServiceTier.BATCH;
            case "flex" -> ServiceTier.FLEX;
            case "priority", "fast" -> ServiceTier.PRIORITY;
            default -> ServiceTier.STANDARD;
        };
    }
}
