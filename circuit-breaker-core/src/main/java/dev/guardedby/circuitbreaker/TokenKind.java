package dev.guardedby.circuitbreaker;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What kind of tokens a model counts and has prices for.
 *
 * <p>{@link #INPUT}, {@link #CACHED_INPUT}, {@link #CACHE_WRITE}, {@link #CACHE_WRITE_1H} and {@link #OUTPUT} are disjoint: a token
 * is one of them. {@link #AUDIO_INPUT} says how many of the input, and {@link #REASONING} and {@link #AUDIO_OUTPUT} say how many
 * of the output are of that kind; no token is counted as two of these.
 */
public enum TokenKind {
    /** Tokens sent that no cache knew, and that were not written to one. */
    INPUT(null, null),
    /** Tokens sent that were read from a cache. Without a price of their own they cost what input costs. */
    CACHED_INPUT(INPUT, null),
    /** Tokens sent that were written to a cache, for some minutes. Without a price of their own they cost what input costs. */
    CACHE_WRITE(INPUT, null),
    /**
     * Tokens sent that were written to a cache, for an hour or more. Without a price of their own they cost what
     * {@link #CACHE_WRITE} costs.
     */
    CACHE_WRITE_1H(CACHE_WRITE, null),
    /** Tokens received, those of reasoning and audio among them. */
    OUTPUT(null, null),
    /** Those of the output that the model thought and did not say. Without a price of their own they cost what output costs. */
    REASONING(OUTPUT, OUTPUT),
    /** Those of the input that are sound. Without a price of their own they cost what input costs. */
    AUDIO_INPUT(INPUT, INPUT),
    /** Those of the output that are sound. Without a price of their own they cost what output costs. */
    AUDIO_OUTPUT(OUTPUT, OUTPUT);

    private final @Nullable TokenKind otherwise;
    private final @Nullable TokenKind whole;

    TokenKind(@Nullable TokenKind otherwise, @Nullable TokenKind whole) {
        this.otherwise = otherwise;
        this.whole = whole;
    }

    /** The kind as it is written in settings, {@code cached-input}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The kind whose price holds where this one has none; null if there is no other. */
    @Nullable TokenKind otherwise() {
        return otherwise;
    }

    /** The kind that these tokens are among; null if they are counted by themselves. */
    @Nullable TokenKind whole() {
        return whole;
    }
}
