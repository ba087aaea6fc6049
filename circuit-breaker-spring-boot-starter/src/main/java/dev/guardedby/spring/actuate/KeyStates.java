package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import dev.guardedby.circuitbreaker.Refusal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How the keys of one breaker are.
 *
 * @param held how many are kept
 * @param open how many of them are open
 * @param halfOpen how many of them are half-open
 */
record KeyStates(int held, int open, int halfOpen) {
    // A keyed breaker may have thousands, and their names are not ours to spread.
    private static final int REFUSING_SHOWN = 20;

    static KeyStates of(KeyedBreakers keys) {
        Map<CircuitState, Integer> states = keys.states();
        return new KeyStates(
                keys.size(), states.getOrDefault(CircuitState.OPEN, 0), states.getOrDefault(CircuitState.HALF_OPEN, 0));
    }

    /** A few that refuse calls because they are open or half-open, in order. */
    static List<String> refusing(KeyedBreakers keys) {
        return keys.all().stream()
                .filter(KeyStates::isCutOff)
                .limit(REFUSING_SHOWN)
                .map(breaker -> breaker.key().orElseThrow())
                .sorted()
                .toList();
    }

    private static boolean isCutOff(CircuitBreaker breaker) {
        return breaker.refusal()
                .filter(refusal -> refusal.reason() != Refusal.Reason.RAMP_UP)
                .isPresent();
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
