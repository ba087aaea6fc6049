package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LJJ_Result;

/** Two failures at once are both in the window: together they are the two of two that trip. */
@JCStressTest
@Outcome(id = "OPEN, 2, 2", expect = ACCEPTABLE, desc = "Both failures are in the window, and the later one trips")
@Outcome(expect = FORBIDDEN, desc = "A failure is not in the window, or twice")
@State
public class WindowFailuresStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .failureRateThreshold(100)
            .window(2)
            .minimumCalls(2)
            .build();
    private final Permit first = breaker.acquire();
    private final Permit second = breaker.acquire();

    @Actor
    public void one() {
        first.failure(new IOException("down"));
    }

    @Actor
    public void other() {
        second.failure(new IOException("down"));
    }

    @Arbiter
    public void evidence(LJJ_Result seen) {
        seen.r1 = breaker.state();
        breaker.lastTransition().ifPresent(trip -> {
            seen.r2 = trip.evidence().calls();
            seen.r3 = trip.evidence().failures();
        });
    }
}
