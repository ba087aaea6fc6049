package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZL_Result;

/** Two calls want what is there for one: exactly one passes, and nothing stays held of the other. */
@JCStressTest
@Outcome(
        id = {"true, false, 0+1", "false, true, 0+1"},
        expect = ACCEPTABLE,
        desc = "One passes")
@Outcome(expect = FORBIDDEN, desc = "Both or none pass, or a hold is left")
@State
public class BudgetReserveStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .ticker(() -> 7)
            .budget(Budget.calls("one", 1).per(BudgetWindow.lifetime()).build())
            .build();

    @Actor
    public void one(ZZL_Result seen) {
        seen.r1 = breaker.tryAcquire().isPresent();
    }

    @Actor
    public void other(ZZL_Result seen) {
        seen.r2 = breaker.tryAcquire().isPresent();
    }

    @Arbiter
    public void kept(ZZL_Result seen) {
        BudgetStatus budget = breaker.budgets().get(0);
        seen.r3 = budget.spent() + "+" + budget.held();
    }
}
