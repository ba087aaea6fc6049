package dev.guardedby.benchmarks;

import com.alibaba.csp.sentinel.slots.block.BlockException;
import org.openjdk.jmh.annotations.Benchmark;

/** A call that succeeds, by a closed breaker that all threads share. */
public class ClosedSuccess extends Measured {

    @Benchmark
    public Object floor(FloorBreaker floor, Work work) {
        return floor.call(work);
    }

    @Benchmark
    public Object guardedByCall(GuardedByBreaker guardedBy, Work work) {
        return guardedBy.call(work);
    }

    @Benchmark
    public void guardedByRun(GuardedByBreaker guardedBy, Work work) {
        guardedBy.run(work);
    }

    @Benchmark
    public Object resilience4j(Resilience4jBreaker resilience4j, Work work) {
        return resilience4j.call(work);
    }

    @Benchmark
    public Object failsafe(FailsafeBreaker failsafe, Work work) {
        return failsafe.call(work);
    }

    @Benchmark
    public Object smallRye(SmallRyeBreaker smallRye, Work work) {
        return smallRye.call(work);
    }

    @Benchmark
    public Object sentinel(SentinelBreaker sentinel, Work work) throws BlockException {
        return sentinel.call(work);
    }
}
