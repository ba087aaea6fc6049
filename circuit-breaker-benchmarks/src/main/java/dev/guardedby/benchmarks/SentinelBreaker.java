package dev.guardedby.benchmarks;

import com.alibaba.csp.sentinel.Entry;
import com.alibaba.csp.sentinel.SphU;
import com.alibaba.csp.sentinel.Tracer;
import com.alibaba.csp.sentinel.slots.block.BlockException;
import com.alibaba.csp.sentinel.slots.block.RuleConstant;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRule;
import com.alibaba.csp.sentinel.slots.block.degrade.DegradeRuleManager;
import com.alibaba.csp.sentinel.slots.clusterbuilder.ClusterBuilderSlot;
import java.util.List;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Sentinel's breaker, a resource with one degrade rule. Its windows are of time. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the parameter in, then calls setUp
public class SentinelBreaker implements Guard {
    @Param({"TIME_WINDOW", "SLOW_CALLS"})
    Policy policy;

    String resource;

    static DegradeRule rule(String resource, Policy policy) {
        DegradeRule rule = new DegradeRule(resource)
                .setStatIntervalMs(Math.toIntExact(Policy.WINDOW_TIME.toMillis()))
                .setMinRequestAmount(Policy.MINIMUM_CALLS)
                .setTimeWindow(Math.toIntExact(Policy.WAIT.toSeconds()));
        return switch (policy) {
            case TIME_WINDOW ->
                rule.setGrade(RuleConstant.DEGRADE_GRADE_EXCEPTION_RATIO).setCount(Policy.RATE_PERCENT / 100.0);
            case SLOW_CALLS ->
                rule.setGrade(RuleConstant.DEGRADE_GRADE_RT)
                        .setCount(Math.toIntExact(Policy.SLOW.toMillis()))
                        .setSlowRatioThreshold(Policy.RATE_PERCENT / 100.0);
            case CONSECUTIVE, COUNT_WINDOW -> throw new IllegalArgumentException("Sentinel counts no calls in a row");
        };
    }

    static SentinelBreaker of(String resource, Policy policy) {
        DegradeRuleManager.loadRules(List.of(rule(resource, policy)));
        return known(resource);
    }

    /** The breaker of a resource whose rule is loaded. */
    static SentinelBreaker known(String resource) {
        SentinelBreaker breaker = new SentinelBreaker();
        breaker.resource = resource;
        return breaker;
    }

    @Setup
    public void setUp() {
        resource = "benchmark";
        DegradeRuleManager.loadRules(List.of(rule(resource, policy)));
    }

    @Override
    public Object call(Work work) throws BlockException {
        Entry entry = SphU.entry(resource);
        try {
            return work.supplier.get();
        } catch (Throwable thrown) {
            Tracer.traceEntry(thrown, entry);
            throw thrown;
        } finally {
            entry.exit();
        }
    }

    @Override
    public boolean isRefusal(Exception thrown) {
        return thrown instanceof BlockException;
    }

    @TearDown
    public void check() {
        SentinelBreaker counting = of("counting", policy);
        Check.succeeds(counting);
        long counted = ClusterBuilderSlot.getClusterNode("counting").totalPass();
        Check.that(counted == Check.CALLS, "each call is counted, but " + counted);
        if (policy == Policy.TIME_WINDOW) {
            Check.trips(of("tripping", policy));
        }
    }
}
