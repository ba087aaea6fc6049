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
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A breaker's settings change twice at once, and one of its keys has its own changed after the second: the key ends with the
 * later of the two, and an earlier one does not undo its own.
 */
@JCStressTest
@Outcome(id = "9, 9, 3", expect = ACCEPTABLE, desc = "9 came later, and the key's own change after it")
@Outcome(id = "7, 7, 3", expect = ACCEPTABLE, desc = "7 came later, and the key's own change after it")
@Outcome(id = "7, 7, 1", expect = ACCEPTABLE, desc = "7 came later, and after the key's own change")
@Outcome(expect = FORBIDDEN, desc = "Earlier settings have replaced later ones")
@State
public class KeySettingsStress implements KeyedBreakers {
    private CircuitBreaker acme;
    private final CircuitBreaker name =
            CircuitBreaker.builder("raced").failureThreshold(5).ticker(() -> 7).build();

    public KeySettingsStress() {
        name.keyedBy(this);
        name.forKey("acme");
    }

    @Actor
    public void one() {
        name.reconfigure(settings -> settings.failureThreshold(7));
    }

    @Actor
    public void other() {
        name.reconfigure(settings -> settings.failureThreshold(9));
        acme.reconfigure(settings -> settings.probes(3));
    }

    @Arbiter
    public void both(III_Result seen) {
        seen.r1 = name.failureThreshold();
        seen.r2 = acme.failureThreshold();
        seen.r3 = (Integer) acme.settings().get("probes");
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
