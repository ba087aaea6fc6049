package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Keeps the breakers of one name's keys, within a bound of its own choosing.
 *
 * <p>A breaker is given one by {@link CircuitBreaker#keyedBy}, and asks it whenever the breaker of a key is wanted. What it may
 * forget is what {@link CircuitBreaker#isForgettable(Duration)} says; a breaker that a call in flight still holds must be found
 * again, or what that call reports would be lost. Implementations are thread-safe, and never block.
 */
public interface KeyedBreakers {

    /** The breaker of a key, if there is one; looks only, which keeps nothing any longer than it would be kept otherwise. */
    Optional<CircuitBreaker> find(String key);

    /**
     * The breaker of a key, if there is one, for a call that is about to be made: what is called is not forgotten for that
     * long. By default no more than {@link #find}, which is enough where nothing is forgotten.
     */
    default Optional<CircuitBreaker> findForCall(String key) {
        return find(key);
    }

    /**
     * Keeps a new breaker for a call, unless there is one of that key by now.
     *
     * @param key 1 to 256 characters, not blank, and none of them a control character
     * @param made makes it; asked once at most, under no lock, and only if there is room
     * @return what calls with that key are to use from now on: the new one, or the one that is there already, never two for one
     *     key; or, where no more can be kept, the breaker of the name, which such keys share
     */
    CircuitBreaker keep(String key, Supplier<CircuitBreaker> made);

    /** Every breaker that {@link #find} would find now, those that nothing but a call in flight holds included; a copy or a view. */
    Collection<CircuitBreaker> all();

    /** How many are kept, for people to read. */
    int size();

    /**
     * How many of {@linkplain #all() all} are in each state, also where there are 0. Like {@link CircuitBreaker#stats()} it moves
     * nothing, and an OPEN whose wait is over counts as OPEN; reads no clock.
     */
    default Map<CircuitState, Integer> states() {
        Map<CircuitState, Integer> states = new EnumMap<>(CircuitState.class);
        for (CircuitState state : CircuitState.values()) {
            states.put(state, 0);
        }
        all().forEach(breaker -> states.merge(breaker.engine().state.circuitState(), 1, Integer::sum));
        return states;
    }

    /** Takes note that a breaker may have something to remember now, or nothing any more; called by the thread that changed it. */
    void changed(CircuitBreaker breaker);
}
