package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Why a budget refuses a call.
 *
 * @param cause what the store threw, where the store is why
 * @param model the model that has no price, where that is why and somebody knows it
 * @param needed what the call may cost in all, in the unit of the budget; null if nobody knows, or that is not why
 */
record BudgetRefusal(
        Budget budget,
        BudgetStatus status,
        Kind kind,
        @Nullable Throwable cause,
        @Nullable String model,
        @Nullable BigDecimal needed) {
    BudgetRefusal(Budget budget, BudgetStatus status, Kind kind, @Nullable Throwable cause) {
        this(budget, status, kind, cause, null, null);
    }

    /** One of a call that needs so much, in the smallest parts of the unit; 0 if nobody knows how much. */
    static BudgetRefusal ofNeed(Budget budget, BudgetStatus status, Kind kind, long needed) {
        boolean isAmount = needed > 0 && budget.unit() != Unit.CALLS;
        return new BudgetRefusal(
                budget, status, kind, null, null, isAmount ? budget.unit().decimal(needed) : null);
    }

    /** The same, because a model has no price. */
    BudgetRefusal ofModel(String name) {
        return new BudgetRefusal(budget, status, kind, cause, name, needed);
    }

    Refusal refusal() {
        return Refusal.of(status, kind, budget.window().words(), model, needed);
    }

    BudgetExceededException exception(CircuitBreaker breaker, CircuitState state) {
        BudgetExceededException exception =
                new BudgetExceededException(breaker, state, status, kind, budget.window(), model, needed);
        if (cause != null) {
            exception.addSuppressed(cause);
        }
        return exception;
    }
}
