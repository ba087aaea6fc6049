package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A call is reported while its hold is taken for lost: it costs what it cost, once. */
@JCStressTest
@Outcome(id = "2+0", expect = ACCEPTABLE, desc = "What the call cost")
@Outcome(expect = FORBIDDEN, desc = "The hold is charged, too, or instead, or still held")
@State
public class BudgetSettleAgainstTimeoutStress {
    private volatile long now;
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .ticker(() -> now)
            .holdTimeout(Duration.ofNanos(100))
            .budget(Budget.tokens("tokens", 10).per(BudgetWindow.lifetime()).build())
            .build();
    private final Permit permit = breaker.acquire(new Cost(5, 0, 0));

    @Actor
    public void report() {
        permit.recordCost(new Cost(2, 0, 0));
        permit.success();
    }

    @Actor
    public void lose() {
        now = 100;
        breaker.refusal();
    }

    @Arbiter
    public void kept(L_Result seen) {
        BudgetStatus budget = breaker.budgets().get(0);
        seen.r1 = budget.spent() + "+" + budget.held();
    }
}
