package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Why a budget refuses a call.
 *
 * @param cause what the store threw, where the store is why
 */
record BudgetRefusal(
        Budget budget,
        BudgetStatus status,
        Kind kind,
        @Nullable Throwable cause) {
    Refusal refusal() {
        return Refusal.of(status, kind, budget.window().words());
    }

    BudgetExceededException exception(CircuitBreaker breaker, CircuitState state) {
        BudgetExceededException exception = new BudgetExceededException(breaker, state, status, kind, budget.window());
        if (cause != null) {
            exception.addSuppressed(cause);
        }
        return exception;
    }
}
