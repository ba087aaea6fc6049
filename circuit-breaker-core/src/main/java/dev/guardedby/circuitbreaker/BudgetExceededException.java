package dev.guardedby.circuitbreaker;

import java.io.Serial;

/**
 * A budget refused the call: nothing was sent to the remote, and the remote is not to blame.
 *
 * <p>{@link #retryAfter()} is the time until the next window where the kind is {@link Kind#EXHAUSTED} and the window is one of the
 * calendar; it is empty otherwise, because nobody can tell, and for a limit of 0, which the next window keeps.
 */
public final class BudgetExceededException extends CallNotPermittedException {
    @Serial
    private static final long serialVersionUID = 1;

    private final BudgetRefusal why;

    /**
     * A refusal by a budget.
     *
     * @param state the state of the breaker, which would have let the call pass
     */
    BudgetExceededException(CircuitBreaker breaker, CircuitState state, BudgetRefusal why) {
        super(breaker, state);
        this.why = why;
    }

    /**
     * The budget that refused, as it was at the refusal. For {@link Kind#UNPRICED} and {@link Kind#STORE} no account was looked at: the limit
     * is the configured one, and nothing is shown as spent or held.
     */
    public BudgetStatus budget() {
        return why.status();
    }

    /** Why it refused. */
    public Kind kind() {
        return why.kind();
    }

    @Override
    public Refusal refusal() {
        return why.refusal();
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
