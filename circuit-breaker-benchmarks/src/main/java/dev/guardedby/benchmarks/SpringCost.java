package dev.guardedby.benchmarks;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A guarded method of a Spring bean whose cost is recorded. */
@Warmup(iterations = 3, time = 700, timeUnit = TimeUnit.MILLISECONDS)
public class SpringCost extends Measured {

    @Benchmark
    public Object recorded(Recorded context) {
        return context.bean.answer();
    }

    @Benchmark
    public Object expression(Expression context) {
        return context.bean.answer();
    }

    /** A context whose bean costs something. */
    abstract static class CostlyContext<T> extends SpringMethod.GuardedContext<T> {
        CostlyContext(Class<T> type) {
            super(type, SpringMethod.GuardedByConfiguration.class);
        }

        final void close(Runnable answer) {
            check(answer);
            long calls = breaker().stats().totalSuccesses();
            long tokens = breaker().stats().totalOutputTokens();
            Check.that(tokens == calls * COST.outputTokens(), "the cost of each call is recorded, but " + tokens);
            close(true);
        }
    }

    private static final Cost COST = new Cost(1200, 300, 2_500_000);

    @State(Scope.Benchmark)
    public static class Recorded extends CostlyContext<RecordingService> {
        public Recorded() {
            super(RecordingService.class);
        }

        @TearDown
        public void close() {
            close(bean::answer);
        }
    }

    @State(Scope.Benchmark)
    public static class Expression extends CostlyContext<ExpressionService> {
        public Expression() {
            super(ExpressionService.class);
        }

        @TearDown
        public void close() {
            close(bean::answer);
        }
    }

    /** What a model answers. */
    public record Answer(Cost cost) {}

    public static class RecordingService {
        private final Object answer = new Object();
        private final CostRecorder costs;

        public RecordingService(CostRecorder costs) {
            this.costs = costs;
        }

        @GuardedBy(SpringMethod.BREAKER) public Object answer() {
            costs.record(COST);
            return answer;
        }
    }

    public static class ExpressionService {
        private final Answer answer = new Answer(COST);

        @GuardedBy(name = SpringMethod.BREAKER, cost = "#result.cost") public Answer answer() {
            return answer;
        }
    }
}
