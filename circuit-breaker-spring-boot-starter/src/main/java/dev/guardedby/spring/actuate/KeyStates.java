package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How the keys of one breaker are.
 *
 * @param held how many are kept
 * @param open how many of them are open
 * @param halfOpen how many of them are half-open
 * @param refusing a few that refuse calls, in order
 */
record KeyStates(int held, int open, int halfOpen, List<String> refusing) {
    // A keyed breaker may have thousands, and their names are not ours to spread.
    private static final int REFUSING_SHOWN = 20;

    static KeyStates of(KeyedBreakers keys) {
        int open = 0;
        int halfOpen = 0;
        List<String> refusing = new ArrayList<>();
        for (CircuitBreaker breaker : keys.all()) {
            CircuitState state = breaker.stats().state();
            open += state == CircuitState.OPEN ? 1 : 0;
            halfOpen += state == CircuitState.HALF_OPEN ? 1 : 0;
            if (state != CircuitState.CLOSED
                    && refusing.size() < REFUSING_SHOWN
                    && breaker.refusal().isPresent()) {
                refusing.add(breaker.key().orElseThrow());
            }
        }
        Collections.sort(refusing);
        return new KeyStates(keys.size(), open, halfOpen, refusing);
    }

    /** The state of the key that is worst off. */
    CircuitState worst() {
        if (open > 0) {
            return CircuitState.OPEN;
        }
        return halfOpen > 0 ? CircuitState.HALF_OPEN : CircuitState.CLOSED;
    }

    /** The numbers alone. */
    Map<String, Object> counts() {
        Map<String, Object> counts = new LinkedHashMap<>();
        counts.put("held", held);
        counts.put("open", open);
        counts.put("halfOpen", halfOpen);
        return counts;
    }
}
