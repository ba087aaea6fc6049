package dev.guardedby.benchmarks;

import com.alibaba.csp.sentinel.SphO;
import com.alibaba.csp.sentinel.slots.block.BlockException;
import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A call that an open breaker refuses, and the question whether it would; the wait is not over. */
public class Refused extends Measured {

    @Benchmark
    public Object callFloorException(ClockFloor floor) {
        try {
            throw floor.refused();
        } catch (FlakyWork.Failure refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callGuardedBy(OpenGuardedBy open, Work work) {
        try {
            return open.breaker.call(work.call);
        } catch (dev.guardedby.circuitbreaker.CallNotPermittedException refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callResilience4j(OpenResilience4j open, Work work) {
        try {
            return open.breaker.executeSupplier(work.supplier);
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callResilience4jWithoutTrace(OpenResilience4j open, Work work) {
        try {
            return open.withoutTrace.executeSupplier(work.supplier);
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callFailsafe(OpenFailsafe open, Work work) {
        try {
            return open.executor.get(work.checkedSupplier);
        } catch (CircuitBreakerOpenException refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callSmallRye(OpenSmallRye open, Work work) {
        try {
            return open.breaker.call(work);
        } catch (org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException refused) {
            return refused;
        }
    }

    @Benchmark
    public Object callSentinel(OpenSentinel open, Work work) {
        try {
            return open.breaker.call(work);
        } catch (BlockException refused) {
            return refused;
        }
    }

    @Benchmark
    public boolean checkFloorClock(ClockFloor floor) {
        return floor.isWaitOver();
    }

    @Benchmark
    public boolean checkGuardedByTryAcquire(OpenGuardedBy open) {
        return open.breaker.tryAcquire().isPresent();
    }

    @Benchmark
    public boolean checkGuardedByCanExecute(OpenGuardedBy open) {
        return open.breaker.canExecute();
    }

    @Benchmark
    public boolean checkResilience4j(OpenResilience4j open) {
        return open.breaker.tryAcquirePermission();
    }

    @Benchmark
    public boolean checkFailsafe(OpenFailsafe open) {
        return open.breaker.tryAcquirePermit();
    }

    @Benchmark
    public boolean checkSentinel(OpenSentinel open) {
        return SphO.entry(open.breaker.resource);
    }

    /** The least that a refusal can be: one clock read, and an exception without a trace. */
    @State(Scope.Benchmark)
    public static class ClockFloor {
        private final long openedAt = System.nanoTime();
        private final long waitNanos = Policy.WAIT.toNanos();

        boolean isWaitOver() {
            return System.nanoTime() - openedAt >= waitNanos;
        }

        FlakyWork.Failure refused() {
            return new FlakyWork.Failure();
        }
    }

    @State(Scope.Benchmark)
    public static class OpenGuardedBy {
        final CircuitBreaker breaker = GuardedByBreaker.of("open", Policy.CONSECUTIVE);

        public OpenGuardedBy() {
            breaker.forceOpen();
        }

        @TearDown
        public void check() {
            Check.that(breaker.stats().totalSuccesses() == 0, "nothing passes");
            long refused = breaker.stats().totalRejected();
            Check.that(refused > 0, "something is refused");
            Check.that(
                    !breaker.canExecute() && breaker.stats().totalRejected() == refused + 1, "each refusal is counted");
        }
    }

    @State(Scope.Benchmark)
    public static class OpenResilience4j {
        final io.github.resilience4j.circuitbreaker.CircuitBreaker breaker =
                open(Resilience4jBreaker.config(Policy.COUNT_WINDOW));
        final io.github.resilience4j.circuitbreaker.CircuitBreaker withoutTrace =
                open(CircuitBreakerConfig.from(Resilience4jBreaker.config(Policy.COUNT_WINDOW))
                        .writableStackTraceEnabled(false)
                        .build());

        private static io.github.resilience4j.circuitbreaker.CircuitBreaker open(CircuitBreakerConfig config) {
            var breaker = io.github.resilience4j.circuitbreaker.CircuitBreaker.of("open", config);
            breaker.transitionToOpenState();
            return breaker;
        }

        @TearDown
        public void check() {
            Check.that(!breaker.tryAcquirePermission() && !withoutTrace.tryAcquirePermission(), "nothing passes");
        }
    }

    @State(Scope.Benchmark)
    public static class OpenFailsafe {
        final dev.failsafe.CircuitBreaker<Object> breaker = FailsafeBreaker.of(Policy.COUNT_WINDOW);
        final FailsafeExecutor<Object> executor = Failsafe.with(breaker);

        public OpenFailsafe() {
            breaker.open();
        }

        @TearDown
        public void check() {
            Check.that(!breaker.tryAcquirePermit(), "nothing passes");
        }
    }

    @State(Scope.Benchmark)
    public static class OpenSmallRye {
        final SmallRyeBreaker breaker = new SmallRyeBreaker();

        public OpenSmallRye() {
            Check.trips(breaker);
        }
    }

    @State(Scope.Benchmark)
    public static class OpenSentinel {
        final SentinelBreaker breaker = SentinelBreaker.of("open", Policy.TIME_WINDOW);

        public OpenSentinel() {
            Check.trips(breaker);
        }

        @TearDown
        public void check() {
            Check.that(!SphO.entry(breaker.resource), "nothing passes");
        }
    }
}
