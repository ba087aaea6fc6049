package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** Two steps of one call, each of which may cost 6 of 10 and costs 4. */
@JCStressTest
@Outcome(id = "4+0", expect = ACCEPTABLE, desc = "One was made")
@Outcome(id = "8+0", expect = ACCEPTABLE, desc = "Two were made, the second step when the first had ended")
@Outcome(expect = FORBIDDEN, desc = "None was, the limit was passed, or something is still held")
@State
public class BudgetStepStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .ticker(() -> 7)
            .budget(Budget.tokens("tokens", 10).per(BudgetWindow.lifetime()).build())
            .build();
    private final Permit permit = breaker.acquire();

    @Actor
    public void oneStep() {
        step();
    }

    @Actor
    public void anotherStep() {
        step();
    }

    private void step() {
        try {
            permit.step(Estimate.atMost(new Cost(6, 0, 0))).end(new Cost(4, 0, 0), Confidence.REPORTED);
        } catch (BudgetExceededException refused) {
            // There was no room.
        }
    }

    @Arbiter
    public void spent(L_Result seen) {
        permit.success();
        BudgetStatus budget = breaker.budgets().get(0);
        seen.r1 = budget.spent() + "+" + budget.held();
    }
}
