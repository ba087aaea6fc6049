package dev.guardedby.benchmarks;

import dev.failsafe.CircuitBreaker;
import dev.failsafe.CircuitBreakerBuilder;
import dev.failsafe.CircuitBreakerOpenException;
import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Failsafe's breaker, by its executor. It has no policy for slow calls. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the parameter in, then calls setUp
public class FailsafeBreaker implements Guard {
    @Param({"CONSECUTIVE", "COUNT_WINDOW", "TIME_WINDOW"})
    Policy policy;

    CircuitBreaker<Object> breaker;
    FailsafeExecutor<Object> executor;

    static CircuitBreaker<Object> of(Policy policy) {
        CircuitBreakerBuilder<Object> builder = CircuitBreaker.builder().withDelay(Policy.WAIT);
        switch (policy) {
            case CONSECUTIVE -> builder.withFailureThreshold(5);
            case COUNT_WINDOW -> builder.withFailureThreshold(Policy.RATE_PERCENT, Policy.WINDOW_CALLS);
            case TIME_WINDOW ->
                builder.withFailureRateThreshold(Policy.RATE_PERCENT, Policy.MINIMUM_CALLS, Policy.WINDOW_TIME);
            case SLOW_CALLS -> throw new IllegalArgumentException("Failsafe has no rule for slow calls");
        }
        return builder.build();
    }

    @Setup
    public void setUp() {
        breaker = of(policy);
        executor = Failsafe.with(breaker);
    }

    @Override
    public Object call(Work work) {
        return executor.get(work.checkedSupplier);
    }

    @Override
    public boolean isRefusal(Exception thrown) {
        return thrown instanceof CircuitBreakerOpenException;
    }

    @TearDown
    public void check(BenchmarkParams params) {
        if (policy != Policy.CONSECUTIVE) {
            Check.failed(breaker.getFailureRate(), 8, params);
        }
        Check.that(breaker.isClosed(), "it stays closed");

        setUp();
        Check.succeeds(this);
        int counted = switch (policy) {
            case CONSECUTIVE -> 5;
            case TIME_WINDOW -> Check.CALLS;
            case COUNT_WINDOW, SLOW_CALLS -> Policy.WINDOW_CALLS;
        };
        Check.that(breaker.getSuccessCount() == counted, "each call is counted, but " + breaker.getSuccessCount());
        setUp();
        Check.trips(this);
    }
}
