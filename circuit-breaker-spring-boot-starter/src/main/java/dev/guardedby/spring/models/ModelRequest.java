package dev.guardedby.spring.models;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ObjectUtils;

/**
 * What is known of a call of a model before it is made.
 *
 * @param provider who serves the model, in the words of price lists; null if not told
 * @param model the model that is asked for; null if not told
 * @param inputTokens at most so many tokens are sent, 0 to 10^12; 0 if nobody knows
 * @param maxOutputTokens at most so many tokens are received, 0 to 10^12; null if there is no limit
 * @param attempts how often the client may try, each of which may cost, 1 to 1,000
 * @param fixed whether no other model can be asked instead
 */
public record ModelRequest(
        @Nullable String provider,
        @Nullable String model,
        long inputTokens,
        @Nullable Long maxOutputTokens,
        int attempts,
        boolean fixed) {
    private static final long MOST_TOKENS = 1_000_000_000_000L;
    private static final int MOST_ATTEMPTS = 1_000;
    /** Who serves Anthropic's models. */
    private static final Set<String> OF_ANTHROPIC = Set.of("anthropic", "bedrock", "vertex_ai");

    private static final long MOST_EXPLAINED = 1_000;

    /**
     * A request.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public ModelRequest {
        inRange("inputTokens", inputTokens, 0, MOST_TOKENS);
        inRange("maxOutputTokens", maxOutputTokens == null ? 0 : maxOutputTokens, 0, MOST_TOKENS);
        inRange("attempts", attempts, 1, MOST_ATTEMPTS);
    }

    /** A request for a model of which nothing else is known, to be tried once. */
    public static ModelRequest of(@Nullable String model) {
        return new ModelRequest(null, model, 0, null, 1, false);
    }

    /**
     * The same, with the most tokens that are sent and received.
     *
     * @throws IllegalArgumentException if a number is out of its range
     */
    public ModelRequest withTokens(long mostSent, @Nullable Long mostReceived) {
        return new ModelRequest(provider, model, mostSent, mostReceived, attempts, fixed);
    }

    /** The same for another model. */
    public ModelRequest by(String otherModel) {
        return new ModelRequest(provider, otherModel, inputTokens, maxOutputTokens, attempts, fixed);
    }

    /** The same, served by a provider. */
    public ModelRequest servedBy(@Nullable String otherProvider) {
        return new ModelRequest(otherProvider, model, inputTokens, maxOutputTokens, attempts, fixed);
    }

    /**
     * The same, tried at most so often, 1 to 1,000.
     *
     * @throws IllegalArgumentException if that is out of its range
     */
    public ModelRequest triedAtMost(int times) {
        return new ModelRequest(provider, model, inputTokens, maxOutputTokens, times, fixed);
    }

    /** The same, for a client that lets nobody ask another model. */
    public ModelRequest withFixedModel() {
        return new ModelRequest(provider, model, inputTokens, maxOutputTokens, attempts, true);
    }

    /**
     * What a provider explains tools and formats with, in tokens: Anthropic's documentation says up to 530, depending on the model.
     *
     * @param provider null if not told: it may be one of those who serve Anthropic's models
     */
    static long explained(@Nullable String provider) {
        return provider == null || OF_ANTHROPIC.contains(provider) ? MOST_EXPLAINED : 0;
    }

    /** How often a client tries that tries again so often, as far as that can be said here. */
    static int attempts(int retries) {
        return 1 + Math.max(0, Math.min(retries, MOST_ATTEMPTS - 1));
    }

    /** So many tokens for each of so many answers, 1 or more; null, which is no limit, if they are less than 1 or more than can be asked for. */
    static @Nullable Long limit(long tokens, long answers) {
        // Negative ones stand for no limit, with Ollama for example.
        return tokens < 1 || tokens > MOST_TOKENS / answers ? null : tokens * answers;
    }

    /** Whether an option of a client says nothing, or no. */
    static boolean isOff(@Nullable Object option) {
        return ObjectUtils.isEmpty(option) || Boolean.FALSE.equals(option);
    }

    private static void inRange(String what, long number, long least, long most) {
        if (number < least || number > most) {
            throw new IllegalArgumentException(what + " must be from " + least + " to " + most + ", but was " + number);
        }
    }
}
