package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.io.IOException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLLL_Result;

/**
 * A failure that would be the second of the two that trip by their rate comes while an operator resets: it trips before, or
 * is stale, and is in no window afterwards.
 */
@JCStressTest
@Outcome(id = "1, 0, CLOSED, OPEN", expect = ACCEPTABLE, desc = "It tripped, and the reset closed again")
@Outcome(id = "0, 1, CLOSED, OPEN", expect = ACCEPTABLE, desc = "The reset came first: stale")
@Outcome(expect = FORBIDDEN, desc = "The failure of the old period is in the window of the new one")
@State
public class WindowResetStress {
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .failureRateThreshold(100)
            .window(2)
            .minimumCalls(2)
            .build();
    private final Permit second;

    public WindowResetStress() {
        breaker.acquire().failure(new IOException("down"));
        second = breaker.acquire();
    }

    @Actor
    public void fails() {
        second.failure(new IOException("down"));
    }

    @Actor
    public void reset() {
        breaker.reset();
    }

    @Arbiter
    public void windowAfterwards(LLLL_Result seen) {
        seen.r1 = breaker.stats().timesOpened();
        seen.r2 = breaker.stats().stale();
        breaker.tryAcquire().ifPresent(permit -> permit.failure(new IOException("down")));
        seen.r3 = breaker.state();
        breaker.tryAcquire().ifPresent(permit -> permit.failure(new IOException("down")));
        seen.r4 = breaker.state();
    }
}
