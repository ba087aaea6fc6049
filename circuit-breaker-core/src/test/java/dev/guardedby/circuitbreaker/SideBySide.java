package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Difference.same;

import dev.guardedby.circuitbreaker.NaiveBreaker.Ticket;
import dev.guardedby.circuitbreaker.NaiveBreaker.Undecided;
import dev.guardedby.circuitbreaker.RandomOperation.Kind;
import dev.guardedby.circuitbreaker.RandomOperation.Thrown;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A breaker and a naive one that are told the same, and compared after every operation. */
final class SideBySide {
    private static final long LONGEST_RUN = 10 * RandomSetup.TEN_YEARS;
    private static final String BAD = "a result that counts as a failure";
    private static final int PERMITS_IN_HAND = 12;

    /** Leave to make the same call, from both. */
    private record Leave(Permit permit, Ticket ticket, long takenAt, long timesHalfOpened) {}

    private final FakeTime time;
    private final CircuitBreaker breaker;
    private final NaiveBreaker naive;
    private final Comparison comparison;
    /** What a caller still knows; older ones are leaked. */
    private final List<Leave> inHand = new ArrayList<>();

    private final List<Leave> unreported = new ArrayList<>();
    /** The time, but for steps back. */
    private long latest;

    private long admitted;
    private long callsRunning;
    private long manualResults;
    private long operations;
    private boolean isUndecided;

    SideBySide(RandomSetup setup) {
        time = new FakeTime(setup.origin());
        CircuitBreaker.Builder builder = CircuitBreaker.builder("random")
                .mode(setup.mode())
                .ignoreIf(RandomOperation.BadRequest.class::isInstance)
                .tripIf(RandomOperation.KeyRevoked.class::isInstance)
                .failOnResult(BAD::equals)
                .ticker(time)
                .clock(time);
        setup.describe(builder);
        // A breaker that nobody listens to takes shorter ways.
        Told told = setup.listened() ? new Told() : null;
        breaker = (told == null ? builder : builder.listener(told)).build();
        naive = new NaiveBreaker(setup, () -> breaker.refusal().isEmpty());
        comparison = new Comparison(breaker, naive, told);
    }

    /** Does all of it, and answers how many operations that were, those inside of calls included. */
    long run(List<RandomOperation> sequence) {
        compare();
        try {
            sequence.forEach(this::perform);
        } catch (Undecided openEnd) {
            isUndecided = true;
        }
        countTheSlots();
        return operations;
    }

    /** Whether the rules left open how it went on. */
    boolean isUndecided() {
        return isUndecided;
    }

    /** The causes, reasons and rarities that came up. */
    Set<Enum<?>> seen() {
        return comparison.seen;
    }

    private void perform(RandomOperation operation) {
        operations++;
        switch (operation.kind()) {
            case TRY_ACQUIRE -> {
                Ticket ticket = naive.admit(false);
                keep(breaker.tryAcquire().orElse(null), ticket);
            }
            case ACQUIRE -> acquire();
            case SUCCESS -> report(operation, Permit::success, naive::success);
            case GOOD_RESULT -> report(operation, permit -> permit.success("fine"), naive::success);
            case BAD_RESULT ->
                report(operation, permit -> permit.success(BAD), ticket -> naive.failure(ticket, false, null));
            case FAILURE ->
                report(
                        operation,
                        permit -> permit.failure(operation.thrown().exception()),
                        ticket -> failNaively(ticket, operation.thrown()));
            case IGNORE -> report(operation, Permit::ignore, naive::ignore);
            case CANCEL -> report(operation, Permit::cancel, naive::ignore);
            case CLOSE -> report(operation, Permit::close, naive::close);
            case CALL, CALL_WITH_PERMIT, RUN -> call(operation);
            case ATTACH -> attach(operation);
            case CAN_EXECUTE -> same("canExecute()", naive.admit(true) != null, breaker.canExecute());
            case CHECK_PERMITTED -> checkPermitted();
            case RECORD_SUCCESS -> {
                manualResults++;
                breaker.recordSuccess();
                naive.manualSuccess();
            }
            case RECORD_FAILURE -> {
                manualResults++;
                breaker.recordFailure();
                naive.manualFailure();
            }
            case RECORD_COST -> recordCost(operation);
            case STATE -> {
                naive.look();
                same("state()", naive.state, breaker.state());
            }
            case TIME_UNTIL_RETRY -> {
                naive.look();
                same("timeUntilRetry()", Comparison.positive(naive.untilRetry()), breaker.timeUntilRetry());
            }
            case RESET -> {
                breaker.reset();
                naive.close(Cause.RESET);
            }
            case FORCE_OPEN -> {
                breaker.forceOpen();
                naive.forceOpen();
            }
            case HOLD_OPEN -> {
                breaker.holdOpen();
                naive.holdOpen();
            }
            case FORCE_CLOSE -> {
                breaker.forceClose();
                naive.close(Cause.FORCE_CLOSE);
            }
            case SWITCH_MODE -> {
                breaker.mode(operation.mode());
                naive.mode(operation.mode());
            }
            case RECONFIGURE -> {
                RandomSetup changed = naive.setup.changed(operation.pick(), operation.detail());
                breaker.reconfigure(changed::describe);
                naive.reconfigure(changed);
            }
            case STEP -> step(operation);
        }
        compare();
    }

    private void step(RandomOperation operation) {
        long step = switch (operation.detail() % 14) {
            case 0 -> 1;
            case 1 -> naive.setup.recovery() - 1;
            case 2 -> naive.setup.recovery();
            case 3 -> naive.setup.recovery() / 2;
            case 4 -> naive.setup.lease() - 1;
            case 5 -> naive.setup.lease();
            case 6 -> naive.setup.lease() / 2;
            case 7 -> naive.setup.windowLength() * 2 / 7;
            case 8 -> naive.setup.windowLength() * 2;
            case 9 -> naive.setup.slow() * 4 / 9;
            case 10 -> naive.setup.slow() * 3 / 2;
            case 11 -> naive.setup.rampUp() / 3;
            case 12 -> naive.wait;
            default -> -1 - operation.pick() % 5;
        };
        // Differences of more than 292 years cannot be told from negative ones.
        if (naive.now + step < LONGEST_RUN) {
            time.advance(Duration.ofNanos(step));
            naive.now += step;
            latest = Math.max(latest, naive.now);
        }
    }

    private void recordCost(RandomOperation operation) {
        RandomOperation.Amount amount = operation.amount();
        boolean recorded = true;
        try {
            if (inHand.isEmpty()) {
                breaker.recordCost(amount.input(), amount.output(), amount.usd());
            } else {
                pick(operation).permit.recordCost(amount.input(), amount.output(), amount.usd());
            }
        } catch (IllegalArgumentException refused) {
            recorded = false;
        }
        same("cost recorded", naive.cost(amount.input(), amount.output(), amount.usd()), recorded);
        same("checkCostThreshold(total)", false, breaker.checkCostThreshold(naive.usd));
        same(
                "checkCostThreshold(below)",
                naive.usd.signum() > 0,
                breaker.checkCostThreshold(naive.usd.subtract(NaiveBreaker.NANO).max(BigDecimal.ZERO)));
    }

    // Permits

    private void keep(@Nullable Permit permit, @Nullable Ticket ticket) {
        same("admitted", ticket != null, permit != null);
        if (permit != null && ticket != null) {
            same("isProbe()", ticket.probe, permit.isProbe());
            admitted++;
            Leave leave = new Leave(permit, ticket, naive.now, breaker.stats().timesHalfOpened());
            unreported.add(leave);
            inHand.add(leave);
            if (inHand.size() > PERMITS_IN_HAND) {
                inHand.remove(0);
            }
        }
    }

    private void acquire() {
        Ticket ticket = naive.admit(false);
        try {
            keep(breaker.acquire(), ticket);
        } catch (CallNotPermittedException refusal) {
            keep(null, ticket);
            comparison.compareRefusal(refusal);
        }
    }

    private void checkPermitted() {
        // The simple one is refused like any call, or left alone.
        boolean refuses = naive.refusal() != null;
        Ticket ticket = refuses ? naive.admit(false) : null;
        same("took", null, ticket);
        try {
            breaker.checkPermitted();
            same("refused", refuses, false);
        } catch (CallNotPermittedException refusal) {
            same("refused", refuses, true);
            comparison.compareRefusal(refusal);
        }
    }

    private Leave pick(RandomOperation operation) {
        return inHand.get(operation.pick() % inHand.size());
    }

    private void report(RandomOperation operation, Consumer<Permit> really, Consumer<Ticket> naively) {
        if (!inHand.isEmpty()) {
            Leave leave = pick(operation);
            unreported.remove(leave);
            really.accept(leave.permit);
            naively.accept(leave.ticket);
        }
    }

    private void failNaively(Ticket ticket, Thrown thrown) {
        if (thrown.outcome() == Outcome.IGNORED) {
            naive.ignore(ticket);
        } else {
            naive.failure(ticket, thrown.proof(), thrown.named());
        }
    }

    // Calls

    private void call(RandomOperation operation) {
        Ticket ticket = naive.admit(false);
        try {
            switch (operation.kind()) {
                case CALL -> breaker.call(() -> inside(operation, null, ticket));
                case RUN -> breaker.run(() -> inside(operation, null, ticket));
                default -> breaker.call(Cost.ZERO, permit -> inside(operation, permit, ticket));
            }
            same("returned", operation.returns(), true);
        } catch (Difference | Undecided through) {
            throw through;
        } catch (CallNotPermittedException refusal) {
            if (ticket == null) {
                comparison.compareRefusal(refusal);
                return;
            }
            same("thrown", operation.thrown().exception(), refusal);
        } catch (Throwable thrown) {
            same("thrown", operation.returns() ? null : operation.thrown().exception(), thrown);
        }
        same("admitted", ticket != null, true);
        end(operation, Objects.requireNonNull(ticket));
    }

    private String inside(RandomOperation operation, @Nullable Permit permit, @Nullable Ticket ticket)
            throws Throwable {
        if (permit != null) {
            keep(permit, ticket);
        } else {
            same("admitted", ticket != null, true);
            admitted++;
            callsRunning++;
        }
        naive.inside.push(Objects.requireNonNull(ticket));
        operation.inner().forEach(this::perform);
        if (!operation.returns()) {
            throw operation.thrown().exception();
        }
        return operation.badResult() ? BAD : "fine";
    }

    private void end(RandomOperation operation, Ticket ticket) {
        naive.inside.pop();
        if (operation.kind() == Kind.CALL_WITH_PERMIT) {
            unreported.removeIf(leave -> leave.ticket == ticket);
        } else {
            callsRunning--;
        }
        if (!operation.returns()) {
            failNaively(ticket, operation.thrown());
        } else if (operation.kind() != Kind.RUN && operation.badResult()) {
            naive.failure(ticket, false, null);
        } else {
            naive.success(ticket);
        }
    }

    private void attach(RandomOperation operation) {
        if (!inHand.isEmpty()) {
            Leave leave = pick(operation);
            naive.inside.push(leave.ticket);
            Scope scope = leave.permit.attach();
            operation.inner().forEach(this::perform);
            scope.close();
            naive.inside.pop();
        }
    }

    // Comparing

    private void compare() {
        comparison.compare();
        CircuitBreakerStats stats = breaker.stats();
        // Not by the naive one, but by what the callers know themselves.
        same(
                "results and permits not yet reported",
                admitted + manualResults,
                stats.totalSuccesses()
                        + stats.totalFailures()
                        + stats.totalIgnored()
                        + unreported.size()
                        + callsRunning);
        same("probes in flight within the limit", true, probesInFlight(stats) <= naive.probes);
    }

    private long probesInFlight(CircuitBreakerStats stats) {
        if (stats.state() != CircuitState.HALF_OPEN) {
            return 0;
        }
        return unreported.stream()
                .filter(leave -> leave.permit.isProbe()
                        && leave.timesHalfOpened == stats.timesHalfOpened()
                        && latest - leave.takenAt < naive.lease)
                .count();
    }

    /** However it went: after a recovery the slots are all there, and no more than those. */
    private void countTheSlots() {
        unreported.forEach(leave -> leave.permit.close());
        breaker.mode(Mode.ENFORCE);
        breaker.reset();
        breaker.forceOpen();
        time.advance(Duration.ofNanos(naive.setup.recovery()));
        for (int round = 0; round < 2; round++) {
            takeAllSlots().forEach(Permit::close);
        }
        takeAllSlots().stream().limit(naive.setup.needed()).forEach(Permit::success);
        same("state after successful probes", CircuitState.CLOSED, breaker.state());
    }

    private List<Permit> takeAllSlots() {
        List<Permit> taken = new ArrayList<>();
        for (int slot = 0; slot < naive.setup.probes(); slot++) {
            Permit permit = breaker.tryAcquire().orElse(null);
            same("slot " + slot + " of " + naive.setup.probes() + " free", true, permit != null && permit.isProbe());
            taken.add(permit);
        }
        same("one probe too many admitted", false, breaker.tryAcquire().isPresent());
        return taken;
    }
}
