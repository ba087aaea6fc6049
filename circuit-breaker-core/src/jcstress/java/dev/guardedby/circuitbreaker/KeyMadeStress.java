package dev.guardedby.circuitbreaker;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LLL_Result;

/** A breaker is changed while the one of a new key is made: the key is as the name is, in the end. */
@JCStressTest
@Outcome(id = "7, OBSERVE, OPEN", expect = ACCEPTABLE, desc = "The change reached the key, whichever came first")
@Outcome(expect = FORBIDDEN, desc = "A part of the change is lost on the key")
@State
public class KeyMadeStress implements KeyedBreakers {
    private final Map<String, CircuitBreaker> kept = new ConcurrentHashMap<>();
    private final CircuitBreaker name =
            CircuitBreaker.builder("raced").failureThreshold(5).ticker(() -> 7).build();

    public KeyMadeStress() {
        name.keyedBy(this);
    }

    @Actor
    public void change() {
        name.reconfigure(settings -> settings.failureThreshold(7).mode(Mode.OBSERVE));
        name.holdOpen();
    }

    @Actor
    public void made() {
        name.forKey("acme");
    }

    @Arbiter
    public void key(LLL_Result seen) {
        CircuitBreaker acme = name.forKey("acme");
        seen.r1 = acme.failureThreshold();
        seen.r2 = acme.mode();
        seen.r3 = acme.state();
    }

    @Override
    public Optional<CircuitBreaker> find(String key) {
        return Optional.ofNullable(kept.get(key));
    }

    @Override
    public CircuitBreaker keep(String key, Supplier<CircuitBreaker> made) {
        CircuitBreaker breaker = made.get();
        CircuitBreaker earlier = kept.putIfAbsent(key, breaker);
        return earlier == null ? breaker : earlier;
    }

    @Override
    public Collection<CircuitBreaker> all() {
        return kept.values();
    }

    @Override
    public int size() {
        return kept.size();
    }

    @Override
    public void changed(CircuitBreaker breaker) {}
}
