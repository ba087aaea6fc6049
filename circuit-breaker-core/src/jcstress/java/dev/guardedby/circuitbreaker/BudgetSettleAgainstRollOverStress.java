package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Instant;
import java.time.ZoneOffset;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZL_Result;

/** Yesterday's call is reported while today begins: today has all its budget, and nothing of yesterday. */
@JCStressTest
@Outcome(id = "true, 0+10", expect = ACCEPTABLE, desc = "The whole budget of the day is there")
@Outcome(expect = FORBIDDEN, desc = "Yesterday's call is in today's account")
@State
public class BudgetSettleAgainstRollOverStress {
    private volatile Instant wall = Instant.parse("2026-01-01T23:59:59Z");
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .ticker(() -> 7)
            .clock(() -> wall)
            .budget(Budget.tokens("daily", 10)
                    .per(BudgetWindow.day(ZoneOffset.UTC))
                    .build())
            .build();
    private final Permit permit = breaker.acquire(new Cost(5, 0, 0));

    @Actor
    public void report() {
        permit.success();
    }

    @Actor
    public void today(ZL_Result seen) {
        wall = Instant.parse("2026-01-02T00:00:00Z");
        seen.r1 = breaker.tryAcquire(new Cost(10, 0, 0)).isPresent();
    }

    @Arbiter
    public void kept(ZL_Result seen) {
        BudgetStatus budget = breaker.budgets().get(0);
        seen.r2 = budget.spent() + "+" + budget.held();
    }
}
