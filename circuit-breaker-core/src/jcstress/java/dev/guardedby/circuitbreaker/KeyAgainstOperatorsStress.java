package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LL_Result;

/** Two operators change a breaker at once: its key ends as it does itself. */
@JCStressTest
@Outcome(id = "OPEN ENFORCE, OPEN ENFORCE", expect = ACCEPTABLE, desc = "Held open last, of one mode")
@Outcome(id = "OPEN OBSERVE, OPEN OBSERVE", expect = ACCEPTABLE, desc = "Held open last, of the other mode")
@Outcome(id = "CLOSED ENFORCE, CLOSED ENFORCE", expect = ACCEPTABLE, desc = "Closed last, of one mode")
@Outcome(id = "CLOSED OBSERVE, CLOSED OBSERVE", expect = ACCEPTABLE, desc = "Closed last, of the other mode")
@Outcome(expect = FORBIDDEN, desc = "The key is not as the name is")
@State
public class KeyAgainstOperatorsStress implements KeyedBreakers {
    private CircuitBreaker acme;
    private final CircuitBreaker name =
            CircuitBreaker.builder("raced").mode(Mode.OBSERVE).ticker(() -> 7).build();

    public KeyAgainstOperatorsStress() {
        name.keyedBy(this);
        name.forKey("acme");
    }

    @Actor
    public void one() {
        name.holdOpen();
        name.mode(Mode.ENFORCE);
    }

    @Actor
    public void other() {
        name.forceClose();
        name.mode(Mode.OBSERVE);
    }

    @Arbiter
    public void both(LL_Result seen) {
        seen.r1 = name.state() + " " + name.mode();
        seen.r2 = acme.state() + " " + acme.mode();
    }

    @Override
    public Optional<CircuitBreaker> find(String key) {
        return Optional.ofNullable(acme);
    }

    @Override
    public CircuitBreaker keep(String key, Supplier<CircuitBreaker> made) {
        acme = made.get();
        return acme;
    }

    @Override
    public Collection<CircuitBreaker> all() {
        return List.of(acme);
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public void changed(CircuitBreaker breaker) {}
}
