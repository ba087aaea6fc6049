package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Transition.Cause;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The breaker of a name with those of its keys: makes them, and has them follow what is done to the name.
 *
 * <p>Nobody is locked out while all keys are told, so two changes of the name may reach a key in the other order, and a key may
 * be made meanwhile. Settings bring their {@linkplain Settings#edition edition} with them, and an earlier one replaces no later
 * one. For the mode, and for being held open, whoever has told all keys looks at the name again, and tells them what has
 * become different since: so what was told last is what holds there.
 */
final class Family {
    private final Engine parent;
    final KeyedBreakers keeper;

    Family(Engine parent, KeyedBreakers keeper) {
        this.parent = parent;
        this.keeper = keeper;
    }

    /** The breaker for a call with that key: the one there is, a new one, or where no more can be kept that of the name. */
    CircuitBreaker of(String key) {
        Optional<CircuitBreaker> present = keeper.findForCall(key);
        if (present.isPresent()) {
            return present.get();
        }
        Newcomer newcomer = new Newcomer(Require.key(key), Standing.of(parent));
        CircuitBreaker kept = keeper.keep(key, newcomer);
        if (kept == newcomer.made) {
            // Nobody who told all keys may have found it yet.
            for (Standing told = newcomer.begun, now = Standing.of(parent);
                    !now.equals(told);
                    now = Standing.of(parent)) {
                follow(kept.engine(), told, now);
                told = now;
            }
        }
        return kept;
    }

    /** Puts the settings that the name was given in place of those of all keys, and lets each make of its State what follows. */
    void reconfigure(Settings changed, Standing mine, Engine.Change derived) {
        tell(mine, ofKey -> {
            ofKey.adopt(changed);
            ofKey.move(ofKey.now(), derived);
        });
    }

    /** Does to all keys what an operator has just done to the name, which has made {@code mine} of it. */
    void operate(Standing mine, Engine.Change change) {
        tell(mine, ofKey -> ofKey.move(ofKey.now(), change));
    }

    private void tell(Standing mine, Consumer<Engine> change) {
        keeper.all().forEach(ofKey -> change.accept(ofKey.engine()));
        for (Standing told = mine, now = Standing.of(parent); !now.equals(told); now = Standing.of(parent)) {
            Standing before = told;
            Standing latest = now;
            keeper.all().forEach(ofKey -> follow(ofKey.engine(), before, latest));
            told = now;
        }
    }

    /** Makes of a key what has become of the name; what did not change there stays as it is, for it may be the key's own. */
    private static void follow(Engine ofKey, Standing before, Standing latest) {
        ofKey.adopt(latest.settings());
        Mode mode = latest.mode() == before.mode() ? null : latest.mode();
        ofKey.move(ofKey.now(), (engine, seen, now) -> {
            State next = seen.reconfigured(engine, mode, now);
            if (latest.held() == before.held() || latest.held() == Standing.isHeld(next)) {
                return next;
            }
            return latest.held() ? next.heldOpen(engine, now) : next.closedByOperator(engine, Cause.RESET, now);
        });
    }

    /** Lets whoever keeps the breaker of a key know that there may be something to remember, or nothing any more. */
    void changed(CircuitBreaker ofKey) {
        try {
            keeper.changed(ofKey);
        } catch (Throwable broken) {
            Deliveries.warn("What keeps the keys of circuit breaker '" + ofKey.name() + "' threw", broken);
        }
    }

    /** A breaker that is made when its keeper has room for it. */
    private final class Newcomer implements Supplier<CircuitBreaker> {
        private final String key;
        private final Standing begun;
        private @Nullable CircuitBreaker made;

        Newcomer(String key, Standing begun) {
            this.key = key;
            this.begun = begun;
        }

        @Override
        public CircuitBreaker get() {
            CircuitBreaker breaker = new CircuitBreaker(parent.breaker, key, begun);
            made = breaker;
            return breaker;
        }
    }
}
