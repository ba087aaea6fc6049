package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLLLL_Result;

/**
 * A call succeeds while another one's failure is the second of the two that trip.
 *
 * <p>Seen are the state, the consecutive failures, the successes, the refusals and the stale results: a success that came
 * too late to prevent the trip must be stale, and one that is not stale must have prevented it.
 */
@JCStressTest
@Outcome(id = "CLOSED, 1, 1, 0, 0", expect = ACCEPTABLE, desc = "The success came first, and the failure starts over")
@Outcome(id = "OPEN, 2, 1, 0, 1", expect = ACCEPTABLE, desc = "The trip came while the call was running")
@Outcome(id = "OPEN, 2, 0, 1, 0", expect = ACCEPTABLE, desc = "The trip came before the call")
@Outcome(expect = FORBIDDEN, desc = "Numbers that do not belong together")
@State
public class SuccessAgainstTripStress {
    private final CircuitBreaker breaker =
            CircuitBreaker.builder("raced").failureThreshold(2).build();
    private final Permit failing;

    public SuccessAgainstTripStress() {
        breaker.recordFailure();
        failing = breaker.acquire();
    }

    @Actor
    public void success() {
        try {
            breaker.run(() -> {});
        } catch (CallNotPermittedException refused) {
            // One of the outcomes; the breaker counts it.
        }
    }

    @Actor
    public void trip() {
        failing.failure(new IOException("down"));
    }

    @Arbiter
    public void numbers(LLLLL_Result seen) {
        CircuitBreakerStats stats = breaker.stats();
        seen.r1 = stats.state();
        seen.r2 = stats.consecutiveFailures();
        seen.r3 = stats.totalSuccesses();
        seen.r4 = stats.totalRejected();
        seen.r5 = stats.stale();
    }
}
