package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.math.BigDecimal;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJJJJ_Result;

/** Totals never lose an update: two threads count the same at the same time, and both are there. */
@JCStressTest
@Outcome(id = "2, 2, 2, 2, 6, 4", expect = ACCEPTABLE, desc = "Both threads' calls, and what they cost")
@Outcome(expect = FORBIDDEN, desc = "An update is lost or made up")
@State
public class TotalsStress {
    private static final BigDecimal TWO_NANO_USD = new BigDecimal("0.000000002");

    private final CircuitBreaker breaker = CircuitBreaker.of("raced");

    private void calls() {
        breaker.run(() -> {});
        breaker.recordFailure();
        breaker.acquire().close();
        breaker.recordCost(3, 0, TWO_NANO_USD);
    }

    @Actor
    public void one() {
        calls();
    }

    @Actor
    public void other() {
        calls();
    }

    @Arbiter
    public void totals(JJJJJJ_Result seen) {
        CircuitBreakerStats stats = breaker.stats();
        seen.r1 = stats.totalSuccesses();
        seen.r2 = stats.totalFailures();
        seen.r3 = stats.totalIgnored();
        seen.r4 = stats.unreported();
        seen.r5 = stats.totalInputTokens();
        seen.r6 = stats.totalEstimatedCost().movePointRight(9).longValueExact();
    }
}
