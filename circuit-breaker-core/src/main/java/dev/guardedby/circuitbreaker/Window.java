package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * The results of a closed period that rates are made of: the last so many, or those of the last so much time.
 *
 * <p>A success can only lower a rate. So successes are entered nowhere: the one striped counter that counts them anyway is
 * read when a rate is needed, and the window knows from where on it is its own. Only what may raise a rate, a failure or a
 * slow call, takes the lock and is remembered. As long as {@code minimum-calls} are not in, a success may be the call that
 * completes them, so it is entered like the others; {@link #wants} tells.
 *
 * <p>Exact under one thread; under many, off by at most the calls in flight.
 */
abstract sealed class Window permits CountWindow, TimeWindow {
    private final Engine engine;
    private final long successesBefore;
    /** Whether the next result decides whatever it is; the first one always does. */
    private volatile boolean alert = true;

    Window(Engine engine) {
        this.engine = engine;
        this.successesBefore = engine.totals.windowed();
    }

    /** The window that the settings ask for, or null if no rule needs one. */
    static @Nullable Window of(Engine engine, Settings settings, long now) {
        if (!settings.hasRateRule()) {
            return null;
        }
        return settings.windowLength == null
                ? new CountWindow(settings.windowCalls, engine)
                : new TimeWindow(settings.windowLength.toNanos(), engine, now);
    }

    /** Whether a success at that time must be entered; otherwise counting it is enough. */
    boolean wants(long now) {
        return alert;
    }

    /** Whether {@link #wants} and {@link #enter} need the time. */
    abstract boolean readsClock();

    abstract boolean fits(Settings settings);

    /**
     * Enters a result; a success must have been counted before.
     *
     * @param judging the settings that the result is judged by
     * @return what is in the window now
     */
    final synchronized Counts enter(boolean failed, boolean slow, long now, Settings judging) {
        add(failed, slow, now);
        Counts counts = counts();
        // A change that this result is not judged by keeps its alert.
        alert = counts.calls < judging.minimumCalls() || judging != engine.settings;
        return counts;
    }

    /** What is in the window now. */
    final synchronized Counts look(long now) {
        turnTo(now);
        return counts();
    }

    /** Lets the next result decide, whatever it is: a rule has changed. */
    final synchronized void alert() {
        alert = true;
    }

    abstract void add(boolean failed, boolean slow, long now);

    abstract void turnTo(long now);

    abstract Counts counts();

    /** Successes since the window began. */
    final long successes() {
        return Math.max(0, engine.totals.windowed() - successesBefore);
    }

    /** What is in a window. */
    record Counts(long calls, long failures, long slow) {
        /** Whether nothing in it can raise a rate. */
        boolean isFlawless() {
            return failures == 0 && slow == 0;
        }
    }
}
