package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Why a budget refuses a call.
 *
 * @param cause what the store threw, where the store is why
 * @param model the model that has no price, where that is why and somebody knows it
 */
record BudgetRefusal(
        Budget budget,
        BudgetStatus status,
        Kind kind,
        @Nullable Throwable cause,
        @Nullable String model) {
    BudgetRefusal(Budget budget, BudgetStatus status, Kind kind, @Nullable Throwable cause) {
        this(budget, status, kind, cause, null);
    }

    /** The same, because a model has no price. */
    BudgetRefusal ofModel(String name) {
        return new BudgetRefusal(budget, status, kind, cause, name);
    }

    Refusal refusal() {
        return Refusal.of(status, kind, budget.window().words(), model);
    }

    BudgetExceededException exception(CircuitBreaker breaker, CircuitState state) {
        BudgetExceededException exception =
                new BudgetExceededException(breaker, state, status, kind, budget.window(), model);
        if (cause != null) {
            exception.addSuppressed(cause);
        }
        return exception;
    }
}
