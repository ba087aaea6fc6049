package dev.guardedby.benchmarks;

import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** The floor below a policy. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the parameter in, then calls setUp
public class FloorBreaker {
    @Param
    Policy policy;

    Floor floor;

    @Setup
    public void setUp() {
        floor = switch (policy) {
            case CONSECUTIVE, COUNT_WINDOW -> new Floor();
            case TIME_WINDOW -> new Floor.WithOneClockRead();
            case SLOW_CALLS -> new Floor.WithTwoClockReads();
        };
    }

    Object call(Work work) {
        return floor.call(work.call);
    }

    @TearDown
    public void check(BenchmarkParams params) {
        double failures = floor.failures.sum();
        Check.failed(100 * failures / (failures + floor.successes.sum()), 1, params);
    }
}
