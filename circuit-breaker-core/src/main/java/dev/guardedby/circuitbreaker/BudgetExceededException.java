package dev.guardedby.circuitbreaker;

import java.io.Serial;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * A budget refused the call: nothing was sent to the remote, and the remote is not to blame.
 *
 * <p>{@link #retryAfter()} is the time until the next window where the kind is {@link Kind#EXHAUSTED} and the window is one of the
 * calendar; it is empty otherwise, because nobody can tell, and for a limit of 0, which the next window keeps.
 */
public final class BudgetExceededException extends CallNotPermittedException {
    @Serial
    private static final long serialVersionUID = 1;

    private final BudgetStatus budget;
    private final Kind kind;
    private final String window;
    private final @Nullable String model;
    private final @Nullable BigDecimal needed;

    /**
     * A refusal by a budget.
     *
     * @param state the state of the breaker, which would have let the call pass
     * @param model the model that has no price, where that is why and somebody knows it
     * @param needed what the call may cost in all, in the unit of the budget; null if nobody knows, or that is not why
     */
    BudgetExceededException(
            CircuitBreaker breaker,
            CircuitState state,
            BudgetStatus budget,
            Kind kind,
            BudgetWindow window,
            @Nullable String model,
            @Nullable BigDecimal needed) {
        super(breaker, state);
        this.budget = budget;
        this.kind = kind;
        this.window = window.words();
        this.model = model;
        this.needed = needed;
    }

    /**
     * The budget that refused, as it was at the refusal. For {@link Kind#UNPRICED} and {@link Kind#STORE} no account was looked at: the limit
     * is the configured one, and nothing is shown as spent or held.
     */
    public BudgetStatus budget() {
        return budget;
    }

    /** Why it refused. */
    public Kind kind() {
        return kind;
    }

    @Override
    public Refusal refusal() {
        return Refusal.of(budget, kind, window, model, needed);
    }

    /** Why a budget refuses a call. */
    public enum Kind {
        /** The limit is spent, until the next window. */
        EXHAUSTED,
        /** Calls under way hold what is left; some of it may come back when they end. */
        RESERVED,
        /** What the call may cost is more than the whole limit: it never fits. */
        TOO_LARGE,
        /** Nobody can tell what the call may cost, and the budget must know. */
        UNPRICED,
        /** The store that keeps the budget does not answer. */
        STORE
    }
}
