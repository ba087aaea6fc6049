package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Ceiling.Share;
import dev.guardedby.circuitbreaker.Ledger.Answer;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Settlement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * What one call reserves, records and in the end costs, in all budgets that concern it.
 *
 * <p>What was recorded is what the call costs, zero included. If nothing was, it costs its hold or nothing, as its end says. Each
 * change of that after the end goes to the ledger as a later revision of the settlement.
 */
final class Charge {
    private static final CompletionStage<Answer> NOTHING_ASKED =
            CompletableFuture.completedFuture(Answer.granted(List.of()));

    private final Engine engine;
    /** Null where only ceilings around the call concern it. */
    private final @Nullable Gate gate;
    /** The call that this one is made in. */
    private final @Nullable Charge outer;

    private final Cost hold;
    private final boolean forced;
    /** In the ceilings around the call, the call's own last. */
    private final List<Share> shares;

    private final List<Ceiling> own;
    private @Nullable Hold reserved;
    private volatile boolean nestedSettled;

    // By this object's lock, under which only ceilings are written to.
    private @Nullable Cost recorded;
    private boolean settled;
    private boolean costsHold;
    private long revision;

    private Charge(Engine engine, @Nullable Gate gate, @Nullable Charge outer, Cost hold, Mode mode) {
        this.engine = engine;
        this.gate = gate;
        this.outer = outer;
        this.hold = hold;
        this.forced = mode != Mode.ENFORCE;
        this.own = gate == null || gate.ofCalls.isEmpty()
                ? List.of()
                : gate.ofCalls.stream()
                        .map(budget -> Ceiling.of(budget, engine, !forced))
                        .toList();
        this.shares = shares();
    }

    private List<Share> shares() {
        if (own.isEmpty() && (outer == null || outer.shares.isEmpty())) {
            return List.of();
        }
        List<Share> all = new ArrayList<>();
        for (Share share : outer == null ? List.<Share>of() : outer.shares) {
            if (!share.ceiling.isOver()) {
                all.add(new Share(share.ceiling, Gate.amount(share.ceiling.budget.unit(), hold)));
            }
        }
        // What a call holds is for what is made inside it, too: it takes away nothing from that.
        own.forEach(ceiling -> all.add(new Share(ceiling, ceiling.budget.unit() == Unit.CALLS ? 1 : 0)));
        return all;
    }

    /** The charge of a call that is about to be admitted; null if no budget concerns it. */
    static @Nullable Charge of(Engine engine, Cost asked, Mode mode, @Nullable Charge outer) {
        Gate gate = engine.purse.gate();
        // Without budgets of its own a call still has what it may cost: those around it hold that.
        Cost hold = filled(asked, (gate == null ? engine.settings : gate.settings).estimatePerCall);
        Charge charge = new Charge(engine, gate, outer, hold, mode);
        return gate == null && charge.shares.isEmpty() ? null : charge;
    }

    private static Cost filled(Cost asked, Cost estimate) {
        boolean tokens = asked.inputTokens() > 0 || asked.outputTokens() > 0;
        if (tokens && asked.nanoUsd() > 0) {
            return asked;
        }
        return new Cost(
                tokens ? asked.inputTokens() : estimate.inputTokens(),
                tokens ? asked.outputTokens() : estimate.outputTokens(),
                asked.nanoUsd() > 0 ? asked.nanoUsd() : estimate.nanoUsd());
    }

    /** Takes shares in the ceilings around, all or none, and answers why not; the ledger is yet to be asked. */
    @Nullable BudgetRefusal enter() {
        BudgetRefusal refusal = ownRefusal();
        if (refusal != null && !forced) {
            return refusal;
        }
        for (int i = 0; i < shares.size(); i++) {
            Ceiling ceiling = shares.get(i).ceiling;
            Kind kind = own.contains(ceiling) ? enterOwn(shares.get(i)) : ceiling.enter(shares.get(i), !forced);
            if (kind == null) {
                continue;
            }
            if (refusal == null) {
                refusal = new BudgetRefusal(ceiling.budget, ceiling.status(engine.wallTime()), kind, null);
            }
            if (!forced) {
                shares.subList(0, i).forEach(share -> share.ceiling.book(share, 0, 0));
                return refusal;
            }
        }
        return refusal;
    }

    private static @Nullable Kind enterOwn(Share share) {
        share.ceiling.book(share, 0, share.amount);
        return null;
    }

    /** Why the call's own budgets refuse it before anybody is asked: too dear for one call, or nobody knows how dear. */
    private @Nullable BudgetRefusal ownRefusal() {
        for (Ceiling ceiling : own) {
            Kind kind = ceiling.refusal(Gate.amount(ceiling.budget.unit(), hold));
            if (kind != null) {
                return new BudgetRefusal(ceiling.budget, ceiling.status(engine.wallTime()), kind, null);
            }
        }
        for (int i = 0; gate != null && i < gate.bookedCount(); i++) {
            Budget budget = gate.booked(i);
            if (budget.requireEstimate() && Gate.amount(budget.unit(), hold) == 0) {
                return new BudgetRefusal(budget, unknown(budget), Kind.UNPRICED, null);
            }
        }
        return null;
    }

    private BudgetStatus unknown(Budget budget) {
        Balance none = new Balance(budget.wholeLimit(), 0, 0, 0, BudgetStatus.Kind.EXACT, null);
        return Gate.status(budget, none, engine.wallTime());
    }

    /** Asks the ledger for the rest. */
    CompletionStage<Answer> reserve() {
        if (gate == null || gate.bookedCount() == 0) {
            return NOTHING_ASKED;
        }
        Hold asked = gate.hold(hold, forced);
        reserved = asked;
        return gate.ledger.reserve(asked);
    }

    /** What the ledger's answer means; null if all lines fit. */
    @Nullable BudgetRefusal refusal(Answer answer) {
        Kind kind = answer.kind();
        if (gate == null || kind == null) {
            return null;
        }
        if (!forced) {
            // There is nothing to give back.
            reserved = null;
        }
        Budget budget = gate.booked(answer.refusing());
        Balance balance = answer.balances().get(answer.refusing());
        return new BudgetRefusal(budget, Gate.status(budget, balance, engine.wallTime()), kind, null);
    }

    void tellLevels(Answer answer) {
        if (gate != null) {
            gate.tellLevels(answer.balances());
        }
    }

    /** What it means that the ledger does not answer. */
    BudgetRefusal withoutAnswer(Throwable failure) {
        Budget budget = gate == null ? shares.get(0).ceiling.budget : gate.settings.anyBudget();
        return new BudgetRefusal(budget, unknown(budget), Kind.STORE, failure);
    }

    /** Why the call would be refused now; takes nothing. */
    @Nullable BudgetRefusal look() {
        BudgetRefusal refusal = ownRefusal();
        for (int i = 0; refusal == null && i < shares.size() - own.size(); i++) {
            Ceiling ceiling = shares.get(i).ceiling;
            Kind kind = ceiling.refusal(shares.get(i).amount);
            if (kind != null) {
                refusal = new BudgetRefusal(ceiling.budget, ceiling.status(engine.wallTime()), kind, null);
            }
        }
        return refusal != null || gate == null || gate.bookedCount() == 0 ? refusal : looked(gate);
    }

    private @Nullable BudgetRefusal looked(Gate asked) {
        List<Line> lines = asked.lines(hold);
        try {
            List<Balance> balances = Stages.await(asked.ledger.look(lines, asked.moment()));
            for (int i = 0; i < lines.size(); i++) {
                Balance balance = balances.get(i);
                Kind kind = Book.refusal(lines.get(i).amount(), balance.limit(), balance.spent(), balance.held());
                if (kind != null) {
                    Budget budget = asked.booked(i);
                    return new BudgetRefusal(budget, Gate.status(budget, balance, engine.wallTime()), kind, null);
                }
            }
            return null;
        } catch (Exception broken) {
            return withoutAnswer(broken);
        }
    }

    /** Takes everything back, as though the call had never been asked for. */
    void withdraw() {
        finish(false, false);
    }

    /** The call has ended; what comes after the first end is a no-op. */
    void settle(boolean mayCostHold) {
        try {
            finish(mayCostHold, true);
        } catch (Throwable broken) {
            Deliveries.warn("A call of circuit breaker '" + engine.breaker.name() + "' was not settled", broken);
        }
    }

    private void finish(boolean mayCostHold, boolean made) {
        Settlement settlement;
        synchronized (this) {
            if (settled) {
                return;
            }
            settled = true;
            costsHold = mayCostHold;
            settlement = nextSettlement();
        }
        own.forEach(Ceiling::end);
        if (made && outer != null) {
            outer.nestedSettled = true;
        }
        send(settlement);
        tellLevelsOfCalls();
    }

    /** An admission without a permit: nobody tells how it ends, so it counts as a call, and holds nothing. */
    void settleUnseen() {
        synchronized (this) {
            recorded = Cost.ZERO;
        }
        try {
            finish(false, false);
        } catch (Throwable broken) {
            Deliveries.warn("A call of circuit breaker '" + engine.breaker.name() + "' was not settled", broken);
        }
    }

    /** Adds what the call costs: for the settlement, or in correction of it. */
    void record(Cost cost) {
        Settlement correction;
        synchronized (this) {
            recorded = recorded == null ? cost : recorded.plus(cost);
            correction = settled ? nextSettlement() : null;
            if (correction == null) {
                bookShares();
            }
        }
        try {
            send(correction);
            tellLevelsOfCalls();
        } catch (Throwable broken) {
            Deliveries.warn("A cost of circuit breaker '" + engine.breaker.name() + "' was not booked", broken);
        }
    }

    private void tellLevelsOfCalls() {
        for (Share share : shares) {
            share.ceiling.tellLevels();
        }
    }

    private void bookShares() {
        for (Share share : shares) {
            long spent = charged(share.ceiling.budget.unit(), share.amount);
            share.ceiling.book(share, spent, settled ? 0 : Math.max(0, share.amount - spent));
        }
    }

    private @Nullable Settlement nextSettlement() {
        bookShares();
        Hold settling = reserved;
        if (settling == null) {
            return null;
        }
        List<Line> lines = settling.lines();
        long[] amounts = new long[lines.size()];
        for (int i = 0; i < amounts.length; i++) {
            amounts[i] = charged(lines.get(i).account().unit(), lines.get(i).amount());
        }
        return new Settlement(settling, ++revision, amounts);
    }

    /** What the call costs as far as is known. */
    private long charged(Unit unit, long held) {
        Cost known = recorded == null && nestedSettled ? Cost.ZERO : recorded;
        if (known != null) {
            return Gate.amount(unit, known);
        }
        return settled && costsHold ? held : 0;
    }

    private void send(@Nullable Settlement settlement) {
        if (settlement != null && gate != null) {
            Stages.then(gate.ledger.settle(settlement), gate::tellLevels, "A ledger lost the settlement of a call");
        }
    }

    /** The call of a breaker that goes on, this one or one around it. */
    static @Nullable Charge underway(@Nullable Charge innermost, Engine engine) {
        for (Charge charge = innermost; charge != null; charge = charge.outer) {
            if (charge.engine == engine && charge.isUnderway()) {
                return charge;
            }
        }
        return null;
    }

    private synchronized boolean isUnderway() {
        return !settled;
    }

    /** Books a cost that belongs to no call inside to the ceilings around. */
    static void bookAround(@Nullable Charge innermost, Cost cost) {
        if (innermost != null) {
            for (Share share : innermost.shares) {
                Unit unit = share.ceiling.budget.unit();
                share.ceiling.add(unit == Unit.CALLS ? 0 : Gate.amount(unit, cost));
                share.ceiling.tellLevels();
            }
        }
    }

    /** The ceiling of a breaker's budget around a call. */
    static @Nullable Ceiling ceiling(@Nullable Charge innermost, Engine engine, Budget budget) {
        Charge charge = underway(innermost, engine);
        return charge == null
                ? null
                : charge.own.stream()
                        .filter(ceiling -> ceiling.budget.equals(budget))
                        .findFirst()
                        .orElse(null);
    }
}
