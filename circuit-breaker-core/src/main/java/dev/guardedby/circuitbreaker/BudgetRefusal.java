package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.io.Serializable;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Why a budget refuses a call.
 *
 * @param status the budget, as it was then
 * @param window the words of its window
 * @param owner the breaker whose budget it is, as messages call it; null if it is the one that refuses
 * @param cause what the store threw, where the store is why
 * @param model the model that has no price, where that is why and somebody knows it
 * @param needed what the call may cost in all, in the unit of the budget; null if nobody knows, or that is not why
 */
record BudgetRefusal(
        BudgetStatus status,
        Kind kind,
        String window,
        @Nullable String owner,
        @Nullable Throwable cause,
        @Nullable String model,
        @Nullable BigDecimal needed)
        implements Serializable {

    static BudgetRefusal of(Budget budget, BudgetStatus status, Kind kind, @Nullable Throwable cause) {
        return new BudgetRefusal(status, kind, budget.window().words(), null, cause, null, null);
    }

    /** One of a call that needs so much, in the smallest parts of the unit; 0 if nobody knows how much. */
    static BudgetRefusal ofNeed(Budget budget, BudgetStatus status, Kind kind, long needed) {
        Unit unit = budget.unit();
        boolean isAmount = needed > 0 && unit != Unit.CALLS;
        return new BudgetRefusal(
                status, kind, budget.window().words(), null, null, null, isAmount ? unit.decimal(needed) : null);
    }

    /** The same, because a model has no price. */
    BudgetRefusal ofModel(String name) {
        return new BudgetRefusal(status, kind, window, owner, cause, name, needed);
    }

    /** The same, by a budget of another breaker than the one that refuses. */
    BudgetRefusal ownedBy(CircuitBreaker breaker) {
        return new BudgetRefusal(status, kind, window, breaker.titleInside(), cause, model, needed);
    }

    Refusal refusal() {
        return Refusal.of(this);
    }

    BudgetExceededException exception(CircuitBreaker breaker, CircuitState state) {
        BudgetExceededException exception = new BudgetExceededException(breaker, state, this);
        if (cause != null) {
            exception.addSuppressed(cause);
        }
        return exception;
    }
}
