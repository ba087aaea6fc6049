package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Step.Said;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the steps of a call were said to cost, as the totals are to count it: when the call has ended, unless a cost was recorded on the
 * call while it ran, which counts instead. Thread-safe.
 */
final class Steps {
    /** Those that ended before the call did. */
    private final Set<Step> ended = new LinkedHashSet<>();
    /** How much of each has been counted. */
    private final Map<Step, Cost> counted = new HashMap<>();

    private boolean overruled;
    private boolean over;

    /** A cost was recorded on the call while it ran, so those of its steps count no more. */
    synchronized void overrule() {
        overruled |= !over;
    }

    /** Takes the last word on a step, and answers what is to be counted of it at once; null if nothing is. */
    synchronized @Nullable Said take(Step step) {
        if (!over) {
            ended.add(step);
            return null;
        }
        if (overruled && step.isWithinCall()) {
            return null;
        }
        boolean first = !counted.containsKey(step);
        Said more = count(step);
        return first || !more.cost().equals(Cost.ZERO) ? more : null;
    }

    /** The call has ended: tells what counts, once. */
    synchronized List<Said> end() {
        boolean first = !over;
        over = true;
        return first && !overruled ? ended.stream().map(this::count).toList() : List.of();
    }

    /** What the last word adds to what was counted of those before: the totals never fall. */
    private Said count(Step step) {
        Said last = step.lastWord();
        Cost before = counted.get(step);
        if (before == null) {
            counted.put(step, last.recorded());
            return last;
        }
        Cost more = last.recorded().minus(before);
        counted.put(step, before.plus(more));
        return new Said(more, last.confidence(), more);
    }
}
