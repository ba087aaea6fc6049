package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * What a breaker should do, in fields and ifs for one thread: the rules as one reads them, to be compared with the real one.
 *
 * <p>Time is the time since the start, so nothing wraps here. Only what the random operations use is modelled.
 */
final class NaiveBreaker {
    /** Leave to make one call. */
    static final class Ticket {
        int period;
        boolean probe;
        boolean totalsOnly;
        boolean manual;
        boolean lost;
        boolean reported;
        long takenAt;
    }

    /** The rules leave open what happens here. */
    static final class Undecided extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** What random operations reach only if they are drawn well. */
    enum Rarity {
        RIDING_CALL,
        LATE_SUCCESS,
        LATE_FAILURE,
        CLOSED_BY_A_LOOK,
        REOPENED_BY_A_LOOK,
        STALE_MANUAL_RESULT,
        SLOW_PROBE,
        TRIP_BY_HUNG_CALLS,
        GROWN_WAIT
    }

    static final BigDecimal NANO = BigDecimal.ONE.movePointLeft(9);

    private static final double NEAR_A_WHOLE = 1e-6;

    RandomSetup setup;
    private final BooleanSupplier wouldPass;

    long now;
    Mode mode;
    CircuitState state = CircuitState.CLOSED;
    int period;
    long periodSince;
    boolean held;
    long wait;
    int failedRecoveries;

    NaiveWindow window;
    /** The length of the present one; 0 if there is none, or no more. */
    long rampUp;

    double credit;

    /** Why the latest refused call was. */
    Reason refusedBecause;
    /** As they were when the probing began. */
    int probes;

    int needed;
    long lease;

    final List<Ticket> slots = new ArrayList<>();
    final Deque<Ticket> inside = new ArrayDeque<>();
    final Map<String, Long> failureClasses = new HashMap<>();
    int good;
    int bad;
    long lastProbeResultAt;

    long streak;
    long successes;
    long failures;
    long ignored;
    long rejected;
    long wouldReject;
    long stale;
    long late;
    long unreported;
    long opened;
    long halfOpened;
    long closed;
    Instant lastFailureAt;
    Instant lastChangeAt;
    final Map<CircuitState, Long> timeIn = new EnumMap<>(CircuitState.class);
    long inputTokens;
    long outputTokens;
    BigDecimal usd = BigDecimal.ZERO;
    final List<Told.Move> moves = new ArrayList<>();
    final Set<Rarity> rarities = EnumSet.noneOf(Rarity.class);

    /**
     * @param wouldPass the other breaker's answer, for where a share of calls is so near to a whole one that it may be one
     */
    NaiveBreaker(RandomSetup setup, BooleanSupplier wouldPass) {
        this.setup = setup;
        this.wouldPass = wouldPass;
        mode = setup.mode();
        window = newWindow();
    }

    // Admission

    /** A ticket, or null where the call is refused. */
    Ticket admit(boolean manual) {
        look();
        Ticket ticket = new Ticket();
        ticket.period = period;
        ticket.manual = manual;
        ticket.takenAt = now;
        NaiveWindow.Trip hung = tripOfHungCalls();
        if (hung != null) {
            rarities.add(Rarity.TRIP_BY_HUNG_CALLS);
            move(CircuitState.OPEN, hung.cause(), hung.failures());
        }
        if (state == CircuitState.CLOSED && takesPartInTheRampUp()) {
            if (window != null && !manual) {
                window.running.add(ticket);
            }
            ticket.period = period;
            return ticket;
        }
        if (insideProbe()) {
            rarities.add(Rarity.RIDING_CALL);
            ticket.totalsOnly = true;
            return ticket;
        }
        if (state == CircuitState.HALF_OPEN && makeRoom()) {
            ticket.probe = true;
            slots.add(ticket);
            return ticket;
        }
        if (mode == Mode.OBSERVE) {
            wouldReject++;
            ticket.totalsOnly = true;
            return ticket;
        }
        rejected++;
        refusedBecause = state == CircuitState.CLOSED ? Reason.RAMP_UP : refusal();
        return null;
    }

    private NaiveWindow newWindow() {
        return mode == Mode.DISABLED || !setup.hasRateRule() ? null : new NaiveWindow();
    }

    private NaiveWindow.Trip tripOfHungCalls() {
        return state == CircuitState.CLOSED && window != null ? window.tripOfHungCalls(setup, now) : null;
    }

    private boolean takesPartInTheRampUp() {
        if (rampUp == 0 || isRampUpOver()) {
            rampUp = 0;
            return true;
        }
        boolean passes = passesRampUp();
        credit += share() - (passes ? 1 : 0);
        return passes;
    }

    private boolean isRampUpOver() {
        return now - periodSince >= rampUp;
    }

    private boolean passesRampUp() {
        if (Math.abs(credit + share() - 1) < NEAR_A_WHOLE) {
            if (mode != Mode.ENFORCE) {
                throw new Undecided();
            }
            return wouldPass.getAsBoolean();
        }
        return credit + share() >= 1;
    }

    private double share() {
        return 0.1 + 0.9 * Math.max(0, now - periodSince) / rampUp;
    }

    private boolean makeRoom() {
        if (freeSlots() > 0) {
            return true;
        }
        if (!oldestExpired()) {
            return false;
        }
        slots.remove(0).lost = true;
        return true;
    }

    private int freeSlots() {
        return probes - good - bad - slots.size();
    }

    /** The oldest is the one taken first, even if the ticker stepped back since. */
    private boolean oldestExpired() {
        return !slots.isEmpty() && now - slots.get(0).takenAt >= lease;
    }

    private boolean insideProbe() {
        for (Ticket ticket : inside) {
            if (ticket.probe && ticket.period == period && !ticket.reported) {
                return true;
            }
        }
        return false;
    }

    /** Why a call would be refused now; null if it would pass. */
    Reason refusal() {
        if (mode != Mode.ENFORCE) {
            return null;
        }
        if (state == CircuitState.CLOSED) {
            if (tripOfHungCalls() != null) {
                return Reason.OPEN;
            }
            return rampUp == 0 || isRampUpOver() || passesRampUp() ? null : Reason.RAMP_UP;
        }
        if (state == CircuitState.OPEN) {
            return held ? Reason.HELD_OPEN : due() ? null : Reason.OPEN;
        }
        if (undecidedForTooLong()) {
            // A call looks before it rides, and that look would end the period of the probe that it is inside of.
            return enoughAmongResults() ? null : Reason.OPEN;
        }
        return insideProbe() || freeSlots() > 0 || oldestExpired() ? null : Reason.PROBING;
    }

    /** How long a refused call should wait; 0 where nobody can tell. */
    long retryAfter() {
        if (state == CircuitState.HALF_OPEN && undecidedForTooLong()) {
            return setup.wait(failedRecoveries + 1);
        }
        if (tripOfHungCalls() != null) {
            return setup.wait(0);
        }
        return untilRetry();
    }

    /** The rest of the wait; 0 where there is none. */
    long untilRetry() {
        return state == CircuitState.OPEN && !held ? wait - (now - periodSince) : 0;
    }

    // Looks

    void look() {
        if (state == CircuitState.OPEN && !held && due()) {
            move(CircuitState.HALF_OPEN, Cause.WAIT_OVER, 0);
        } else if (state == CircuitState.HALF_OPEN && undecidedForTooLong()) {
            if (enoughAmongResults()) {
                rarities.add(Rarity.CLOSED_BY_A_LOOK);
                move(CircuitState.CLOSED, Cause.PROBES_SUCCEEDED, bad);
            } else {
                rarities.add(Rarity.REOPENED_BY_A_LOOK);
                move(CircuitState.OPEN, Cause.PROBES_FAILED, bad);
            }
        }
    }

    private boolean due() {
        return now - periodSince >= wait;
    }

    private boolean undecidedForTooLong() {
        return good + bad > 0 && slots.isEmpty() && now - lastProbeResultAt >= lease;
    }

    private boolean enoughAmongResults() {
        return good * probes >= needed * (good + bad);
    }

    // Results

    void success(Ticket ticket) {
        if (ticket.reported) {
            return;
        }
        ticket.reported = true;
        successes++;
        boolean slow = isSlow(ticket);
        if (counts(ticket)) {
            if (ticket.probe && slow) {
                rarities.add(Rarity.SLOW_PROBE);
                if (ticket.lost) {
                    late++;
                } else {
                    slots.remove(ticket);
                    streak = 0;
                    badProbe(false);
                }
            } else if (ticket.probe) {
                if (ticket.lost) {
                    rarities.add(Rarity.LATE_SUCCESS);
                }
                slots.remove(ticket);
                goodProbe();
            } else {
                streak = 0;
                enter(false, slow);
            }
        }
    }

    private boolean isSlow(Ticket ticket) {
        return setup.slowRate() > 0 && Math.max(0, now - ticket.takenAt) >= setup.slow();
    }

    private boolean enter(boolean failed, boolean slow) {
        NaiveWindow.Trip trip = window == null ? null : window.enter(setup, now, failed, slow);
        if (trip != null) {
            move(CircuitState.OPEN, trip.cause(), trip.failures());
        }
        return trip != null;
    }

    /** @param thrown the class of the failure, or null if the result was one */
    void failure(Ticket ticket, boolean proof, Class<?> thrown) {
        if (ticket.reported) {
            return;
        }
        ticket.reported = true;
        failures++;
        lastFailureAt = wallTime();
        if (counts(ticket)) {
            if (ticket.lost) {
                rarities.add(Rarity.LATE_FAILURE);
                late++;
                return;
            }
            if (thrown != null) {
                failureClasses.merge(thrown.getName(), 1L, Long::sum);
            }
            if (ticket.probe) {
                slots.remove(ticket);
                streak++;
                badProbe(proof);
            } else {
                failureWhileClosed(proof, isSlow(ticket));
            }
        }
    }

    void ignore(Ticket ticket) {
        if (ticket.reported) {
            return;
        }
        ticket.reported = true;
        ignored++;
        if (counts(ticket)) {
            slots.remove(ticket);
        }
    }

    /** Whether a result matters for more than the totals. */
    private boolean counts(Ticket ticket) {
        if (window != null) {
            window.running.remove(ticket);
        }
        if (ticket.totalsOnly) {
            return false;
        }
        if (ticket.period != period) {
            stale++;
            return false;
        }
        return true;
    }

    void close(Ticket ticket) {
        if (!ticket.reported) {
            unreported++;
            ignore(ticket);
        }
    }

    private void goodProbe() {
        streak = 0;
        good++;
        lastProbeResultAt = now;
        if (good >= needed) {
            move(CircuitState.CLOSED, Cause.PROBES_SUCCEEDED, bad);
        }
    }

    private void badProbe(boolean proof) {
        bad++;
        lastProbeResultAt = now;
        if (proof || bad > probes - needed) {
            move(CircuitState.OPEN, Cause.PROBES_FAILED, bad);
        }
    }

    private void failureWhileClosed(boolean proof, boolean slow) {
        streak++;
        if (mode == Mode.DISABLED) {
            return;
        }
        if (proof) {
            move(CircuitState.OPEN, Cause.TRIP, 1);
        } else if (setup.threshold() > 0 && streak >= setup.threshold()) {
            move(CircuitState.OPEN, Cause.FAILURES, streak);
        } else {
            enter(true, slow);
        }
    }

    // The manual protocol

    void manualSuccess() {
        successes++;
        if (state == CircuitState.CLOSED) {
            streak = 0;
            enter(false, false);
        } else if (state == CircuitState.OPEN) {
            streak = 0;
        } else if (takeManualSlot()) {
            goodProbe();
        } else {
            stale++;
        }
    }

    void manualFailure() {
        failures++;
        lastFailureAt = wallTime();
        if (state == CircuitState.CLOSED) {
            failureWhileClosed(false, false);
        } else if (state == CircuitState.OPEN) {
            streak++;
        } else if (takeManualSlot()) {
            streak++;
            badProbe(false);
        } else {
            stale++;
        }
    }

    private boolean takeManualSlot() {
        for (Ticket slot : slots) {
            if (slot.manual) {
                slots.remove(slot);
                return true;
            }
        }
        if (freeSlots() <= 0) {
            rarities.add(Rarity.STALE_MANUAL_RESULT);
            return false;
        }
        return true;
    }

    boolean cost(long input, long output, BigDecimal dollars) {
        if (input < 0 || output < 0 || input > 1_000_000_000_000L || output > 1_000_000_000_000L) {
            return false;
        }
        if (dollars.signum() < 0 || dollars.compareTo(new BigDecimal(1_000_000)) > 0) {
            return false;
        }
        inputTokens += input;
        outputTokens += output;
        usd = usd.add(dollars.setScale(9, RoundingMode.CEILING)).min(NANO.multiply(BigDecimal.valueOf(Long.MAX_VALUE)));
        return true;
    }

    // The operator

    void forceOpen() {
        if (mode != Mode.DISABLED && state != CircuitState.OPEN) {
            move(CircuitState.OPEN, Cause.FORCE_OPEN, 0);
        }
    }

    void holdOpen() {
        if (mode != Mode.DISABLED) {
            move(CircuitState.OPEN, Cause.HOLD_OPEN, 0);
            held = true;
        }
    }

    void close(Cause resetOrForceClose) {
        move(CircuitState.CLOSED, resetOrForceClose, 0);
        streak = 0;
    }

    void mode(Mode next) {
        Mode before = mode;
        mode = next;
        if (next != before && (next == Mode.DISABLED || before == Mode.DISABLED)) {
            move(CircuitState.CLOSED, Cause.MODE, 0);
        }
    }

    void reconfigure(RandomSetup next) {
        if (window != null && !next.hasSameWindow(setup)) {
            window.clear();
        }
        setup = next;
    }

    /** Starts a period; told and counted only where the state changes. */
    private void move(CircuitState next, Cause cause, long evidence) {
        timeIn.merge(state, Math.max(0, now - periodSince), Long::sum);
        if (next != state) {
            lastChangeAt = wallTime();
            moves.add(new Told.Move(state, next, cause, lastChangeAt, evidence, Map.copyOf(failureClasses)));
            switch (next) {
                case OPEN -> opened++;
                case HALF_OPEN -> halfOpened++;
                case CLOSED -> closed++;
            }
        }
        if (next == CircuitState.CLOSED || state == CircuitState.CLOSED) {
            failedRecoveries = 0;
        } else if (cause == Cause.PROBES_FAILED) {
            failedRecoveries++;
        }
        wait = setup.wait(failedRecoveries);
        if (next == CircuitState.OPEN && wait > setup.recovery()) {
            rarities.add(Rarity.GROWN_WAIT);
        }
        state = next;
        window = next == CircuitState.CLOSED ? newWindow() : null;
        rampUp = cause == Cause.PROBES_SUCCEEDED ? setup.rampUp() : 0;
        credit = 1;
        probes = setup.probes();
        needed = setup.needed();
        lease = setup.lease();
        period++;
        periodSince = now;
        held = false;
        slots.clear();
        failureClasses.clear();
        good = 0;
        bad = 0;
    }

    // What one sees

    Duration timeIn(CircuitState asked) {
        long running = asked == state ? Math.max(0, now - periodSince) : 0;
        return Duration.ofNanos(timeIn.getOrDefault(asked, 0L) + running);
    }

    Instant wallTime() {
        return FakeTime.START.plusNanos(now);
    }
}
