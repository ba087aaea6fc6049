package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LJ_Result;

/**
 * One failure is in the window, and two calls that succeed at once are the second and third of three: whichever completes
 * {@code minimum-calls} trips, though a success is only counted in the usual case.
 */
@JCStressTest
@Outcome(id = "OPEN, 2", expect = ACCEPTABLE, desc = "The success that completes the minimum is not lost")
@Outcome(expect = FORBIDDEN, desc = "Three results are in, one of three failed, and nobody decided")
@State
public class WindowMinimumStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .failureRateThreshold(30)
            .window(10)
            .minimumCalls(3)
            .build();

    public WindowMinimumStress() {
        breaker.acquire().failure(new IOException("down"));
    }

    @Actor
    public void one() {
        breaker.run(() -> {});
    }

    @Actor
    public void other() {
        breaker.run(() -> {});
    }

    @Arbiter
    public void state(LJ_Result seen) {
        seen.r1 = breaker.state();
        seen.r2 = breaker.stats().totalSuccesses();
    }
}
