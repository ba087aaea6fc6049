package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.NaiveBreaker.Ticket;
import dev.guardedby.circuitbreaker.NaiveBreaker.Undecided;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.util.ArrayList;
import java.util.List;

/**
 * What a closed period knows of its calls, in lists.
 *
 * <p>Results leave a window of time, and calls count as hung, up to a tenth late. Where the answer depends on whether that has
 * happened already, there is none: {@link Undecided}.
 */
final class NaiveWindow {
    private record Result(long at, boolean failed, boolean slow) {}

    /** Why to trip. */
    record Trip(Cause cause, long failures) {}

    // Time that went back and forth in between.
    private static final long STEPS_BACK = 1_000;

    private final List<Result> results = new ArrayList<>();
    final List<Ticket> running = new ArrayList<>();

    void clear() {
        results.clear();
    }

    /** What a result makes of it; null if nothing. */
    Trip enter(RandomSetup setup, long now, boolean failed, boolean slow) {
        results.add(new Result(now, failed, slow));
        if (setup.windowLength() == 0 && results.size() > setup.windowCalls()) {
            results.remove(0);
        }
        results.removeIf(result -> isGone(setup, now, result));
        if (setup.windowLength() == 0 && hung(setup, now, true) == 0) {
            return decide(setup, results, 0, true);
        }
        Trip trip = same(
                decide(setup, among(setup, now, false), hung(setup, now, false), true),
                decide(setup, among(setup, now, true), hung(setup, now, true), true),
                decide(setup, among(setup, now, true), hung(setup, now, false), true),
                decide(setup, among(setup, now, false), hung(setup, now, true), true));
        if (trip != null && trip.cause == Cause.SLOW_CALL_RATE && !failed && !slow && hung(setup, now, true) > 0) {
            // A quick success need not look for hung calls: the next admission does.
            throw new Undecided();
        }
        return trip;
    }

    /** What an admission makes of calls that hang; null if nothing. */
    Trip tripOfHungCalls(RandomSetup setup, long now) {
        if (hung(setup, now, true) == 0) {
            return null;
        }
        results.removeIf(result -> isGone(setup, now, result));
        return same(
                hungTrip(setup, now, false, false),
                hungTrip(setup, now, false, true),
                hungTrip(setup, now, true, false),
                hungTrip(setup, now, true, true));
    }

    private Trip hungTrip(RandomSetup setup, long now, boolean lateResults, boolean earlyHung) {
        long hung = hung(setup, now, earlyHung);
        return hung == 0 ? null : decide(setup, among(setup, now, lateResults), hung, false);
    }

    private static Trip same(Trip one, Trip... others) {
        for (Trip other : others) {
            if (one == null ? other != null : !one.equals(other)) {
                throw new Undecided();
            }
        }
        return one;
    }

    private static Trip decide(RandomSetup setup, List<Result> results, long hung, boolean byFailuresToo) {
        long calls = results.size();
        long failures = 0;
        long slow = hung;
        for (Result result : results) {
            failures += result.failed ? 1 : 0;
            slow += result.slow ? 1 : 0;
        }
        if (byFailuresToo
                && setup.failureRate() > 0
                && calls >= setup.minimum()
                && failures * 100 >= setup.failureRate() * calls) {
            return new Trip(Cause.FAILURE_RATE, failures);
        }
        return setup.slowRate() > 0
                        && calls + hung >= setup.minimum()
                        && slow * 100 >= setup.slowRate() * (calls + hung)
                ? new Trip(Cause.SLOW_CALL_RATE, failures)
                : null;
    }

    private List<Result> among(RandomSetup setup, long now, boolean late) {
        return setup.windowLength() == 0 || late
                ? results
                : results.stream()
                        .filter(result -> now - result.at < setup.windowLength() - STEPS_BACK)
                        .toList();
    }

    private static boolean isGone(RandomSetup setup, long now, Result result) {
        return setup.windowLength() > 0
                && now - result.at > setup.windowLength() + setup.windowLength() / 10 + STEPS_BACK;
    }

    private long hung(RandomSetup setup, long now, boolean early) {
        if (setup.slowRate() == 0 || running.isEmpty()) {
            return 0;
        }
        long limit = early ? setup.slow() - STEPS_BACK : setup.slow() + setup.slow() / 10 + STEPS_BACK;
        long hung = 0;
        for (Ticket call : running) {
            hung += now - call.takenAt >= limit ? 1 : 0;
        }
        return hung;
    }
}
