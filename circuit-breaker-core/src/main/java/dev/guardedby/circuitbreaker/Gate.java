package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.Ledger.Account;
import dev.guardedby.circuitbreaker.Ledger.Adjustment;
import dev.guardedby.circuitbreaker.Ledger.Answer;
import dev.guardedby.circuitbreaker.Ledger.Balance;
import dev.guardedby.circuitbreaker.Ledger.Hold;
import dev.guardedby.circuitbreaker.Ledger.Line;
import dev.guardedby.circuitbreaker.Ledger.Moment;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The budgets of a breaker, as its settings say; an immutable value. What is spent is in the ledger, so it outlasts a change of
 * the settings, and the breaker of a key.
 */
final class Gate {
    static {
        // Now, while there is room on the stack: see Rehearsal.
        CircuitBreaker breaker = CircuitBreaker.builder("rehearsal")
                .budget(Budget.calls("rehearsal", 1)
                        .per(BudgetWindow.lifetime())
                        .build())
                .build();
        breaker.acquire().failure(new IllegalStateException());
        breaker.acquire().success();
        breaker.tryAcquire().ifPresent(Permit::ignore);
    }

    /** Sees to it that the rehearsal has been. */
    static void rehearsed() {}

    final Settings settings;
    final Ledger ledger;
    /** Those whose window is one call. */
    final List<Budget> ofCalls;

    private final Engine engine;
    /** Those that the ledger keeps, the breaker's own before those that it shares. */
    private final List<Budget> booked;
    /** The accounts of these, in the same order. */
    private final List<Account> accounts;

    private final boolean readsWallClock;

    Gate(Engine engine, Settings settings) {
        this.engine = engine;
        this.settings = settings;
        this.ledger = engine.purse.ledger();
        this.ofCalls = settings.budgets.stream().filter(Gate::isOfCalls).toList();
        this.booked = Stream.concat(
                        settings.budgets.stream().filter(budget -> !isOfCalls(budget)), settings.chargeTo.stream())
                .toList();
        String key = engine.breaker.key().orElse(null);
        this.accounts = booked.stream()
                .map(budget -> settings.chargeTo.contains(budget)
                        ? new Account(null, null, budget.name(), budget.unit(), budget.window())
                        : new Account(engine.breaker.name(), key, budget.name(), budget.unit(), budget.window()))
                .toList();
        this.readsWallClock = booked.stream().anyMatch(budget -> budget.window() instanceof CalendarWindow);
    }

    static boolean isOfCalls(Budget budget) {
        return budget.window() == BudgetWindow.call();
    }

    /** How many budgets the ledger keeps. */
    int bookedCount() {
        return booked.size();
    }

    Moment moment() {
        return new Moment(readsWallClock ? engine.wallTime() : null, engine.now());
    }

    /** What a call asks of the ledger. */
    List<Line> lines(Reserved hold) {
        if (booked.size() == 1) {
            return List.of(line(0, hold));
        }
        List<Line> lines = new ArrayList<>(booked.size());
        for (int i = 0; i < booked.size(); i++) {
            lines.add(line(i, hold));
        }
        return lines;
    }

    private Line line(int i, Reserved hold) {
        Budget budget = booked.get(i);
        return new Line(accounts.get(i), budget.wholeLimit(), hold.amount(budget.unit()), !hold.bounds(budget.unit()));
    }

    /** Why a budget that must know what a call, or a step, may cost refuses one of which nobody does; null if none does. */
    @Nullable BudgetRefusal missingEstimate(Reserved asked) {
        for (Budget budget : booked) {
            if (budget.requireEstimate() && !asked.bounds(budget.unit())) {
                return unasked(budget, Kind.UNPRICED, null);
            }
        }
        return null;
    }

    /** Why a budget in US dollars refuses what has no price; null if there is none. */
    @Nullable BudgetRefusal missingPrice() {
        for (Budget budget : booked) {
            if (budget.unit() == Unit.USD) {
                return unasked(budget, Kind.UNPRICED, null);
            }
        }
        return null;
    }

    boolean countsDollars() {
        return booked.stream().anyMatch(budget -> budget.unit() == Unit.USD);
    }

    /** What it means that the ledger does not answer. */
    BudgetRefusal withoutAnswer(Throwable failure) {
        return unasked(settings.anyBudget(), Kind.STORE, failure);
    }

    private BudgetRefusal unasked(Budget budget, Kind kind, @Nullable Throwable cause) {
        Balance none = new Balance(budget.wholeLimit(), 0, 0, 0, BudgetStatus.Kind.EXACT, null);
        return BudgetRefusal.of(budget, status(budget, none, engine.wallTime()), kind, cause);
    }

    /** What the ledger's answer means to a call that asked for those lines; null if all fit. */
    @Nullable BudgetRefusal refusal(Answer answer, List<Line> asked) {
        return answer.kind() == null
                ? null
                : refusal(answer, asked.get(answer.refusing()).amount());
    }

    /** What the ledger's answer means to a call that asked for those lines for its next step; null if all fit. */
    @Nullable BudgetRefusal refusalOfStep(Answer answer, List<Line> asked) {
        if (answer.kind() == null) {
            return null;
        }
        Line line = asked.get(answer.refusing());
        // What is asked for one without a bound says nothing of what it may cost.
        return refusal(answer, line.soft() ? 0 : line.amount());
    }

    private BudgetRefusal refusal(Answer answer, long needed) {
        int i = answer.refusing();
        return refusal(i, answer.balances().get(i), Objects.requireNonNull(answer.kind()), needed);
    }

    private BudgetRefusal refusal(int line, Balance balance, Kind kind, long needed) {
        Budget budget = booked.get(line);
        return BudgetRefusal.ofNeed(budget, status(budget, balance, engine.wallTime()), kind, needed);
    }

    /** Why a call that reserves so much would be refused now; moves nothing. */
    @Nullable BudgetRefusal look(Reserved call) {
        if (booked.isEmpty()) {
            return null;
        }
        List<Line> lines = lines(call);
        try {
            List<Balance> balances = Stages.await(ledger.look(lines, moment()));
            for (int i = 0; i < lines.size(); i++) {
                Balance balance = balances.get(i);
                long amount = lines.get(i).amount();
                Kind kind = Book.refusal(amount, balance.limit(), balance.spent(), balance.held());
                if (kind != null) {
                    return refusal(i, balance, kind, amount);
                }
            }
            return null;
        } catch (Exception broken) {
            return withoutAnswer(broken);
        }
    }

    Hold hold(Reserved hold, boolean forced) {
        return new Hold(lines(hold), settings.holdTimeout, forced, moment());
    }

    /** So much of a cost is in a unit; a call is a call. */
    static long amount(Unit unit, Cost cost) {
        return switch (unit) {
            case USD -> cost.nanoUsd();
            case TOKENS -> {
                long sum = cost.inputTokens() + cost.outputTokens();
                yield sum < 0 ? Long.MAX_VALUE : sum;
            }
            case CALLS -> 1;
        };
    }

    /** Books what was recorded without a permit. */
    void book(Cost cost) {
        Moment now = moment();
        for (int i = 0; i < booked.size(); i++) {
            long amount = booked.get(i).unit() == Unit.CALLS
                    ? 0
                    : amount(booked.get(i).unit(), cost);
            if (amount > 0) {
                change(i, amount, null, now);
            }
        }
    }

    private void change(int line, long change, @Nullable String reason, Moment now) {
        Stages.then(
                ledger.adjust(new Adjustment(line(line, Reserved.NOTHING), change, reason, now)),
                balance -> tellLevels(line, balance),
                "A ledger lost what was booked to budget '" + booked.get(line).name() + "'");
    }

    /** Tells listeners of the levels that were passed. */
    void tellLevels(List<Balance> balances) {
        for (int i = 0; i < balances.size(); i++) {
            tellLevels(i, balances.get(i));
        }
    }

    private void tellLevels(int line, Balance balance) {
        Budget budget = booked.get(line);
        for (int percent : budget.levels) {
            long level = Budget.share(percent, balance.limit());
            if (balance.peak() < level && balance.spent() >= level) {
                engine.tellLevel(status(budget, balance, engine.wallTime()), percent);
            }
        }
    }

    /** Why it is advisable to spend less where accounts stand like that; of several budgets the first says so. */
    Optional<Advice> advice(List<Balance> balances) {
        for (int i = 0; i < balances.size(); i++) {
            Budget budget = booked.get(i);
            Balance balance = balances.get(i);
            if (budget.isToDegrade(balance.spent(), balance.limit())) {
                return Optional.of(new Advice(status(budget, balance, engine.wallTime()), budget.degradeTo()));
            }
        }
        return Optional.empty();
    }

    /** The advice to whoever makes a call now. */
    Optional<Advice> advice() {
        if (booked.stream().allMatch(budget -> budget.degradeAt().isEmpty())) {
            return Optional.empty();
        }
        try {
            return advice(Stages.await(ledger.look(lines(Reserved.NOTHING), moment())));
        } catch (Exception broken) {
            Deliveries.warn("A ledger does not tell how budgets stand", broken);
            return Optional.empty();
        }
    }

    static BudgetStatus status(Budget budget, Balance balance, Instant asOf) {
        Unit unit = budget.unit();
        return new BudgetStatus(
                budget.name(),
                unit,
                unit.decimal(balance.limit()),
                unit.decimal(balance.spent()),
                unit.decimal(balance.held()),
                balance.resetsAt(),
                balance.kind(),
                asOf);
    }

    /** How all budgets stand; those of a store that does not answer are left out. */
    List<BudgetStatus> statuses() {
        Instant asOf = engine.wallTime();
        List<BudgetStatus> statuses = new ArrayList<>();
        try {
            List<Balance> balances =
                    booked.isEmpty() ? List.of() : Stages.await(ledger.look(lines(Reserved.NOTHING), moment()));
            for (int i = 0; i < balances.size(); i++) {
                statuses.add(status(booked.get(i), balances.get(i), asOf));
            }
        } catch (Exception broken) {
            Deliveries.warn("A ledger does not tell how budgets stand", broken);
        }
        for (Budget budget : ofCalls) {
            Ceiling around = Charge.ceiling(Scope.innermostCharge(), engine, budget);
            statuses.add((around == null ? Ceiling.of(budget, engine, true) : around).status(asOf));
        }
        return statuses;
    }

    /** Sets an operator's limit. */
    void limit(String name, BigDecimal newLimit) {
        Budget budget = named(name);
        long limit = budget.unit().wholeLimit(newLimit);
        if (isOfCalls(budget)) {
            engine.purse.limitCalls(name, limit);
            return;
        }
        int i = booked.indexOf(budget);
        Line line = new Line(accounts.get(i), limit, 0, true);
        try {
            Balance before = Stages.await(ledger.look(List.of(line(i, Reserved.NOTHING)), moment()))
                    .get(0);
            Balance after = Stages.await(ledger.limit(line, moment()));
            tellLevelsPassedBy(budget, before, after);
        } catch (Exception broken) {
            throw new IllegalStateException("the ledger did not take the limit of budget '" + name + "'", broken);
        }
    }

    private void tellLevelsPassedBy(Budget budget, Balance before, Balance after) {
        for (int percent : budget.levels) {
            if (Math.max(before.peak(), before.spent()) < Budget.share(percent, before.limit())
                    && after.spent() >= Budget.share(percent, after.limit())) {
                engine.tellLevel(status(budget, after, engine.wallTime()), percent);
            }
        }
    }

    /** Corrects what is charged. */
    void adjust(String name, BigDecimal signedAmount, String reason) {
        Budget budget = named(name);
        if (isOfCalls(budget)) {
            throw new IllegalArgumentException(
                    "budget '" + name + "' is for one call each, and keeps nothing that could be adjusted");
        }
        if (reason.isBlank()) {
            throw new IllegalArgumentException("reason must not be blank, but was '" + reason + "'");
        }
        long amount = budget.unit().wholeLimit(signedAmount.abs());
        change(booked.indexOf(budget), signedAmount.signum() < 0 ? -amount : amount, reason, moment());
    }

    private Budget named(String name) {
        List<Budget> all = Stream.concat(ofCalls.stream(), booked.stream()).toList();
        return all.stream()
                .filter(budget -> budget.name().equals(name))
                .findFirst()
                .orElseThrow(() -> noBudget(engine, name, all));
    }

    static IllegalArgumentException noBudget(Engine engine, String name, List<Budget> all) {
        return new IllegalArgumentException("budget must be one of "
                + all.stream().map(Budget::name).collect(Collectors.toList()) + " of "
                + engine.breaker.titleInside() + ", but was '" + name + "'");
    }
}
