package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLLL_Result;

/** A probe's permit is reported exactly once, though one thread reports a success while another one closes it. */
@JCStressTest
@Outcome(id = "CLOSED, 1, 0, 0", expect = ACCEPTABLE, desc = "The success was the report")
@Outcome(id = "HALF_OPEN, 0, 1, 1", expect = ACCEPTABLE, desc = "The close was the report, and gave the slot back")
@Outcome(expect = FORBIDDEN, desc = "Reported twice, by halves or not at all")
@State
public class PermitStress {
    private long now;
    private final CircuitBreaker breaker =
            CircuitBreaker.builder("raced").ticker(() -> now).build();
    private final Permit probe;

    public PermitStress() {
        breaker.forceOpen();
        now = Duration.ofMinutes(5).toNanos();
        probe = breaker.acquire();
    }

    @Actor
    public void success() {
        probe.success();
    }

    @Actor
    public void close() {
        probe.close();
    }

    @Arbiter
    public void counted(LLLL_Result seen) {
        CircuitBreakerStats stats = breaker.stats();
        boolean free = breaker.refusal().isEmpty();
        seen.r1 = free ? stats.state() : stats.state() + " without a slot";
        seen.r2 = stats.totalSuccesses();
        seen.r3 = stats.totalIgnored();
        seen.r4 = stats.unreported();
    }
}
