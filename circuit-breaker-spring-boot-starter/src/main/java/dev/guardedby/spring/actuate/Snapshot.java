package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Refusal;
import dev.guardedby.circuitbreaker.Transition;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A breaker at one instant. Its parts are read one after the other while calls run, so they are read until they agree. */
record Snapshot(
        CircuitBreakerStats stats,
        Mode mode,
        Map<String, Object> settings,
        Optional<Refusal> refusal,
        Optional<Transition> last) {
    private static final int ATTEMPTS = 4;

    static Snapshot of(CircuitBreaker breaker) {
        CircuitBreakerStats before = breaker.stats();
        for (int i = 1; ; i++) {
            Map<String, Object> settings = breaker.settings();
            Mode mode = (Mode) Objects.requireNonNull(settings.get("mode"));
            Optional<Refusal> refusal = breaker.refusal();
            Optional<Transition> last = breaker.lastTransition();
            CircuitBreakerStats after = breaker.stats();
            if (agree(before, after) && breaker.mode() == mode) {
                return new Snapshot(after, mode, settings, refusal, last);
            }
            if (i == ATTEMPTS) {
                // It moves faster than anybody can look: leave out what belongs to another state.
                return new Snapshot(
                        after,
                        mode,
                        settings,
                        refusal.filter(refused -> mode == Mode.ENFORCE && belongsTo(after.state(), refused)),
                        last.filter(transition -> transition.to() == after.state()));
            }
            before = after;
        }
    }

    private static boolean agree(CircuitBreakerStats before, CircuitBreakerStats after) {
        return before.state() == after.state()
                && Objects.equals(before.lastStateChangeAt(), after.lastStateChangeAt())
                && before.timesOpened() == after.timesOpened();
    }

    private static boolean belongsTo(CircuitState state, Refusal refusal) {
        return switch (refusal.reason()) {
            case OPEN, HELD_OPEN -> state == CircuitState.OPEN;
            case PROBING -> state == CircuitState.HALF_OPEN;
            case RAMP_UP -> state == CircuitState.CLOSED;
            // Where the state refuses, no budget is asked.
            case BUDGET -> state != CircuitState.OPEN;
        };
    }

    /** Why a call is refused, or, where calls pass, the state in a few words. */
    String message() {
        return refusal.map(Refusal::message).orElseGet(this::admitting);
    }

    private String streak() {
        long failures = stats.consecutiveFailures();
        Object threshold = settings.get("failure-threshold");
        return threshold == null
                ? failures + (failures == 1 ? " failure" : " consecutive failures")
                : failures + " of " + threshold + " consecutive failures";
    }

    private String admitting() {
        if (mode == Mode.DISABLED) {
            return "disabled, every call passes";
        }
        if (stats.state() == CircuitState.CLOSED) {
            return stats.consecutiveFailures() == 0 ? "closed" : "closed, " + streak();
        }
        String state = stats.state() == CircuitState.OPEN ? "open" : "half-open";
        if (mode == Mode.OBSERVE) {
            return state + ", observed only: every call passes";
        }
        return state + (stats.state() == CircuitState.OPEN ? ", due now" : "") + ": the next call is a probe";
    }
}
