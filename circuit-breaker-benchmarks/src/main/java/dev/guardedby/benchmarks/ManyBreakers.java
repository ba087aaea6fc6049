package dev.guardedby.benchmarks;

import dev.failsafe.Failsafe;
import dev.failsafe.FailsafeExecutor;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import io.smallrye.faulttolerance.api.TypedGuard;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A call by one of 100,000 breakers, found in a map by a random key: no cache holds what they weigh. Each has seen as many calls
 * beforehand as its window holds.
 */
@Warmup(iterations = 3, time = 700, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xms1500m", "-Xmx1500m"})
public class ManyBreakers extends Measured {
    static final int BREAKERS = 100_000;
    private static final String[] NAMES =
            IntStream.range(0, BREAKERS).mapToObj(i -> "breaker-" + i).toArray(String[]::new);

    @Benchmark
    public Object lookup(ManyObjects many, Draw draw) {
        return many.find(draw);
    }

    @Benchmark
    public Object guardedBy(ManyGuardedBy many, Draw draw, Work work) {
        return many.find(draw).call(work.call);
    }

    @Benchmark
    public Object guardedByWindows(ManyGuardedByWindows many, Draw draw, Work work) {
        return many.find(draw).call(work.call);
    }

    @Benchmark
    public Object resilience4j(ManyResilience4j many, Draw draw, Work work) {
        return many.find(draw).executeSupplier(work.supplier);
    }

    @Benchmark
    public Object failsafe(ManyFailsafe many, Draw draw, Work work) {
        return many.find(draw).get(work.checkedSupplier);
    }

    @Benchmark
    public Object smallRye(ManySmallRye many, Draw draw, Work work) {
        return many.find(draw).get(work.supplier);
    }

    /** A random name a call, by a generator that costs about a nanosecond. */
    @State(Scope.Thread)
    public static class Draw {
        private static final AtomicLong SEEDS = new AtomicLong();

        private long state = 0x9E3779B97F4A7C15L * SEEDS.incrementAndGet();

        String name() {
            long x = state;
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
            state = x;
            return NAMES[(int) Long.remainderUnsigned(x, BREAKERS)];
        }
    }

    /** Any breaker, by its name. */
    abstract static class Many<B> {
        final Map<String, B> byName = new ConcurrentHashMap<>(2 * BREAKERS);

        Many(Function<String, B> breaker, BiConsumer<B, Work> call) {
            Work work = new Work();
            for (String name : NAMES) {
                B made = breaker.apply(name);
                byName.put(name, made);
                // A breaker with few calls may do less: it allocates later, and evaluates no rate.
                for (int i = 0; i < Policy.WINDOW_CALLS; i++) {
                    call.accept(made, work);
                }
            }
        }

        final B find(Draw draw) {
            return Objects.requireNonNull(byName.get(draw.name()));
        }
    }

    @State(Scope.Benchmark)
    public static class ManyObjects extends Many<Object> {
        public ManyObjects() {
            super(name -> new Object(), (object, work) -> {});
        }
    }

    @State(Scope.Benchmark)
    public static class ManyGuardedBy extends Many<CircuitBreaker> {
        public ManyGuardedBy() {
            this(Policy.CONSECUTIVE);
        }

        ManyGuardedBy(Policy policy) {
            super(name -> GuardedByBreaker.of(name, policy), (breaker, work) -> breaker.call(work.call));
        }

        @TearDown
        public void check() {
            long called = byName.values().stream()
                    .filter(breaker -> breaker.stats().totalSuccesses() > Policy.WINDOW_CALLS)
                    .count();
            Check.that(called > BREAKERS / 100, "many breakers are called, but only " + called + " were");
            Check.that(
                    byName.values().stream().allMatch(breaker -> breaker.state() == CircuitState.CLOSED),
                    "all stay closed");
        }
    }

    @State(Scope.Benchmark)
    public static class ManyGuardedByWindows extends ManyGuardedBy {
        public ManyGuardedByWindows() {
            super(Policy.COUNT_WINDOW);
        }
    }

    @State(Scope.Benchmark)
    public static class ManyResilience4j extends Many<io.github.resilience4j.circuitbreaker.CircuitBreaker> {
        private static final io.github.resilience4j.circuitbreaker.CircuitBreakerConfig CONFIG =
                Resilience4jBreaker.config(Policy.COUNT_WINDOW);

        public ManyResilience4j() {
            super(
                    name -> io.github.resilience4j.circuitbreaker.CircuitBreaker.of(name, CONFIG),
                    (breaker, work) -> breaker.executeSupplier(work.supplier));
        }

        @TearDown
        public void check() {
            Check.that(
                    byName.values().stream()
                            .allMatch(breaker ->
                                    breaker.getMetrics().getNumberOfSuccessfulCalls() == Policy.WINDOW_CALLS),
                    "all windows are full");
        }
    }

    @State(Scope.Benchmark)
    public static class ManyFailsafe extends Many<FailsafeExecutor<Object>> {
        public ManyFailsafe() {
            super(
                    name -> Failsafe.with(FailsafeBreaker.of(Policy.COUNT_WINDOW)),
                    (executor, work) -> executor.get(work.checkedSupplier));
        }
    }

    @State(Scope.Benchmark)
    public static class ManySmallRye extends Many<TypedGuard<Object>> {
        public ManySmallRye() {
            super(name -> SmallRyeBreaker.breaker(), (guard, work) -> guard.get(work.supplier));
        }
    }
}
