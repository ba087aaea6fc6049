package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.ArrayList;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/**
 * Transitions are told one at a time, in order and each once, whichever of two movers delivers.
 *
 * <p>The listener's list is not thread-safe: one at a time has to be enough.
 */
@JCStressTest
@Outcome(id = "in order, all", expect = ACCEPTABLE, desc = "Each began where the one before ended, and none is missing")
@Outcome(expect = FORBIDDEN, desc = "Out of order, told twice or never")
@State
public class DeliveryStress {
    private final List<Transition> told = new ArrayList<>();
    private final CircuitBreaker breaker = CircuitBreaker.builder("raced")
            .listener(new CircuitBreakerListener() {
                @Override
                public void onTransition(Transition transition) {
                    told.add(transition);
                }
            })
            .build();

    @Actor
    public void one() {
        breaker.forceOpen();
        breaker.reset();
        breaker.forceOpen();
    }

    @Actor
    public void other() {
        breaker.holdOpen();
        breaker.forceClose();
    }

    @Arbiter
    public void history(LL_Result seen) {
        CircuitState state = CircuitState.CLOSED;
        seen.r1 = "in order";
        for (Transition transition : told) {
            if (transition == null || transition.from() != state) {
                seen.r1 = "out of order";
                break;
            }
            state = transition.to();
        }
        CircuitBreakerStats stats = breaker.stats();
        boolean all = told.size() == stats.timesOpened() + stats.timesClosed() && state == stats.state();
        seen.r2 = all ? "all" : told.size() + " of " + (stats.timesOpened() + stats.timesClosed());
    }
}
