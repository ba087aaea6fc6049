package dev.guardedby.benchmarks;

import org.openjdk.jmh.infra.BenchmarkParams;

/** Sees to it that a cell measures what it says; asked after the clock has stopped, so that nothing measured knows of it. */
final class Check {
    static final int CALLS = 200;

    private Check() {}

    static void that(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException("This cell measures something else: " + rule);
        }
    }

    /** Calls successfully so often that the caller can see whether all were counted. */
    static void succeeds(Guard fresh) {
        Work work = new Work();
        for (int i = 0; i < CALLS; i++) {
            that(outcome(fresh, work) == work.answer, "a call returns what the work returned");
        }
    }

    /** A breaker of the same kind as the measured one guards indeed: it refuses when everything fails. */
    static void trips(Guard fresh) {
        Work dead = new Work() {
            private final FlakyWork.Failure failure = new FlakyWork.Failure();

            @Override
            Object answer() {
                throw failure;
            }
        };
        that(outcome(fresh, dead) instanceof FlakyWork.Failure, "the caller gets the exception of the work");
        for (int i = 0; i < CALLS; i++) {
            outcome(fresh, dead);
        }
        that(
                outcome(fresh, dead) instanceof Exception thrown && fresh.isRefusal(thrown),
                "a breaker refuses when everything fails");
    }

    /** The percentage of failures is what the work was to do. */
    static void failed(double percent, double tolerance, BenchmarkParams params) {
        double expected =
                params.getBenchmark().contains(OneFailureInTen.class.getSimpleName()) ? 100.0 / FlakyWork.EVERY : 0;
        that(
                Math.abs(percent - expected) <= (expected == 0 ? 0 : tolerance),
                expected + " % of the calls fail, but " + percent + " % did");
    }

    private static Object outcome(Guard guard, Work work) {
        try {
            return guard.call(work);
        } catch (Exception thrown) {
            return thrown;
        }
    }
}
