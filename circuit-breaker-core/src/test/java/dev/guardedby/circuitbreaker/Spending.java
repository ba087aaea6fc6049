package dev.guardedby.circuitbreaker;

import java.math.BigDecimal;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.stream.Collectors;

/** Budgets in words, for tests. */
final class Spending {
    private Spending() {}

    /** A budget of so many US dollars a day. */
    static Budget daily(String usd) {
        return dailyBuilder(usd).build();
    }

    static Budget.Builder dailyBuilder(String usd) {
        return Budget.usd("daily", new BigDecimal(usd)).per(BudgetWindow.day(ZoneOffset.UTC));
    }

    /** A budget of so many US dollars for one call and all that is guarded inside it. */
    static Budget run(String usd) {
        return Budget.usd("run", new BigDecimal(usd)).per(BudgetWindow.call()).build();
    }

    static Budget calls(long limit) {
        return Budget.calls("calls", limit).per(BudgetWindow.lifetime()).build();
    }

    static Cost usd(String amount) {
        return Cost.usd(amount);
    }

    /** {@code daily 0.4+0.1/1}: spent, held and limit of each. */
    static String shown(CircuitBreaker breaker) {
        return breaker.budgets().stream()
                .map(budget -> budget.name() + " " + budget.spent().toPlainString() + "+"
                        + budget.held().toPlainString() + "/" + budget.limit().toPlainString())
                .collect(Collectors.joining(", "));
    }

    /** Why a call that may cost so much is refused, in short; {@code "passes"} and the permit is gone if it is not. */
    static String refusal(CircuitBreaker breaker, Cost hold) {
        try {
            breaker.acquire(hold).ignore();
            return "passes";
        } catch (BudgetExceededException refused) {
            return refused.budget().name() + " " + refused.kind();
        } catch (CallNotPermittedException refused) {
            return refused.refusal().reason().name();
        }
    }

    static void spend(CircuitBreaker breaker, String usd) {
        Permit permit = breaker.acquire();
        permit.recordCost(Cost.usd(usd));
        permit.success();
    }

    static String reason(CircuitBreaker breaker) {
        Optional<Refusal> refusal = breaker.refusal();
        return refusal.map(given -> given.reason().name()).orElse("passes");
    }
}
