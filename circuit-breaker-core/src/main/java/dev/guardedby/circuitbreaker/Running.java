package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.LongAdder;

/**
 * The calls of a closed period that are under way, so that hung ones are seen while they hang: without a timer, and without
 * an object a call.
 *
 * <p>Calls are counted by the slice of time in which they began. A slice counts as hung when its youngest call may have run
 * for the limit, which is late by at most a tenth of it and never early.
 */
final class Running {
    // Two slices late at the most: one because a slice is judged by its end, one because it is judged once a slice.
    private static final int SLICES = 20;

    private final long limitNanos;
    private final long sliceNanos;
    private final ArrayDeque<Slice> earlier = new ArrayDeque<>();
    private volatile Slice current;
    private volatile boolean pressing;

    Running(Duration limit, long now) {
        this.limitNanos = limit.toNanos();
        this.sliceNanos = Math.max(1, limitNanos / SLICES);
        this.current = new Slice(now, sliceNanos);
    }

    /** The same calls, with another limit. */
    synchronized Running with(Duration limit, long now) {
        Running changed = new Running(limit, now);
        changed.earlier.addAll(earlier);
        changed.earlier.add(current);
        return changed;
    }

    boolean fits(Duration limit) {
        return limitNanos == limit.toNanos();
    }

    /** Whether the slice is over, or hung calls may have come to weigh more, so that the next admission must judge. */
    boolean isDue(long now) {
        return pressing || isOver(now);
    }

    private boolean isOver(long now) {
        return now - current.startedAt >= sliceNanos;
    }

    /** Whether each admission must judge from now on: there are hung calls, and time takes away what they are compared with. */
    void press(boolean each) {
        if (pressing != each) {
            pressing = each;
        }
    }

    /** Counts a call as begun. */
    Slice begin() {
        Slice slice = current;
        slice.calls.increment();
        return slice;
    }

    /** Begins a new slice if the present one is over. */
    synchronized void turnTo(long now) {
        if (isOver(now)) {
            earlier.add(current);
            current = new Slice(now, sliceNanos);
        }
    }

    /** Calls under way that have run for the limit. */
    synchronized long hung(long now) {
        long hung = 0;
        for (var slices = earlier.iterator(); slices.hasNext(); ) {
            Slice slice = slices.next();
            if (isHung(slice, now)) {
                long calls = slice.calls.sum();
                hung += Math.max(0, calls);
                // By now nobody can be about to begin in it any more.
                if (calls == 0) {
                    slices.remove();
                }
            }
        }
        Slice present = current;
        return isHung(present, now) ? hung + Math.max(0, present.calls.sum()) : hung;
    }

    private boolean isHung(Slice slice, long now) {
        return now - slice.startedAt >= limitNanos + slice.lengthNanos;
    }

    /** The calls that began in one slice of time and have not ended. */
    static final class Slice {
        private final long startedAt;
        private final long lengthNanos;
        private final LongAdder calls = new LongAdder();

        private Slice(long startedAt, long lengthNanos) {
            this.startedAt = startedAt;
            this.lengthNanos = lengthNanos;
        }

        /** Counts a call as ended. */
        void end() {
            calls.decrement();
        }
    }
}
