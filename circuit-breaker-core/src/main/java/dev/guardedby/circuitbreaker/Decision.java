package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Transition.Cause;
import java.io.Serial;
import java.io.Serializable;

/**
 * Why a period ended, with what the rule that decided had counted.
 *
 * @param rule the rule in words; empty where an operator or the time decided
 */
record Decision(Cause cause, String rule, long calls, long failures, long slow, long hung) implements Serializable {
    @Serial
    private static final long serialVersionUID = 1;

    /** What it made of the breaker, and why, for people. */
    String inWords() {
        return switch (cause) {
            case FAILURES -> "open after " + failures + (failures == 1 ? " failure" : " consecutive failures");
            case FAILURE_RATE -> "open after " + failures + " of " + calls + " calls failed";
            case SLOW_CALL_RATE ->
                "open after " + (slow + hung) + " of " + (calls + hung) + " calls were slow"
                        + (hung == 0 ? "" : ", " + hung + " of them still hanging");
            case TRIP -> "open at once after a failure that is proof by itself" + proof();
            case PROBES_FAILED -> "open again after a " + (slow > 0 ? "slow" : "failed") + " probe" + proof();
            case FORCE_OPEN -> "forced open by an operator";
            case HOLD_OPEN -> "held open by an operator";
            case WAIT_OVER -> "half-open: the wait is over, the next calls are probes";
            case PROBES_SUCCEEDED -> "closed: the remote has recovered";
            case FORCE_CLOSE -> "closed: forced by an operator";
            case RESET -> "closed: reset by an operator";
            case MODE -> "closed: its mode was switched";
        };
    }

    private String proof() {
        return rule.startsWith("trip-on") ? " (" + rule + ")" : "";
    }

    static Decision of(Cause cause) {
        return new Decision(cause, "", 0, 0, 0, 0);
    }

    static Decision of(Cause cause, String rule, long calls, long failures) {
        return new Decision(cause, rule, calls, failures, 0, 0);
    }
}
