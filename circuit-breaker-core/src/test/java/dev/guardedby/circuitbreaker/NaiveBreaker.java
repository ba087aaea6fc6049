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

    /** What random operations reach only if they are drawn well. */
    enum Rarity {
        RIDING_CALL,
        LATE_SUCCESS,
        LATE_FAILURE,
        CLOSED_BY_A_LOOK,
        REOPENED_BY_A_LOOK,
        STALE_MANUAL_RESULT
    }

    static final BigDecimal NANO = BigDecimal.ONE.movePointLeft(9);

    private final RandomSetup setup;

    long now;
    Mode mode;
    CircuitState state = CircuitState.CLOSED;
    int period;
    long periodSince;
    boolean held;

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

    NaiveBreaker(RandomSetup setup) {
        this.setup = setup;
        mode = setup.mode();
    }

    // Admission

    /** A ticket, or null where the call is refused. */
    Ticket admit(boolean manual) {
        look();
        Ticket ticket = new Ticket();
        ticket.period = period;
        ticket.manual = manual;
        ticket.takenAt = now;
        if (state == CircuitState.CLOSED) {
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
        return null;
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
        return setup.probes() - good - bad - slots.size();
    }

    /** The oldest is the one taken first, even if the ticker stepped back since. */
    private boolean oldestExpired() {
        return !slots.isEmpty() && now - slots.get(0).takenAt >= setup.lease();
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
        if (mode != Mode.ENFORCE || state == CircuitState.CLOSED) {
            return null;
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
            return setup.recovery();
        }
        return state == CircuitState.OPEN && !held ? setup.recovery() - (now - periodSince) : 0;
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
        return now - periodSince >= setup.recovery();
    }

    private boolean undecidedForTooLong() {
        return good + bad > 0 && slots.isEmpty() && now - lastProbeResultAt >= setup.lease();
    }

    private boolean enoughAmongResults() {
        return good * setup.probes() >= setup.needed() * (good + bad);
    }

    // Results

    void success(Ticket ticket) {
        if (ticket.reported) {
            return;
        }
        ticket.reported = true;
        successes++;
        if (counts(ticket)) {
            if (ticket.probe) {
                if (ticket.lost) {
                    rarities.add(Rarity.LATE_SUCCESS);
                }
                slots.remove(ticket);
                goodProbe();
            } else {
                streak = 0;
            }
        }
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
                badProbe(proof);
            } else {
                failureWhileClosed(proof);
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
        if (good >= setup.needed()) {
            move(CircuitState.CLOSED, Cause.PROBES_SUCCEEDED, bad);
        }
    }

    private void badProbe(boolean proof) {
        streak++;
        bad++;
        lastProbeResultAt = now;
        if (proof || bad > setup.probes() - setup.needed()) {
            move(CircuitState.OPEN, Cause.PROBES_FAILED, bad);
        }
    }

    private void failureWhileClosed(boolean proof) {
        streak++;
        if (mode == Mode.DISABLED) {
            return;
        }
        if (proof) {
            move(CircuitState.OPEN, Cause.TRIP, 1);
        } else if (streak >= setup.threshold()) {
            move(CircuitState.OPEN, Cause.FAILURES, streak);
        }
    }

    // The manual protocol

    void manualSuccess() {
        successes++;
        if (state != CircuitState.HALF_OPEN) {
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
            failureWhileClosed(false);
        } else if (state == CircuitState.OPEN) {
            streak++;
        } else if (takeManualSlot()) {
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
        if (next != mode && (next == Mode.DISABLED || mode == Mode.DISABLED)) {
            move(CircuitState.CLOSED, Cause.MODE, 0);
        }
        mode = next;
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
        state = next;
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
