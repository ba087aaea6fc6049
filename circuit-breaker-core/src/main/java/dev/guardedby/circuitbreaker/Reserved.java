package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetStatus.Unit;

/**
 * What is reserved for a call.
 *
 * @param cost so much
 * @param boundsMoney whether the call costs no more US dollars
 * @param boundsTokens whether it uses no more tokens
 */
record Reserved(Cost cost, boolean boundsMoney, boolean boundsTokens) {

    /** Nothing, and no bound. */
    static final Reserved NOTHING = new Reserved(Cost.ZERO, false, false);

    /** Nothing, and it will be no more. */
    static final Reserved ALL_BOUND = new Reserved(Cost.ZERO, true, true);

    /** Of each unit what bounds it, the call's own word before that of the settings, or else what is likely. */
    static Reserved of(Estimate asked, Cost perCall) {
        Cost tokens = hasTokens(asked.atMost()) ? asked.atMost() : perCall;
        boolean boundsTokens = hasTokens(tokens);
        if (!boundsTokens) {
            tokens = asked.likely();
        }
        long bound = asked.atMost().nanoUsd() > 0 ? asked.atMost().nanoUsd() : perCall.nanoUsd();
        long money = bound > 0 ? bound : asked.likely().nanoUsd();
        return new Reserved(new Cost(tokens.inputTokens(), tokens.outputTokens(), money), bound > 0, boundsTokens);
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
