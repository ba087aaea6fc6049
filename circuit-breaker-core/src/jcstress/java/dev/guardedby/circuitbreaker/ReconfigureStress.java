package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/**
 * The threshold falls to one while a failure is reported: the failure trips with a whole wait, or the next result does, and
 * the breaker is not left without either.
 */
@JCStressTest
@Outcome(id = "CLOSED, none, PT5M", expect = ACCEPTABLE, desc = "Judged by the old threshold; the next failure trips")
@Outcome(id = "OPEN, PT5M, PT5M", expect = ACCEPTABLE, desc = "Judged by the new one")
@Outcome(expect = FORBIDDEN, desc = "Open for another time than the wait, or not tripping at all")
@State
public class ReconfigureStress {
    private final CircuitBreaker breaker =
            CircuitBreaker.builder("raced").failureThreshold(5).ticker(() -> 7).build();
    private final Permit failing = breaker.acquire();

    @Actor
    public void change() {
        breaker.reconfigure(settings -> settings.failureThreshold(1));
    }

    @Actor
    public void fails() {
        failing.failure(new IOException("down"));
    }

    @Arbiter
    public void waits(LLL_Result seen) {
        seen.r1 = breaker.state();
        seen.r2 = breaker.timeUntilRetry().map(Object::toString).orElse("none");
        breaker.recordFailure();
        seen.r3 = breaker.timeUntilRetry().map(Object::toString).orElse("none");
    }
}
