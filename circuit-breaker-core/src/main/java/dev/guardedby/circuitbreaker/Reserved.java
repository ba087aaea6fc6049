package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import org.jspecify.annotations.Nullable;

/**
 * What is reserved for a call.
 *
 * @param cost so much
 * @param usual what a call costs that has succeeded, if nobody knows: less than all of it where that is for several attempts
 * @param boundsMoney whether the call costs no more US dollars
 * @param boundsTokens whether it uses no more tokens
 * @param unpriced the model that has no price, if that is what it asks; else null
 */
record Reserved(
        Cost cost,
        Cost usual,
        boolean boundsMoney,
        boolean boundsTokens,
        @Nullable String unpriced) {

    /** Nothing, and no bound. */
    static final Reserved NOTHING = new Reserved(Cost.ZERO, Cost.ZERO, false, false, null);

    /** Nothing, and it will be no more. */
    static final Reserved ALL_BOUND = new Reserved(Cost.ZERO, Cost.ZERO, true, true, null);

    /** Of each unit what bounds it, the call's own word before that of the settings, or else what is likely. */
    static Reserved of(Estimate asked, Cost perCall) {
        Cost tokens = hasTokens(asked.atMost()) ? asked.atMost() : perCall;
        boolean boundsTokens = hasTokens(tokens);
        if (!boundsTokens) {
            tokens = asked.likely();
        }
        long bound = asked.atMost().nanoUsd() > 0 ? asked.atMost().nanoUsd() : perCall.nanoUsd();
        long money = bound > 0 ? bound : asked.likely().nanoUsd();
        Cost cost = new Cost(tokens.inputTokens(), tokens.outputTokens(), money);
        return new Reserved(cost, usual(cost, asked), bound > 0, boundsTokens, asked.unpriced());
    }

    /** What is likely, where that is less than the bound that the call has set. */
    private static Cost usual(Cost cost, Estimate asked) {
        Cost likely = asked.likely();
        if (likely.equals(Cost.ZERO)) {
            return cost;
        }
        boolean tokens = hasTokens(likely) && hasTokens(asked.atMost());
        boolean money = likely.nanoUsd() > 0 && asked.atMost().nanoUsd() > 0;
        return new Cost(
                tokens ? Math.min(likely.inputTokens(), cost.inputTokens()) : cost.inputTokens(),
                tokens ? Math.min(likely.outputTokens(), cost.outputTokens()) : cost.outputTokens(),
                money ? Math.min(likely.nanoUsd(), cost.nanoUsd()) : cost.nanoUsd());
    }

    private static boolean hasTokens(Cost cost) {
        return cost.inputTokens() > 0 || cost.outputTokens() > 0;
    }

    /** So much of a unit; a call is a call. */
    long amount(Unit unit) {
        return Gate.amount(unit, cost);
    }

    /** Whether the call takes no more of a unit. */
    boolean bounds(Unit unit) {
        return switch (unit) {
            case USD -> boundsMoney;
            case TOKENS -> boundsTokens;
            case CALLS -> true;
        };
    }
}
