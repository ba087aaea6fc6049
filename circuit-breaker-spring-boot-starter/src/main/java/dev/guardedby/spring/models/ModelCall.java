package dev.guardedby.spring.models;

import dev.guardedby.circuitbreaker.ModelUsage;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One call of a model, which is permitted. Say how it ended; if that is known better later, say it again: the last word counts, though
 * totals never fall. A call of which nobody says how it ended costs what was held for it. Thread-safe.
 */
public interface ModelCall {
    /** The cheaper model to call instead, where a budget asks for it; empty to call the one that was asked for. */
    Optional<String> model();

    /**
     * It has ended with an answer, which tells what was used.
     *
     * @param answer of a type that one of the {@link dev.guardedby.spring.usage.UsageExtractor}s reads; else, and if it is null, the call
     *     costs what was held
     */
    void end(@Nullable Object answer);

    /**
     * It has ended with an answer that came in pieces.
     *
     * @param last the piece that tells what was used, of a type as in {@link #end(Object)}; if it tells nothing, or is null, the call costs
     *     what was held, or what was sent and received by estimate if that is more
     * @param outputTokens tokens received, by estimate, 0 or more
     * @throws IllegalArgumentException if {@code outputTokens} is negative
     */
    void endStream(@Nullable Object last, long outputTokens);

    /**
     * It has ended, and used this.
     *
     * @throws IllegalArgumentException if that is more than 10^12 tokens, or costs more than 1,000,000 USD; then it has not ended
     */
    void end(ModelUsage usage);

    /**
     * A stream was cut short: it has cost what was sent, and so much of what was received, by estimate.
     *
     * @param outputTokens tokens received before, 0 or more
     * @throws IllegalArgumentException if that is negative
     */
    void cut(long outputTokens);

    /** It was not made after all: it costs nothing. */
    void notMade();

    /** It has failed: it costs what was held where the breaker's {@code charge-on-failure} says so, and else nothing. */
    void fail(Throwable failure);

    /**
     * Whether the current thread is in the guarded call that this belongs to, and in no other further in; for a call outside all, whether
     * the thread is outside all.
     */
    boolean isCurrent();

    /**
     * Does something inside the guarded call that this belongs to, on whichever thread: what a stream calls back may well call models
     * itself. What it throws is thrown.
     */
    void inside(Runnable work);
}
