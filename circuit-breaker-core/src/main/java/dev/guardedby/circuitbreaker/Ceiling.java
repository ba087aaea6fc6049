package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import java.math.BigDecimal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A budget for one call and all that is guarded inside it.
 *
 * <p>Each call inside has a {@link Share} in it: what it has recorded is spent at once, and as much of its hold as that has not
 * used up is held until it ends. Once a call inside has been refused, every later one is, so that a loop that takes refusals for
 * answers ends.
 */
final class Ceiling {
    private static volatile boolean used;

    final Budget budget;
    private final Engine owner;
    private final boolean enforced;
    private long spent;
    private long held;
    /** The most that had been spent when levels were last told. */
    private long told;

    private boolean soft;
    private boolean refused;
    private boolean over;

    private Ceiling(Budget budget, Engine owner, boolean enforced) {
        this.budget = budget;
        this.owner = owner;
        this.enforced = enforced;
    }

    /** The ceiling of a call that is about to be admitted. */
    static Ceiling of(Budget budget, Engine owner, boolean enforced) {
        used = true;
        return new Ceiling(budget, owner, enforced);
    }

    /** Whether there ever was one, so that calls must look for those around them. */
    static boolean areUsed() {
        return used;
    }

    /** Why a call that reserves so much would be refused, or null if it would pass. */
    synchronized @Nullable Kind refusal(Reserved call) {
        return refusal(call.amount(budget.unit()), call.bounds(budget.unit()), 0);
    }

    /**
     * Why a claim is refused.
     *
     * @param alreadyHeld so much of it is held
     */
    private @Nullable Kind refusal(long amount, boolean bound, long alreadyHeld) {
        if (over) {
            return null;
        }
        if (refused) {
            return Kind.EXHAUSTED;
        }
        if (!bound && budget.requireEstimate()) {
            return Kind.UNPRICED;
        }
        return Book.refusal(amount, owner.purse.callLimit(budget), spent + alreadyHeld, held - alreadyHeld);
    }

    /**
     * Lets a share claim so much in all, unless that is refused.
     *
     * @param bound whether what is claimed cannot be passed
     * @param binding whether the breaker that asks enforces refusals; if not, or if the one that the ceiling belongs to does not, the claim is
     *     made all the same
     * @return why it is refused, or would be; null if it fits, and where only the ceiling's own breaker does not enforce it
     */
    synchronized @Nullable Kind claim(Share share, long amount, boolean bound, boolean binding) {
        long own = share.spent + share.held;
        boolean fits = amount > 0 && amount <= own && !refused;
        Kind refusal = fits ? null : refusal(amount - own, bound, share.held);
        if (refusal != null && binding && enforced) {
            refused = true;
        } else {
            soft |= !bound;
            book(share, share.spent, Math.max(0, amount - share.spent));
        }
        return refusal != null && (enforced || !binding) ? refusal : null;
    }

    /**
     * How it is told that it refuses what may cost so much in all.
     *
     * @param needed 0 if nobody knows
     * @param asking whose call it is
     */
    BudgetRefusal refused(Kind kind, long needed, Engine asking, Instant asOf) {
        BudgetRefusal refusal = BudgetRefusal.ofNeed(budget, status(asOf), kind, needed);
        return asking == owner ? refusal : refusal.ownedBy(owner.breaker);
    }

    /**
     * Whether it has a say in a call inside.
     *
     * @param binding whether the breaker of that call enforces refusals: one that does heeds only what is enforced
     */
    synchronized boolean isHeard(boolean binding) {
        return !over && (enforced || !binding);
    }

    /** Whether a cheaper model is advisable. */
    synchronized boolean isToDegrade() {
        return budget.isToDegrade(spent, owner.purse.callLimit(budget));
    }

    /** Puts other amounts in place of those of a share. */
    synchronized void book(Share share, long nowSpent, long nowHeld) {
        long othersSpent = spent - share.spent;
        long othersHeld = held - share.held;
        // The sums stop where numbers end.
        share.spent = Math.min(nowSpent, Long.MAX_VALUE - othersSpent);
        share.held = Math.min(nowHeld, Long.MAX_VALUE - othersHeld);
        spent = othersSpent + share.spent;
        held = othersHeld + share.held;
    }

    /** Adds what no call inside has recorded. */
    synchronized void add(long amount) {
        spent += Math.min(amount, Long.MAX_VALUE - spent);
    }

    /** Tells listeners of the levels that were passed since it was last asked to; for who holds no lock. */
    void tellLevels() {
        if (budget.levels.length == 0) {
            return;
        }
        long before;
        long now;
        synchronized (this) {
            before = told;
            now = Math.max(before, spent);
            told = now;
        }
        long limit = owner.purse.callLimit(budget);
        for (int percent : budget.levels) {
            long level = Budget.share(percent, limit);
            if (before < level && now >= level) {
                owner.tellLevel(status(owner.wallTime()), percent);
            }
        }
    }

    /** The call has ended: what still goes on inside is refused no more. */
    synchronized void end() {
        over = true;
    }

    synchronized boolean isOver() {
        return over;
    }

    synchronized BudgetStatus status(Instant asOf) {
        BudgetStatus.Unit unit = budget.unit();
        BigDecimal limit = unit.decimal(owner.purse.callLimit(budget));
        BudgetStatus.Kind kind = soft ? BudgetStatus.Kind.SOFT : BudgetStatus.Kind.EXACT;
        return new BudgetStatus(budget.name(), unit, limit, unit.decimal(spent), unit.decimal(held), null, kind, asOf);
    }

    /** What one call has in a ceiling. */
    static final class Share {
        final Ceiling ceiling;
        /** What the call may cost from its beginning on; 0 if nobody knows. */
        final long amount;

        private long spent;
        private long held;

        Share(Ceiling ceiling, long amount) {
            this.ceiling = ceiling;
            this.amount = amount;
        }
    }
}
