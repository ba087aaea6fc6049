package dev.guardedby.benchmarks;

import io.smallrye.faulttolerance.api.TypedGuard;
import java.time.temporal.ChronoUnit;
import org.eclipse.microprofile.faulttolerance.exceptions.CircuitBreakerOpenException;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** SmallRye Fault Tolerance's breaker, by its programmatic API. Its only policy is the failure rate of the last calls. */
@State(Scope.Benchmark)
public class SmallRyeBreaker implements Guard {
    final TypedGuard<Object> guard = breaker();

    static TypedGuard<Object> breaker() {
        return TypedGuard.create(Object.class)
                .withCircuitBreaker()
                .requestVolumeThreshold(Policy.WINDOW_CALLS)
                .failureRatio(Policy.RATE_PERCENT / 100.0)
                .delay(Policy.WAIT.toMillis(), ChronoUnit.MILLIS)
                .done()
                .build();
    }

    @Override
    public Object call(Work work) {
        return guard.get(work.supplier);
    }

    @Override
    public boolean isRefusal(Exception thrown) {
        return thrown instanceof CircuitBreakerOpenException;
    }

    @TearDown
    public void check() {
        Check.succeeds(new SmallRyeBreaker());
        Check.trips(new SmallRyeBreaker());
    }
}
