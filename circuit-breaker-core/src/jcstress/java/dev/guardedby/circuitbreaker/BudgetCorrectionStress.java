package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A cost is recorded while the call is reported, which would have cost its hold: it costs what was recorded. */
@JCStressTest
@Outcome(id = "3+0", expect = ACCEPTABLE, desc = "What was recorded, before or after")
@Outcome(expect = FORBIDDEN, desc = "A correction was lost, or the hold is charged")
@State
public class BudgetCorrectionStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .ticker(() -> 7)
            .budget(Budget.tokens("tokens", 10).per(BudgetWindow.lifetime()).build())
            .build();
    private final Permit permit = breaker.acquire(new Cost(5, 0, 0));

    @Actor
    public void report() {
        permit.success();
    }

    @Actor
    public void one() {
        permit.recordCost(new Cost(1, 0, 0));
    }

    @Actor
    public void other() {
        permit.recordCost(new Cost(2, 0, 0));
    }

    @Arbiter
    public void kept(L_Result seen) {
        BudgetStatus budget = breaker.budgets().get(0);
        seen.r1 = budget.spent() + "+" + budget.held();
    }
}
