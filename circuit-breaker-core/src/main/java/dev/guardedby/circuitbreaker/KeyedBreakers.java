package dev.guardedby.circuitbreaker;

import java.util.Collection;
import java.util.Optional;

/**
 * Keeps the breakers of one name's keys, within a bound of its own choosing.
 *
 * <p>A breaker is given one by {@link CircuitBreaker#keyedBy}, and asks it whenever the breaker of a key is wanted. What it may
 * forget is what {@link CircuitBreaker#isIdle()} says; a breaker that a call in flight still holds must be found again, or what
 * that call reports would be lost. Implementations are thread-safe, and never block.
 */
public interface KeyedBreakers {

    /** The breaker of a key, if there is one; makes none. */
    Optional<CircuitBreaker> find(String key);

    /**
     * Keeps a new breaker, unless one of its key is there.
     *
     * @param made the breaker of a {@linkplain CircuitBreaker#key() key}
     * @return what calls with that key are to use from now on: the new one, or the one that is there already, never two for one
     *     key; or, where no more can be kept, the {@linkplain CircuitBreaker#parent() parent}, which such keys share
     */
    CircuitBreaker keep(CircuitBreaker made);

    /** Every breaker that {@link #find} would find now, those that nothing but a call in flight holds included; a copy or a view. */
    Collection<CircuitBreaker> all();

    /** How many are kept, for people to read. */
    int size();

    /** Takes note that a breaker may have something to remember now, or nothing any more; called by the thread that changed it. */
    void changed(CircuitBreaker breaker);
}
