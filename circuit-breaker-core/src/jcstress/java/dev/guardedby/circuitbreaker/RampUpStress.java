package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** While ramping up, exactly the share is admitted that one thread would get, however many ask at once. */
@JCStressTest
@Outcome(id = "2, 18", expect = ACCEPTABLE, desc = "A tenth of twenty")
@Outcome(expect = FORBIDDEN, desc = "An attempt was not taken into account, or a whole credit spent twice")
@State
public class RampUpStress {
    private long now;
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .rampUp(Duration.ofMinutes(1))
            .ticker(() -> now)
            .build();

    public RampUpStress() {
        breaker.forceOpen();
        now = Duration.ofMinutes(5).toNanos();
        breaker.acquire().success();
    }

    private void tenAttempts() {
        for (int i = 0; i < 10; i++) {
            breaker.tryAcquire().ifPresent(Permit::ignore);
        }
    }

    @Actor
    public void one() {
        tenAttempts();
    }

    /** A caller that asks first and is refused has made its attempt. */
    @Actor
    public void other() {
        for (int i = 0; i < 10; i++) {
            try {
                breaker.checkPermitted();
                breaker.tryAcquire().ifPresent(Permit::ignore);
            } catch (CallNotPermittedException refused) {
                // Counted, as any other refusal.
            }
        }
    }

    @Arbiter
    public void admitted(JJ_Result seen) {
        seen.r1 = breaker.stats().totalIgnored();
        seen.r2 = breaker.stats().totalRejected();
    }
}
