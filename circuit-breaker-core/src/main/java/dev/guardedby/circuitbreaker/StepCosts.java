package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the steps of a call hold and have cost, as its budgets are to book it. All of it belongs to whoever has the lock of the
 * {@link Charge}.
 */
final class StepCosts {
    private final Set<Step> underway = new HashSet<>();
    private final Map<Step, Cost> ended = new HashMap<>();
    private final Set<Unit> bounded = EnumSet.allOf(Unit.class);
    private Cost held = Cost.ZERO;
    private Cost spent = Cost.ZERO;
    private Cost spentAfterwards = Cost.ZERO;

    /** A step is about to be made. */
    void begin(Step step) {
        underway.add(step);
        held = held.plus(step.hold());
        bounded.removeIf(unit -> !step.reserved().bounds(unit));
    }

    /** A step was not made after all, or has ended: it holds nothing any more; false if it did not. */
    boolean release(Step step) {
        boolean released = underway.remove(step);
        if (released) {
            held = held.minus(step.hold());
        }
        return released;
    }

    /** A step has ended, or is now known to have cost something else: its last word counts, whoever comes with it. */
    void end(Step step) {
        boolean unused = release(step);
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

    /** In what none of them could take more than the call held for it. */
    Set<Unit> bounded() {
        return Set.copyOf(bounded);
    }

    /** What those have cost that were begun after the call had ended. */
    Cost spentAfterwards() {
        return spentAfterwards;
    }
}
