package dev.guardedby.benchmarks;

import com.alibaba.csp.sentinel.slots.block.BlockException;
import dev.guardedby.benchmarks.FlakyWork.Failure;
import org.openjdk.jmh.annotations.Benchmark;

/** Calls of which every tenth fails, by a closed breaker that all threads share; its rate is never reached. */
public class OneFailureInTen extends Measured {

    @Benchmark
    public Object floor(FloorBreaker floor, FlakyWork work) {
        try {
            return floor.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }

    @Benchmark
    public Object guardedBy(GuardedByBreaker guardedBy, FlakyWork work) {
        try {
            return guardedBy.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }

    @Benchmark
    public Object resilience4j(Resilience4jBreaker resilience4j, FlakyWork work) {
        try {
            return resilience4j.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }

    @Benchmark
    public Object failsafe(FailsafeBreaker failsafe, FlakyWork work) {
        try {
            return failsafe.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }

    @Benchmark
    public Object smallRye(SmallRyeBreaker smallRye, FlakyWork work) {
        try {
            return smallRye.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }

    @Benchmark
    public Object sentinel(SentinelBreaker sentinel, FlakyWork work) throws BlockException {
        try {
            return sentinel.call(work);
        } catch (Failure expected) {
            return expected;
        }
    }
}
