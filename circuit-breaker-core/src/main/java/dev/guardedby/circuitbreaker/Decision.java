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

    static Decision of(Cause cause) {
        return new Decision(cause, "", 0, 0, 0, 0);
    }

    static Decision of(Cause cause, String rule, long calls, long failures) {
        return new Decision(cause, rule, calls, failures, 0, 0);
    }
}
