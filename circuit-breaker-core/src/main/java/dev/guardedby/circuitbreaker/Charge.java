package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Ceiling.Share;
import dev.guardedby.circuitbreaker.Ledger.Answer;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Settlement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
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

    private final Reserved reserved;
    private final boolean forced;
    /** In the ceilings around the call, the call's own last. */
    private final List<Share> shares;

    private final List<Ceiling> own;
    private @Nullable Hold hold;
    private volatile boolean nestedSettled;
    /** How the accounts stood when the ledger was last asked, in the order of the lines; null before. */
    private volatile @Nullable List<Balance> lastSeen;

    // By this object's lock, under which only ceilings are written to.
    private @Nullable Cost recorded;
    /** Whether that was recorded while the call ran, and so counts in place of its steps. */
    private boolean overruled;

    /** Null as long as the call has taken no step. */
    private @Nullable StepCosts steps;

    private boolean settled;
    private boolean costsHold;
    /** What it costs if nobody knows and it costs its hold. */
    private Cost ifUnknown = Cost.ZERO;
    /** In what all that the call did until its end had a bound. */
    private Set<Unit> bounded = Set.of();

    private long revision;

    private Charge(Engine engine, @Nullable Gate gate, @Nullable Charge outer, Reserved reserved, Mode mode) {
        this.engine = engine;
        this.gate = gate;
        this.outer = outer;
        this.reserved = reserved;
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
                all.add(new Share(share.ceiling, reserved.amount(share.ceiling.budget.unit())));
            }
        }
        // What a call holds is for what is made inside it, too: it takes away nothing from that.
        own.forEach(ceiling -> all.add(new Share(ceiling, ceiling.budget.unit() == Unit.CALLS ? 1 : 0)));
        return all;
    }

    /** The charge of a call that is about to be admitted; null if no budget concerns it. */
    static @Nullable Charge of(Engine engine, Estimate asked, Mode mode, @Nullable Charge outer) {
        Gate gate = engine.purse.gate();
        // Without budgets of its own a call still has what it may cost: those around it hold that.
        Settings settings = gate == null ? engine.settings : gate.settings;
        Charge charge = new Charge(engine, gate, outer, Reserved.of(asked, settings.estimatePerCall), mode);
        return gate == null && charge.shares.isEmpty() ? null : charge;
    }

    /** Takes shares in the ceilings around, all or none, and answers why not; the ledger is yet to be asked. */
    @Nullable BudgetRefusal enter() {
        BudgetRefusal refusal = ownRefusal();
        if (refusal != null && !forced) {
            return refusal;
        }
        int around = shares.size() - own.size();
        for (int i = 0; i < around; i++) {
            Share share = shares.get(i);
            Unit unit = share.ceiling.budget.unit();
            Kind kind = share.ceiling.claim(share, share.amount, reserved.bounds(unit), !forced);
            if (kind == null) {
                continue;
            }
            if (refusal == null) {
                refusal = share.ceiling.refused(kind, share.amount, engine, engine.wallTime());
            }
            if (!forced) {
                shares.subList(0, i).forEach(taken -> taken.ceiling.book(taken, 0, 0));
                return refusal;
            }
        }
        shares.subList(around, shares.size()).forEach(share -> share.ceiling.book(share, 0, share.amount));
        return refusal;
    }

    /** Why the call's own budgets refuse it before anybody is asked: too dear for one call, or nobody knows how dear. */
    private @Nullable BudgetRefusal ownRefusal() {
        for (Ceiling ceiling : own) {
            Kind kind = ceiling.refusal(reserved);
            if (kind != null) {
                return ceiling.refused(kind, reserved.amount(ceiling.budget.unit()), engine, engine.wallTime());
            }
        }
        return unknownCost(reserved);
    }

    /** Why budgets that must know what the call, or a step of it, costs refuse what nobody can tell it of; null if none does. */
    @Nullable BudgetRefusal unknownCost(Reserved asked) {
        String model = asked.unpriced();
        BudgetRefusal unpriced = model == null ? null : missingPrice();
        if (model != null && unpriced != null) {
            return unpriced.ofModel(model);
        }
        return gate == null ? null : gate.missingEstimate(asked);
    }

    private @Nullable BudgetRefusal missingPrice() {
        BudgetRefusal booked = gate == null ? null : gate.missingPrice();
        return booked != null
                ? booked
                : ceilingsInDollars()
                        .findFirst()
                        .map(ceiling -> ceiling.refused(Kind.UNPRICED, 0, engine, engine.wallTime()))
                        .orElse(null);
    }

    /** Whether a budget that concerns the call counts US dollars. */
    boolean countsDollars() {
        return (gate != null && gate.countsDollars())
                || ceilingsInDollars().findAny().isPresent();
    }

    private Stream<Ceiling> ceilingsInDollars() {
        return shares.stream()
                .map(share -> share.ceiling)
                .filter(ceiling -> ceiling.budget.unit() == Unit.USD && ceiling.isHeard(!forced));
    }

    /** Asks the ledger for the rest. */
    CompletionStage<Answer> reserve() {
        if (gate == null || gate.bookedCount() == 0) {
            return NOTHING_ASKED;
        }
        Hold asked = gate.hold(reserved, forced);
        hold = asked;
        engine.purse.begun(this, gate.ledger);
        return gate.ledger.reserve(asked);
    }

    /** What the ledger's answer means; null if all lines fit. */
    @Nullable BudgetRefusal refusal(Answer answer) {
        BudgetRefusal refusal = gate == null || hold == null ? null : gate.refusal(answer, hold.lines());
        if (refusal != null && !forced) {
            // There is nothing to give back.
            hold = null;
        }
        return refusal;
    }

    /** Takes note of how the accounts stand, and passes on which levels were passed. */
    void seen(List<Balance> balances) {
        if (gate != null) {
            lastSeen = balances;
            gate.tellLevels(balances);
        }
    }

    /** What it means that the ledger does not answer. */
    BudgetRefusal withoutAnswer(Throwable failure) {
        if (gate != null) {
            return gate.withoutAnswer(failure);
        }
        Ceiling ceiling = shares.get(0).ceiling;
        return BudgetRefusal.of(ceiling.budget, ceiling.status(engine.wallTime()), Kind.STORE, failure);
    }

    /** Why the call would be refused now; takes nothing. */
    @Nullable BudgetRefusal look() {
        BudgetRefusal refusal = ownRefusal();
        for (int i = 0; refusal == null && i < shares.size() - own.size(); i++) {
            Ceiling ceiling = shares.get(i).ceiling;
            Kind kind = ceiling.isHeard(!forced) ? ceiling.refusal(reserved) : null;
            if (kind != null) {
                refusal = ceiling.refused(kind, shares.get(i).amount, engine, engine.wallTime());
            }
        }
        return refusal != null || gate == null ? refusal : gate.look(reserved);
    }

    /** Asks for one more step, as {@link StepAdmission#ask} does. */
    CompletionStage<Optional<BudgetRefusal>> step(Step step) {
        return new StepAdmission(engine, this, gate, forced, step).ask();
    }

    /** Claims a step as well in the ceilings, in all or in none, and says what the ledger is to be asked for. */
    synchronized Claim claim(Step step, Instant asOf) {
        if (settled) {
            // The call ended while it was asked for: like a step after the end, it claims nothing.
            return new Claim(hold, hold == null ? List.of() : hold.lines(), null);
        }
        steps().begin(step);
        Reserved asked = step.reserved();
        BudgetRefusal refusal = null;
        for (Share share : shares) {
            Unit unit = share.ceiling.budget.unit();
            long claimed = claim(unit, share.amount, asked);
            Kind kind = share.ceiling.claim(share, claimed, asked.bounds(unit), !forced);
            if (kind != null && refusal == null) {
                // What the call has spent there is told as spent.
                long more = claimed - charged(unit, share.amount);
                refusal = share.ceiling.refused(kind, asked.bounds(unit) ? more : 0, engine, asOf);
            }
            if (refusal != null && !forced) {
                break;
            }
        }
        // Now: a step that is claimed later must not make this one dearer.
        return new Claim(hold, hold == null ? List.of() : linesFor(hold, asked), refusal);
    }

    private StepCosts steps() {
        StepCosts present = steps;
        if (present == null) {
            present = new StepCosts();
            steps = present;
        }
        return present;
    }

    /** What a call with a step that is about to be made may cost in all. */
    private long claim(Unit unit, long atFirst, Reserved step) {
        if (unit == Unit.CALLS || steps == null) {
            return atFirst;
        }
        long claimed = Gate.amount(unit, steps.claimed());
        // Of a step of which nobody knows there must be something left.
        return Math.max(atFirst, step.bounds(unit) || claimed == Long.MAX_VALUE ? claimed : claimed + 1);
    }

    private List<Line> linesFor(Hold held, Reserved step) {
        List<Line> lines = new ArrayList<>(held.lines().size());
        for (Line line : held.lines()) {
            Unit unit = line.account().unit();
            lines.add(new Line(line.account(), line.limit(), claim(unit, line.amount(), step), !step.bounds(unit)));
        }
        return lines;
    }

    /** The step was not made after all; the call may have ended meanwhile. */
    void takeBack(Step step) {
        Settlement correction;
        synchronized (this) {
            correction = steps != null && steps.isUnderway(step) ? withdrawn(step, steps) : null;
        }
        sendCorrection(correction);
    }

    private @Nullable Settlement withdrawn(Step step, StepCosts among) {
        among.release(step);
        if (among.isEmpty()) {
            steps = null;
        }
        return corrected();
    }

    /** A step has ended, or is now known to have cost something else. */
    void stepEnded(Step step) {
        Settlement correction;
        synchronized (this) {
            steps().end(step);
            correction = corrected();
        }
        sendCorrection(correction);
    }

    /** Why it may be advisable to spend less, as far as was seen when the ledger was last asked. */
    Optional<Advice> advice() {
        List<Balance> balances = lastSeen;
        if (gate != null && balances != null) {
            Optional<Advice> booked = gate.advice(balances);
            if (booked.isPresent()) {
                return booked;
            }
        }
        return shares.stream()
                .map(share -> share.ceiling)
                .filter(ceiling -> ceiling.isHeard(!forced) && ceiling.isToDegrade())
                .findFirst()
                .map(ceiling -> new Advice(ceiling.status(engine.wallTime()), ceiling.budget.degradeTo()));
    }

    /** What it costs if it has succeeded and nobody knows. */
    Cost usual() {
        return reserved.usual();
    }

    /** Takes everything back, as though the call had never been asked for. */
    void withdraw() {
        finish(IfUnknown.NOTHING);
    }

    /** The call has ended; what comes after the first end is a no-op. */
    void settle(IfUnknown cost) {
        if (outer != null) {
            outer.nestedSettled = true;
        }
        try {
            if (finish(cost)) {
                tellUnknown(cost);
            }
        } catch (Throwable broken) {
            Deliveries.warn("A call of circuit breaker '" + engine.breaker.name() + "' was not settled", broken);
        }
    }

    /** Ends the call; false if it had ended before. */
    private boolean finish(IfUnknown cost) {
        Settlement settlement;
        synchronized (this) {
            if (settled) {
                return false;
            }
            settled = true;
            costsHold = cost != IfUnknown.NOTHING;
            ifUnknown = cost == IfUnknown.USUAL ? reserved.usual() : reserved.cost();
            bounded = steps == null || overruled ? Set.of() : steps.bounded();
            settlement = nextSettlement();
        }
        if (gate != null) {
            engine.purse.ended(this, gate.ledger);
        }
        own.forEach(Ceiling::end);
        send(settlement);
        tellLevelsOfCalls();
        return true;
    }

    /** An admission without a permit: nobody tells how it ends, so it counts as a call, and holds nothing. */
    void settleUnseen() {
        synchronized (this) {
            recorded = Cost.ZERO;
        }
        try {
            finish(IfUnknown.NOTHING);
        } catch (Throwable broken) {
            Deliveries.warn("A call of circuit breaker '" + engine.breaker.name() + "' was not settled", broken);
        }
    }

    /** Adds what the call costs: for the settlement, or in correction of it. */
    void record(Cost cost) {
        Settlement correction;
        synchronized (this) {
            overruled |= !settled;
            recorded = recorded == null ? cost : recorded.plus(cost);
            correction = corrected();
        }
        sendCorrection(correction);
    }

    private @Nullable Settlement corrected() {
        if (settled) {
            return nextSettlement();
        }
        bookShares();
        return null;
    }

    private void sendCorrection(@Nullable Settlement correction) {
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
            Unit unit = share.ceiling.budget.unit();
            long spent = charged(unit, share.amount);
            long claimed = claim(unit, share.amount, Reserved.ALL_BOUND);
            share.ceiling.book(share, spent, settled ? 0 : Math.max(0, claimed - spent));
        }
    }

    private @Nullable Settlement nextSettlement() {
        bookShares();
        Hold settling = hold;
        if (settling == null) {
            return null;
        }
        List<Line> lines = settling.lines();
        long[] amounts = new long[lines.size()];
        for (int i = 0; i < amounts.length; i++) {
            amounts[i] = charged(lines.get(i).account().unit(), lines.get(i).amount());
        }
        return new Settlement(settling, ++revision, amounts, bounded);
    }

    /** What the call costs as far as is known. */
    private long charged(Unit unit, long held) {
        Cost known = known();
        if (known != null) {
            return Gate.amount(unit, known);
        }
        return settled && costsHold ? Math.min(held, Gate.amount(unit, ifUnknown)) : 0;
    }

    /** What is known of what the call costs; null if nothing is. */
    private @Nullable Cost known() {
        if (steps == null) {
            return recorded == null && nestedSettled ? Cost.ZERO : recorded;
        }
        Cost known = steps.spentAfterwards();
        if (!overruled) {
            // A step that has not ended when the call has costs what it holds.
            known = known.plus(settled ? steps.claimed() : steps.spent());
        }
        return recorded == null ? known : known.plus(recorded);
    }

    /** Tells what the call is charged if nobody knows what it cost, of a success also that this is nothing. */
    private void tellUnknown(IfUnknown cost) {
        Cost charged;
        synchronized (this) {
            charged = costsHold && known() == null ? ifUnknown : null;
        }
        if (charged != null && (cost == IfUnknown.USUAL || !charged.equals(Cost.ZERO))) {
            engine.tellCost(charged, Confidence.UNKNOWN);
        }
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

    /** What a call costs of which nobody knows that when it has ended. */
    enum IfUnknown {
        /** Nothing was delivered, so nothing is paid. */
        NOTHING,
        /** What a success costs: one attempt, as far as anybody knows. */
        USUAL,
        /** All that it held. */
        HOLD
    }

    /**
     * What a call claims for its next step.
     *
     * @param hold what the ledger has; null if it was not asked
     * @param lines what it is to have in all
     * @param refusal why a ceiling refuses it
     */
    record Claim(
            @Nullable Hold hold, List<Line> lines, @Nullable BudgetRefusal refusal) {}
}
