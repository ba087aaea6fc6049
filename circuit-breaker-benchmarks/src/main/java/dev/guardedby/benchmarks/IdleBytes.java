package dev.guardedby.benchmarks;

import com.alibaba.csp.sentinel.CtSph;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRule;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRuleManager;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.smallrye.faulttolerance.standalone.StandaloneFaultTolerance;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.openjdk.jol.info.GraphLayout;

/**
 * What one breaker weighs: the bytes of 10,000 breakers and of all that they hold, without those of the first, which brings
 * along what all share, divided among the rest.
 */
final class IdleBytes {
    private static final int BREAKERS = 10_000;
    private static final int BREAKERS_WHEN_QUICK = 500;
    /** Sentinel guards no more than 6,000 resources; calls of the others pass unguarded. */
    private static final int RESOURCES = 5_000;

    private final int breakers;

    private IdleBytes(int breakers) {
        this.breakers = breakers;
    }

    /** The bytes of one breaker, just made, and after {@link Check#CALLS} calls of which every tenth failed. */
    record Weight(String library, Policy policy, long idle, long used) {}

    /** Needs {@code -Djol.magicFieldOffset=true}, to look into lambdas and records; any argument takes fewer breakers. */
    public static void main(String[] args) throws Exception {
        measure(args.length > 0).forEach(System.out::println);
    }

    static List<Weight> measure(boolean quick) throws Exception {
        try {
            return new IdleBytes(quick ? BREAKERS_WHEN_QUICK : BREAKERS).weights();
        } finally {
            // Its timer would keep this machine alive.
            StandaloneFaultTolerance.shutdown();
        }
    }

    private List<Weight> weights() throws Exception {
        List<Weight> weights = new ArrayList<>();
        for (Policy policy : Policy.values()) {
            weights.add(weight("GuardedBy", policy, () -> guardedBy(policy), guard -> guard.breaker));
        }
        for (Policy policy : List.of(Policy.COUNT_WINDOW, Policy.TIME_WINDOW)) {
            CircuitBreakerConfig shared = Resilience4jBreaker.config(policy);
            weights.add(weight("Resilience4j", policy, () -> resilience4j(shared), guard -> guard.breaker));
        }
        for (Policy policy : List.of(Policy.CONSECUTIVE, Policy.COUNT_WINDOW, Policy.TIME_WINDOW)) {
            weights.add(weight("Failsafe", policy, () -> failsafe(policy), guard -> guard.breaker));
        }
        weights.add(weight("SmallRye", Policy.COUNT_WINDOW, SmallRyeBreaker::new, guard -> guard.guard));
        weights.add(sentinel());
        return weights;
    }

    private static GuardedByBreaker guardedBy(Policy policy) {
        GuardedByBreaker guard = new GuardedByBreaker();
        guard.policy = policy;
        guard.setUp();
        return guard;
    }

    private static Resilience4jBreaker resilience4j(CircuitBreakerConfig config) {
        Resilience4jBreaker guard = new Resilience4jBreaker();
        guard.breaker = CircuitBreaker.of("benchmark", config);
        return guard;
    }

    private static FailsafeBreaker failsafe(Policy policy) {
        FailsafeBreaker guard = new FailsafeBreaker();
        guard.policy = policy;
        guard.setUp();
        return guard;
    }

    private <G extends Guard> Weight weight(
            String library, Policy policy, Supplier<G> made, Function<G, Object> breaker) throws Exception {
        List<G> guards = Stream.generate(made).limit(breakers).toList();
        Object[] breakers = guards.stream().map(breaker).toArray();
        long idle = bytesEach(breakers);
        use(guards);
        return new Weight(library, policy, idle, bytesEach(breakers));
    }

    private static long bytesEach(Object[] breakers) {
        return each(bytes(breakers), bytes(breakers[0]), breakers.length);
    }

    private static void use(List<? extends Guard> guards) throws Exception {
        for (Guard guard : guards) {
            FlakyWork work = new FlakyWork();
            for (int i = 0; i < Check.CALLS; i++) {
                try {
                    guard.call(work);
                } catch (FlakyWork.Failure expected) {
                    Check.that(expected == work.failure, "the caller gets the exception of the work");
                }
            }
        }
    }

    /** Sentinel makes a resource's parts with its first call, and keeps them in static maps. */
    private Weight sentinel() throws Exception {
        int resources = Math.min(breakers, RESOURCES);
        long first = sentinelBytes(guardedBySentinel(1));
        List<SentinelBreaker> guards = guardedBySentinel(resources);
        long idle = sentinelBytes(guards);
        use(guards);
        long used = sentinelBytes(guards);
        return new Weight("Sentinel", Policy.TIME_WINDOW, each(idle, first, resources), each(used, first, resources));
    }

    private static List<SentinelBreaker> guardedBySentinel(int resources) {
        List<String> names =
                IntStream.range(0, resources).mapToObj(i -> "resource-" + i).toList();
        List<DegradeRule> rules = names.stream()
                .map(name -> SentinelBreaker.rule(name, Policy.TIME_WINDOW))
                .toList();
        DegradeRuleManager.loadRules(rules);
        return names.stream().map(SentinelBreaker::known).toList();
    }

    private static long sentinelBytes(List<SentinelBreaker> guards) throws Exception {
        Work work = new Work();
        for (SentinelBreaker guard : guards) {
            guard.call(work);
        }
        return bytes(held(CtSph.class, "chainMap"), held(DegradeRuleManager.class, "circuitBreakers"));
    }

    private static Object held(Class<?> holder, String name) throws ReflectiveOperationException {
        Field field = holder.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(null);
    }

    private static long bytes(Object... roots) {
        return GraphLayout.parseInstance(roots).totalSize();
    }

    private static long each(long all, long first, int count) {
        return Math.round((double) (all - first) / (count - 1));
    }
}
