package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A few probes find out whether the remote has recovered.
 *
 * <p>There are {@code probes} results to be had, and {@code successes-to-close} of them must be successes. A probe takes a
 * {@link Slot}; its result uses the slot up, anything that says nothing about the remote gives it back. A slot is a lease:
 * when {@code probe-timeout} has passed the next caller takes it over, so no hung call, dead thread or lost callback keeps
 * the breaker half-open for ever. What the earlier holder still reports then is worth this: a success proves recovery and
 * counts; a failure is void, because that call may be as old as the outage.
 */
final class HalfOpen extends State {
    private final Terms terms;
    /** Slots taken, the oldest first; never changed. */
    private final List<Slot> taken;

    private final int successes;
    private final int failures;
    private final long lastResultAt;

    private HalfOpen(
            Period period,
            Mode mode,
            long streak,
            Terms terms,
            List<Slot> taken,
            int successes,
            int failures,
            long lastResultAt) {
        super(period, mode, streak, false);
        this.terms = terms;
        this.taken = taken;
        this.successes = successes;
        this.failures = failures;
        this.lastResultAt = lastResultAt;
    }

    static HalfOpen fresh(Period period, Mode mode, long streak, Settings settings) {
        Terms terms = new Terms(settings.probes, settings.successesToClose(), settings.probeTimeout.toNanos());
        return new HalfOpen(period, mode, streak, terms, List.of(), 0, 0, period.startedAt);
    }

    @Override
    CircuitState circuitState() {
        return CircuitState.HALF_OPEN;
    }

    /** Decides on the results there are, when no more have come for a whole lease: little traffic must not stick. */
    @Override
    State look(Engine engine, long now) {
        int results = successes + failures;
        if (results == 0 || !taken.isEmpty() || now - lastResultAt < terms.leaseNanos) {
            return this;
        }
        return (long) successes * terms.probes >= (long) terms.successesToClose * results
                ? close(engine, now)
                : reopen(engine, decision(Cause.PROBES_FAILED), Duration.ZERO, now);
    }

    @Override
    boolean isForgettable(long uncalled, long memory, long now) {
        return uncalled >= Math.max(memory, terms.leaseNanos);
    }

    @Override
    @Nullable State admit(boolean manual, long now) {
        List<Slot> next;
        if (hasFreeSlot()) {
            next = new ArrayList<>(taken);
        } else if (!taken.isEmpty() && now - taken.get(0).leasedAt >= terms.leaseNanos) {
            next = new ArrayList<>(taken.subList(1, taken.size()));
        } else {
            return null;
        }
        next.add(new Slot(now, manual));
        return new HalfOpen(period, mode, streak, terms, next, successes, failures, lastResultAt);
    }

    /** The slot that the latest admission took. */
    Slot newestSlot() {
        return taken.get(taken.size() - 1);
    }

    @Override
    boolean isMovedBy(Result result, Settings settings) {
        return result.verdict() != Verdict.IGNORED;
    }

    @Override
    State report(Engine engine, Result result) {
        int held = result.slot() == null ? -1 : taken.indexOf(result.slot());
        if (held < 0) {
            // The slot was taken over: only a proof of recovery is worth something.
            return result.verdict() == Verdict.SUCCESS && !result.slow() ? resulted(engine, taken, result) : this;
        }
        List<Slot> others = new ArrayList<>(taken);
        others.remove(held);
        return resulted(engine, others, result);
    }

    @Override
    boolean heeds(@Nullable Slot slot) {
        return slot != null && taken.contains(slot);
    }

    @Override
    @Nullable State reportManual(Engine engine, Result result) {
        for (int i = 0; i < taken.size(); i++) {
            if (taken.get(i).manual) {
                List<Slot> others = new ArrayList<>(taken);
                others.remove(i);
                return resulted(engine, others, result);
            }
        }
        return hasFreeSlot() ? resulted(engine, taken, result) : null;
    }

    private State resulted(Engine engine, List<Slot> others, Result result) {
        if (result.verdict() == Verdict.IGNORED) {
            return new HalfOpen(period, mode, streak, terms, others, successes, failures, lastResultAt);
        }
        long now = result.now();
        long nextStreak = streakAfter(result.verdict());
        HalfOpen next = new HalfOpen(
                period,
                mode,
                nextStreak,
                terms,
                others,
                successes + (result.isFailedProbe() ? 0 : 1),
                failures + (result.isFailedProbe() ? 1 : 0),
                now);
        if (next.successes >= terms.successesToClose) {
            return next.close(engine, now);
        }
        boolean hopeless = next.failures > terms.probes - terms.successesToClose;
        String proof = result.verdict().proof;
        if (!hopeless && proof == null) {
            return next;
        }
        Decision usual = next.decision(Cause.PROBES_FAILED);
        long slow = result.slow() && result.verdict().outcome == Outcome.SUCCESS ? 1 : 0;
        Decision decision = new Decision(
                usual.cause(), proof == null ? usual.rule() : proof, usual.calls(), usual.failures(), slow, 0);
        return next.reopen(engine, decision, result.hint(), now);
    }

    private State close(Engine engine, long now) {
        return closed(engine, mode, decision(Cause.PROBES_SUCCEEDED), streak, now);
    }

    private State reopen(Engine engine, Decision decision, Duration hint, long now) {
        return open(engine, decision, period.failedRecoveries + 1, hint, streak, now);
    }

    private Decision decision(Cause cause) {
        String rule = "successes-to-close " + terms.successesToClose + " of probes " + terms.probes;
        return Decision.of(cause, rule, successes + failures, failures);
    }

    private boolean hasFreeSlot() {
        return taken.size() + successes + failures < terms.probes;
    }

    @Override
    boolean ridesOnProbe() {
        return Scope.insideProbeOf(period);
    }

    @Override
    State with(Mode newMode) {
        return new HalfOpen(period, newMode, streak, terms, taken, successes, failures, lastResultAt);
    }

    @Override
    Reason reason() {
        return Reason.PROBING;
    }

    @Override
    long retryNanos(long now) {
        return -1;
    }

    /** The settings as they were when the period began: a change of them waits for the next. */
    private record Terms(int probes, int successesToClose, long leaseNanos) {}

    /** A place for one probe, leased: its identity is the right to decide. */
    static final class Slot {
        final long leasedAt;
        /** Taken by {@link CircuitBreaker#canExecute()}, so that no permit knows it. */
        final boolean manual;

        Slot(long leasedAt, boolean manual) {
            this.leasedAt = leasedAt;
            this.manual = manual;
        }
    }
}
