package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * Is told what a breaker does.
 *
 * <p>All methods are called outside every lock, by the thread whose call caused the event, except that transitions are
 * delivered one at a time and in order by whichever thread is delivering, so a call may return before its transition is
 * delivered, and a listener that moves the breaker gets that event after it returns. What a listener throws is logged and
 * reaches no caller. Implementations must be thread-safe and quick: results are told on the path of the call.
 */
public interface CircuitBreakerListener {
    /** The breaker changed its state. */
    default void onTransition(Transition transition) {}

    /**
     * A call was reported.
     *
     * @param breaker the breaker that admitted it
     * @param outcome how it counted
     * @param durationNanos how long it ran, in nanoseconds; -1 if no listener {@linkplain #wantsDurations() wants to know}
     *     and for results reported without a permit
     * @param failure what the call threw, the very object, whatever the outcome; null if it threw nothing
     */
    default void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {}

    /** A call was refused. */
    default void onRefused(CircuitBreaker breaker, Refusal refusal) {}

    /**
     * A cost was recorded, or a call with budgets is charged what it held, of a success be that nothing, because nobody knows what it
     * cost. What the steps of a call cost is told when the call has ended.
     *
     * @param breaker the breaker whose call it was
     * @param cost how much
     * @param confidence how far it can be trusted; {@link Confidence#UNKNOWN} for what was held
     */
    default void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {}

    /**
     * A budget of the breaker has passed one of its {@code warn-at} levels, or its {@code degrade-at}: told once a level and window, and
     * for a rolling window at most once in its length. Of a budget that breakers share the listeners of the one are told whose call passed it.
     *
     * @param budget how it stands
     * @param percent the level, of the limit that is spent
     */
    default void onBudget(CircuitBreaker breaker, BudgetStatus budget, int percent) {}

    /**
     * Whether {@link #onResult} is to be told at all; asked once, at build. Where nobody wants results, a success costs no
     * more than without listeners.
     */
    default boolean wantsResults() {
        return true;
    }

    /** Whether {@link #onResult} is to be told durations, which costs two clock reads a call; asked once, at build. */
    default boolean wantsDurations() {
        return false;
    }
}
