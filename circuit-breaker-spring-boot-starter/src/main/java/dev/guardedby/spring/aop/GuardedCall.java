package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.CostRecorder;
import java.math.BigDecimal;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** One guarded call: what costs are recorded on, while it runs and afterwards. */
final class GuardedCall implements CostRecorder {
    // An array of the JDK's, so that the threads of a pool keep nothing of ours when the application is gone.
    private static final ThreadLocal<@Nullable Object[]> CURRENT = ThreadLocal.withInitial(() -> new Object[1]);

    private final Permit permit;
    private volatile boolean recorded;

    GuardedCall(Permit permit) {
        this.permit = permit;
    }

    /** The innermost call that this thread is in, or null. */
    static @Nullable GuardedCall innermost() {
        return (GuardedCall) CURRENT.get()[0];
    }

    /** Goes on with the invocation, inside this call. */
    @Nullable Object proceed(MethodInvocation invocation) throws Throwable {
        @Nullable Object[] current = CURRENT.get();
        Object outer = current[0];
        current[0] = this;
        try {
            return invocation.proceed();
        } finally {
            current[0] = outer;
        }
    }

    /** Books what the method's cost expression makes of its result, unless the method has recorded a cost itself. */
    void returned(GuardedMethod method, MethodInvocation invocation, @Nullable Object result) {
        CostExpression expression = method.cost();
        if (expression == null || recorded) {
            return;
        }
        String breaker = method.breaker().name();
        Cost cost = expression.evaluate(breaker, invocation.getArguments(), result);
        if (cost == null) {
            return;
        }
        try {
            permit.recordCost(cost);
        } catch (IllegalArgumentException absurd) {
            expression.failed(breaker, absurd);
        }
    }

    @Override
    public void record(long inputTokens, long outputTokens, BigDecimal usd) {
        permit.recordCost(inputTokens, outputTokens, usd);
        recorded = true;
    }

    @Override
    public void record(Cost cost) {
        permit.recordCost(cost);
        recorded = true;
    }

    @Override
    public CostRecorder current() {
        return this;
    }
}
