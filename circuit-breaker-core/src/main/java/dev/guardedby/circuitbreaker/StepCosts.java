package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the steps of a call hold and have cost, as its budgets are to book it. All of it belongs to whoever has the lock of the
 * {@link Charge}.
 */
final class StepCosts {
    private final Set<Step> underway = new HashSet<>();
    private final Map<Step, Cost> ended = new HashMap<>();
    private Cost held = Cost.ZERO;
    private Cost spent = Cost.ZERO;
    private Cost spentAfterwards = Cost.ZERO;

    /** A step is about to be made. */
    void begin(Step step) {
        underway.add(step);
        held = held.plus(step.hold());
    }

    /** Whether a step has been begun, and neither ended nor released. */
    boolean isUnderway(Step step) {
        return underway.contains(step);
    }

    /** A step was not made after all, or has ended: it holds nothing any more. */
    void release(Step step) {
        if (underway.remove(step)) {
            held = held.minus(step.hold());
        }
    }

    /** Whether no step was made. */
    boolean isEmpty() {
        return underway.isEmpty() && ended.isEmpty();
    }

    /** A step has ended, or is now known to have cost something else: its last word counts, whoever comes with it. */
    void end(Step step) {
        release(step);
        Cost now = step.lastWord().cost();
        Cost before = ended.put(step, now);
        if (step.isWithinCall()) {
            spent = replaced(spent, before, now);
        } else {
            spentAfterwards = replaced(spentAfterwards, before, now);
        }
    }

    private static Cost replaced(Cost sum, @Nullable Cost before, Cost now) {
        return (before == null ? sum : sum.minus(before)).plus(now);
    }

    /** What those within the call have cost and may cost. */
    Cost claimed() {
        return spent.plus(held);
    }

    /** What those within the call have cost. */
    Cost spent() {
        return spent;
    }

    /** In what none of them can take, or could have taken, more than the call held for it. */
    Set<Unit> bounded() {
        Set<Unit> bounded = EnumSet.allOf(Unit.class);
        Stream.concat(underway.stream(), ended.keySet().stream())
                .forEach(step -> bounded.removeIf(unit -> !step.reserved().bounds(unit)));
        return bounded;
    }

    /** What those have cost that were begun after the call had ended. */
    Cost spentAfterwards() {
        return spentAfterwards;
    }
}
