package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts over the whole life of a breaker; no state change and no operator ever lowers one.
 *
 * <p>What every call counts is striped as soon as two threads meet there, so that they do not fight over one memory word;
 * what is rare is a plain field.
 * Money is not striped: a sum that must stop at its limit cannot be made of parts that would wrap.
 *
 * <p>What the breaker of a key counts is counted in those of the name, too, so that they are exact whatever is forgotten.
 */
final class Totals {
    private static final AtomicLongFieldUpdater<Totals> UNSTRIPED_SUCCESSES = counter("unstripedSuccesses");
    private static final AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> STRIPED_SUCCESSES =
            AtomicReferenceFieldUpdater.newUpdater(Totals.class, LongAdder.class, "stripedSuccesses");
    private static final AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> SUCCESSES_OF_KEYS =
            AtomicReferenceFieldUpdater.newUpdater(Totals.class, LongAdder.class, "successesOfKeys");
    private static final AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> FAILURES =
            AtomicReferenceFieldUpdater.newUpdater(Totals.class, LongAdder.class, "failures");
    private static final AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> REJECTED =
            AtomicReferenceFieldUpdater.newUpdater(Totals.class, LongAdder.class, "rejected");
    private static final AtomicLongFieldUpdater<Totals> IGNORED = counter("ignored");
    private static final AtomicLongFieldUpdater<Totals> WOULD_REJECT = counter("wouldReject");
    private static final AtomicLongFieldUpdater<Totals> STALE = counter("stale");
    private static final AtomicLongFieldUpdater<Totals> ASIDE = counter("aside");
    private static final AtomicLongFieldUpdater<Totals> LATE = counter("late");
    private static final AtomicLongFieldUpdater<Totals> UNREPORTED = counter("unreported");
    private static final AtomicReferenceFieldUpdater<Totals, Cost> COST =
            AtomicReferenceFieldUpdater.newUpdater(Totals.class, Cost.class, "cost");

    /** Those of the name, if these are of a key. */
    private final @Nullable Totals parent;

    private volatile long unstripedSuccesses;
    private volatile @Nullable LongAdder stripedSuccesses;
    /** Apart from the others, because no window of this breaker holds them. */
    private volatile @Nullable LongAdder successesOfKeys;

    private volatile @Nullable LongAdder rejected;
    private volatile @Nullable LongAdder failures;
    volatile long ignored;
    volatile long wouldReject;
    volatile long stale;
    volatile long aside;
    volatile long late;
    volatile long unreported;
    volatile Cost cost = Cost.ZERO;
    volatile @Nullable Instant lastFailureAt;

    Totals(@Nullable Totals parent) {
        this.parent = parent;
    }

    void count(Verdict verdict, InstantSource clock) {
        switch (verdict.outcome) {
            case SUCCESS -> countSuccess();
            case FAILURE -> {
                countFailure();
                failedAt(clock.instant());
            }
            case IGNORED -> increment(IGNORED);
        }
    }

    private void countFailure() {
        increment(failures, FAILURES);
        if (parent != null) {
            parent.countFailure();
        }
    }

    private void failedAt(Instant instant) {
        lastFailureAt = instant;
        if (parent != null) {
            parent.failedAt(instant);
        }
    }

    /** Successes that entered the window of the closed period in which they came, or would have. */
    long windowed() {
        return ownSuccesses() - aside;
    }

    /** Counts a success. */
    void countSuccess() {
        Totals above = parent;
        if (above != null) {
            above.increment(above.successesOfKeys, SUCCESSES_OF_KEYS);
        }
        LongAdder striped = stripedSuccesses;
        if (striped == null) {
            long seen = unstripedSuccesses;
            if (UNSTRIPED_SUCCESSES.compareAndSet(this, seen, seen + 1)) {
                return;
            }
        }
        increment(striped, STRIPED_SUCCESSES);
    }

    long successes() {
        return ownSuccesses() + sum(successesOfKeys);
    }

    private long ownSuccesses() {
        return unstripedSuccesses + sum(stripedSuccesses);
    }

    void countRejected() {
        increment(rejected, REJECTED);
        if (parent != null) {
            parent.countRejected();
        }
    }

    long rejected() {
        return sum(rejected);
    }

    long failures() {
        return sum(failures);
    }

    /** Takes a success that was counted out of the windows: it belongs to no period that still lives. */
    void setAside() {
        ASIDE.incrementAndGet(this);
    }

    void countWouldReject() {
        increment(WOULD_REJECT);
    }

    void countStale() {
        increment(STALE);
    }

    void countLate() {
        increment(LATE);
    }

    void countUnreported() {
        increment(UNREPORTED);
    }

    /**
     * Adds what one call cost.
     *
     * @throws IllegalArgumentException if no single call can cost that; then nothing is added
     */
    void add(Cost more) {
        more.requireRecordable();
        addSum(more);
    }

    /** Adds what several records come to, each of which was looked at before. */
    void addSum(Cost more) {
        Cost seen;
        do {
            seen = cost;
        } while (!COST.compareAndSet(this, seen, seen.plus(more)));
        if (parent != null) {
            parent.addSum(more);
        }
    }

    private void increment(AtomicLongFieldUpdater<Totals> rare) {
        rare.incrementAndGet(this);
        if (parent != null) {
            parent.increment(rare);
        }
    }

    /** Counts where many threads may meet; most breakers never need the adder, so it is made when they do. */
    private void increment(
            @Nullable LongAdder present, AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> where) {
        (present == null ? made(where) : present).increment();
    }

    private static long sum(@Nullable LongAdder adder) {
        return adder == null ? 0 : adder.sum();
    }

    private LongAdder made(AtomicReferenceFieldUpdater<Totals, @Nullable LongAdder> where) {
        LongAdder made = new LongAdder();
        if (where.compareAndSet(this, null, made)) {
            return made;
        }
        return Objects.requireNonNull(where.get(this));
    }

    private static AtomicLongFieldUpdater<Totals> counter(String field) {
        return AtomicLongFieldUpdater.newUpdater(Totals.class, field);
    }
}
