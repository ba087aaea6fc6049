package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Step.Said;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the steps of a call were said to cost, to be counted when the call has ended: a cost that is recorded on the call counts
 * instead. Thread-safe.
 */
final class Steps {
    private final Map<Step, Said> costs = new HashMap<>();
    private boolean overruled;
    private boolean over;

    /** A cost was recorded on the call while it ran, so those of the steps count no more. */
    synchronized void overrule() {
        overruled |= !over;
    }

    /** Takes what a step cost; false if the call has ended, so that it is to be counted by itself. */
    synchronized boolean take(Step step, Said said) {
        if (over) {
            return overruled;
        }
        costs.put(step, said);
        return true;
    }

    /** The call has ended: tells what counts, once. */
    synchronized Collection<Said> end() {
        boolean first = !over;
        over = true;
        return first && !overruled ? List.copyOf(costs.values()) : List.of();
    }
}
