package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Charge.IfUnknown;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/** What a breaker has to do with money over its whole life, whatever its settings are: its ledger, and what operators have said. */
final class Purse {
    private static final AtomicReferenceFieldUpdater<Purse, @Nullable Ledger> OWN_LEDGER =
            AtomicReferenceFieldUpdater.newUpdater(Purse.class, Ledger.class, "ownLedger");

    private final Engine engine;
    /** As of the settings when it was last wanted. */
    private volatile @Nullable Gate gate;

    private volatile @Nullable Ledger ownLedger;
    private volatile Map<String, Long> callLimits = Map.of();
    /** Calls under way whose holds would outlive this process. Weak: a permit that was lost without a report is not kept for ever. */
    private final Set<Charge> open = Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

    Purse(Engine engine) {
        this.engine = engine;
    }

    /** Whether a call may have to ask budgets: its own, or those of a call around it. */
    boolean isAsked() {
        return engine.settings.hasBudgets() || (Ceiling.areUsed() && Scope.innermostCharge() != null);
    }

    /** Null without budgets. */
    @Nullable Gate gate() {
        Settings present = engine.settings;
        if (!present.hasBudgets()) {
            return null;
        }
        Gate seen = gate;
        if (seen == null || seen.settings != present) {
            seen = new Gate(engine, present);
            gate = seen;
        }
        return seen;
    }

    /** Where the accounts are: those of keys with those of the name, so that they outlast each. */
    Ledger ledger() {
        Ledger shared = engine.settings.ledger;
        if (shared != null) {
            return shared;
        }
        if (engine.parent != null) {
            return engine.parent.purse.ledger();
        }
        Ledger own = ownLedger;
        if (own == null) {
            OWN_LEDGER.compareAndSet(this, null, Ledger.inMemory());
            own = Objects.requireNonNull(ownLedger);
        }
        return own;
    }

    /** The limit of a budget for one call: the operator's for this key, for the name, or what is configured. */
    long callLimit(Budget budget) {
        Long set = callLimits.get(budget.name());
        if (set != null) {
            return set;
        }
        return engine.parent == null ? budget.wholeLimit() : engine.parent.purse.callLimit(budget);
    }

    /** Whether an operator has set limits here that nobody else knows. */
    boolean isLimited() {
        return !callLimits.isEmpty();
    }

    synchronized void limitCalls(String budget, long limit) {
        Map<String, Long> more = new HashMap<>(callLimits);
        more.put(budget, limit);
        callLimits = Map.copyOf(more);
    }

    /** Counts what was recorded without a permit, and books it: to the call of this breaker that it is made in, or at once. */
    void recordCost(Cost cost) {
        engine.count(cost, Confidence.REPORTED);
        if (!isAsked()) {
            return;
        }
        try {
            Charge innermost = Scope.innermostCharge();
            Charge call = Charge.underway(innermost, engine);
            if (call != null) {
                call.record(cost);
                return;
            }
            Charge.bookAround(innermost, cost);
            Gate present = gate();
            if (present != null) {
                present.book(cost);
            }
        } catch (Throwable broken) {
            Deliveries.warn("A cost of circuit breaker '" + engine.breaker.name() + "' was not booked", broken);
        }
    }

    /** A call is about to ask a ledger. */
    void begun(Charge charge, Ledger asked) {
        if (asked.outlivesProcess()) {
            open.add(charge);
        }
    }

    void ended(Charge charge, Ledger asked) {
        if (asked.outlivesProcess()) {
            open.remove(charge);
        }
    }

    /** Settles what is under way at what it is known to cost, or at its hold. */
    void settleOpen() {
        // A copy, because settling takes them out.
        List.copyOf(open).forEach(charge -> charge.settle(IfUnknown.HOLD));
    }

    /** Why budgets would refuse a call made now by this thread; takes nothing. */
    @Nullable BudgetRefusal look() {
        State seen = engine.state;
        if (!isAsked() || seen.mode != Mode.ENFORCE) {
            return null;
        }
        Charge charge = Charge.of(engine, Estimate.UNKNOWN, seen.mode, Scope.innermostCharge());
        return charge == null ? null : charge.look();
    }
}
