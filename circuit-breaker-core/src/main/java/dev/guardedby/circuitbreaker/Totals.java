package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts over the whole life of a breaker; no state change and no operator ever lowers one.
 *
 * <p>What every call counts is striped, so that threads do not fight over one memory word; what is rare is a plain field.
 * Money is not striped: a sum that must stop at its limit cannot be made of parts that would wrap.
 */
final class Totals {
    private static final AtomicLongFieldUpdater<Totals> IGNORED = counter("ignored");
    private static final AtomicLongFieldUpdater<Totals> WOULD_REJECT = counter("wouldReject");
    private static final AtomicLongFieldUpdater<Totals> STALE = counter("stale");
    private static final AtomicLongFieldUpdater<Totals> LATE = counter("late");
    private static final AtomicLongFieldUpdater<Totals> UNREPORTED = counter("unreported");
    private static final VarHandle COST;

    static {
        try {
            COST = MethodHandles.lookup().findVarHandle(Totals.class, "cost", Cost.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    final LongAdder successes = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder rejected = new LongAdder();
    volatile long ignored;
    volatile long wouldReject;
    volatile long stale;
    volatile long late;
    volatile long unreported;
    volatile Cost cost = Cost.ZERO;
    volatile @Nullable Instant lastFailureAt;

    void count(Verdict verdict, CircuitBreaker breaker) {
        switch (verdict.outcome) {
            case SUCCESS -> successes.increment();
            case FAILURE -> {
                failures.increment();
                lastFailureAt = breaker.wallTime();
            }
            case IGNORED -> IGNORED.incrementAndGet(this);
        }
    }

    void countWouldReject() {
        WOULD_REJECT.incrementAndGet(this);
    }

    void countStale() {
        STALE.incrementAndGet(this);
    }

    void countLate() {
        LATE.incrementAndGet(this);
    }

    void countUnreported() {
        UNREPORTED.incrementAndGet(this);
    }

    void add(Cost more) {
        Cost seen;
        do {
            seen = cost;
        } while (!COST.compareAndSet(this, seen, seen.plus(more)));
    }

    private static AtomicLongFieldUpdater<Totals> counter(String field) {
        return AtomicLongFieldUpdater.newUpdater(Totals.class, field);
    }
}
