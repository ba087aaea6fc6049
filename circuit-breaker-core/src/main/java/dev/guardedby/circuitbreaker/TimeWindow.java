package dev.guardedby.circuitbreaker;

/**
 * The results of the last so much time.
 *
 * <p>Time is cut into slices, and for each slice the window keeps how many results there had been when it began: what came
 * since is the difference to now. It forgets a whole slice at a time, late by at most a slice and never early.
 */
final class TimeWindow extends Window {
    // A fiftieth of the length: a tenth is what users are promised, and a long per slice is cheap.
    private static final int SLICES = 50;
    private static final long[] NONE = {};

    private final long lengthNanos;
    private final long sliceNanos;
    /** By slice; made when the first result comes, because most breakers of an application may never see one. */
    private long[] successesBefore = NONE;

    private long[] failuresBefore = NONE;
    private long[] slowBefore = NONE;
    private long failures;
    private long slow;
    /** The place of the present slice in the arrays; the next one is the oldest. */
    private int slice;

    private volatile long sliceStart;

    TimeWindow(long lengthNanos, Engine engine, long now) {
        super(engine);
        this.lengthNanos = lengthNanos;
        this.sliceNanos = Math.max(1, (lengthNanos + SLICES - 1) / SLICES);
        this.sliceStart = now;
    }

    @Override
    boolean readsClock() {
        return true;
    }

    @Override
    boolean wants(long now) {
        // By difference, so that a step back stays in the present slice. The first result of a slice may find a rate
        // raised by what was forgotten.
        return super.wants(now) || now - sliceStart >= sliceNanos;
    }

    @Override
    boolean fits(Settings settings) {
        return settings.hasRateRule()
                && settings.windowLength != null
                && settings.windowLength.toNanos() == lengthNanos;
    }

    @Override
    void add(boolean isFailure, boolean isSlow, long now) {
        if (successesBefore == NONE) {
            successesBefore = new long[SLICES + 1];
            failuresBefore = new long[SLICES + 1];
            slowBefore = new long[SLICES + 1];
        }
        // This result is of the slice that begins now, and a success is counted already.
        turnTo(now, isFailure ? successes() : Math.max(0, successes() - 1));
        if (isFailure) {
            failures++;
        }
        if (isSlow) {
            slow++;
        }
    }

    @Override
    void turnTo(long now) {
        if (turnTo(now, successes())) {
            // Who turns it by looking judges no failure rate, so the next result must.
            alert();
        }
    }

    @Override
    Counts counts() {
        if (successesBefore == NONE) {
            return new Counts(successes(), 0, 0);
        }
        int oldest = (slice + 1) % (SLICES + 1);
        long failed = failures - failuresBefore[oldest];
        long succeeded = Math.max(0, successes() - successesBefore[oldest]);
        return new Counts(succeeded + failed, failed, slow - slowBefore[oldest]);
    }

    /** Whether a new slice has begun. */
    private boolean turnTo(long now, long successes) {
        long start = sliceStart;
        long steps = (now - start) / sliceNanos;
        if (steps <= 0) {
            return false;
        }
        sliceStart = start + steps * sliceNanos;
        if (successesBefore == NONE) {
            return true;
        }
        for (long turned = 0; turned < Math.min(steps, SLICES + 1); turned++) {
            slice = (slice + 1) % (SLICES + 1);
            successesBefore[slice] = successes;
            failuresBefore[slice] = failures;
            slowBefore[slice] = slow;
        }
        return true;
    }
}
