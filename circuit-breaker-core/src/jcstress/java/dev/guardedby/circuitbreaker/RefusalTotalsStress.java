package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** A refusal counts once, either as one or, in a dry run, as one that would have been. */
@JCStressTest
@Outcome(id = "2, 1", expect = ACCEPTABLE, desc = "Both calls of the one thread came before the dry run")
@Outcome(id = "1, 2", expect = ACCEPTABLE, desc = "The dry run began between them")
@Outcome(id = "0, 3", expect = ACCEPTABLE, desc = "The dry run began before both")
@Outcome(expect = FORBIDDEN, desc = "A refusal is lost or counted twice")
@State
public class RefusalTotalsStress {
    private final CircuitBreaker breaker = CircuitBreaker.of("raced");

    public RefusalTotalsStress() {
        breaker.holdOpen();
    }

    @Actor
    public void calls() {
        breaker.canExecute();
        breaker.tryAcquire();
    }

    @Actor
    public void beginsTheDryRun() {
        breaker.mode(Mode.OBSERVE);
        breaker.tryAcquire();
    }

    @Arbiter
    public void totals(JJ_Result seen) {
        CircuitBreakerStats stats = breaker.stats();
        seen.r1 = stats.totalRejected();
        seen.r2 = stats.wouldReject();
    }
}
