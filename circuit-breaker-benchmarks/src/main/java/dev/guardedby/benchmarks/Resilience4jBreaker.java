package dev.guardedby.benchmarks;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.BenchmarkParams;

/** Resilience4j's breaker. It has no policy of consecutive failures. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the parameter in, then calls setUp
public class Resilience4jBreaker implements Guard {
    @Param({"COUNT_WINDOW", "TIME_WINDOW", "SLOW_CALLS"})
    Policy policy;

    CircuitBreaker breaker;

    static CircuitBreakerConfig config(Policy policy) {
        CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.custom()
                .failureRateThreshold(Policy.RATE_PERCENT)
                .waitDurationInOpenState(Policy.WAIT)
                .minimumNumberOfCalls(Policy.MINIMUM_CALLS);
        switch (policy) {
            case CONSECUTIVE -> throw new IllegalArgumentException("Resilience4j counts no consecutive failures");
            case COUNT_WINDOW ->
                builder.slidingWindowType(SlidingWindowType.COUNT_BASED).slidingWindowSize(Policy.WINDOW_CALLS);
            case TIME_WINDOW ->
                builder.slidingWindowType(SlidingWindowType.TIME_BASED)
                        .slidingWindowSize(Math.toIntExact(Policy.WINDOW_TIME.toSeconds()));
            case SLOW_CALLS ->
                builder.slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(Policy.WINDOW_CALLS)
                        .slowCallDurationThreshold(Policy.SLOW)
                        .slowCallRateThreshold(Policy.RATE_PERCENT);
        }
        return builder.build();
    }

    @Setup
    public void setUp() {
        breaker = CircuitBreaker.of("benchmark", config(policy));
    }

    @Override
    public Object call(Work work) {
        return breaker.executeSupplier(work.supplier);
    }

    @Override
    public boolean isRefusal(Exception thrown) {
        return thrown instanceof CallNotPermittedException;
    }

    @TearDown
    public void check(BenchmarkParams params) {
        // A window of 100 calls of several threads holds now more and now fewer than every tenth.
        Check.failed(breaker.getMetrics().getFailureRate(), 8, params);
        Check.that(breaker.getMetrics().getNumberOfNotPermittedCalls() == 0, "nothing is refused");

        setUp();
        Check.succeeds(this);
        int counted = policy == Policy.TIME_WINDOW ? Check.CALLS : Policy.WINDOW_CALLS;
        Check.that(breaker.getMetrics().getNumberOfSuccessfulCalls() == counted, "each call is counted");
        setUp();
        Check.trips(this);
    }
}
