package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LJJ_Result;

/** Two callers find at once that calls hang: the breaker trips once, and neither of them passes. */
@JCStressTest
@Outcome(id = "OPEN, 1, 2", expect = ACCEPTABLE, desc = "One trip, two refusals")
@Outcome(expect = FORBIDDEN, desc = "The loser of the race got through, or the trip was lost")
@State
public class HungTripStress {
    private long now;
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .slowCallDuration(Duration.ofSeconds(2))
            .slowCallRateThreshold(100)
            .minimumCalls(1)
            .ticker(() -> now)
            .build();

    public HungTripStress() {
        breaker.acquire();
        now = Duration.ofSeconds(3).toNanos();
    }

    @Actor
    public void one() {
        breaker.tryAcquire();
    }

    @Actor
    public void other() {
        breaker.tryAcquire();
    }

    @Arbiter
    public void counts(LJJ_Result seen) {
        CircuitBreakerStats stats = breaker.stats();
        seen.r1 = stats.state();
        seen.r2 = stats.timesOpened();
        seen.r3 = stats.totalRejected();
    }
}
