package dev.guardedby.benchmarks;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** This library's breaker. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the parameter in, then calls setUp
public class GuardedByBreaker implements Guard {
    @Param
    Policy policy;

    CircuitBreaker breaker;

    static CircuitBreaker of(String name, Policy policy) {
        if (policy == Policy.CONSECUTIVE) {
            // As it is by default, which is how most are made: breakers without settings of their own share one object.
            return CircuitBreaker.of(name);
        }
        CircuitBreaker.Builder builder = CircuitBreaker.builder(name).recoveryTimeout(Policy.WAIT);
        switch (policy) {
            case CONSECUTIVE -> throw new AssertionError(policy);
            case COUNT_WINDOW ->
                builder.failureRateThreshold(Policy.RATE_PERCENT)
                        .window(Policy.WINDOW_CALLS)
                        .minimumCalls(Policy.MINIMUM_CALLS);
            case TIME_WINDOW ->
                builder.failureRateThreshold(Policy.RATE_PERCENT)
                        .window(Policy.WINDOW_TIME)
                        .minimumCalls(Policy.MINIMUM_CALLS);
            case SLOW_CALLS ->
                // Resilience4j cannot leave the rate of failures out.
                builder.failureRateThreshold(Policy.RATE_PERCENT)
                        .slowCallDuration(Policy.SLOW)
                        .slowCallRateThreshold(Policy.RATE_PERCENT)
                        .window(Policy.WINDOW_CALLS)
                        .minimumCalls(Policy.MINIMUM_CALLS);
        }
        return builder.build();
    }

    @Setup
    public void setUp() {
        breaker = of("benchmark", policy);
    }

    @Override
    public Object call(Work work) {
        return breaker.call(work.call);
    }

    void run(Work work) {
        breaker.run(work.action);
    }

    @Override
    public boolean isRefusal(Exception thrown) {
        return thrown instanceof CallNotPermittedException;
    }

    @TearDown
    public void check(BenchmarkParams params) {
        CircuitBreakerStats measured = breaker.stats();
        double failures = measured.totalFailures();
        Check.failed(100 * failures / (failures + measured.totalSuccesses()), 1, params);
        Check.that(measured.totalRejected() == 0, "nothing is refused, but " + measured);

        setUp();
        Check.succeeds(this);
        Check.that(breaker.stats().totalSuccesses() == Check.CALLS, "each call is counted, but " + breaker.stats());
        setUp();
        Check.trips(this);
    }
}
