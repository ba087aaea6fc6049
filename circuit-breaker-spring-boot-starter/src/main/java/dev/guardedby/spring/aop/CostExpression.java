package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** The {@code cost} of an annotation, evaluated when a call has succeeded. */
final class CostExpression {
    private static final Log LOG = LogFactory.getLog(CostExpression.class);

    private final CallExpression expression;
    private final LongAdder lost;
    private final AtomicBoolean warned = new AtomicBoolean();
    private final AtomicBoolean warnedOfNoResult = new AtomicBoolean();

    private CostExpression(CallExpression expression, LongAdder lost) {
        this.expression = expression;
        this.lost = lost;
    }

    /**
     * Parses an expression.
     *
     * @param method whose results and arguments it is about
     * @param lost counts the costs that it fails to find out
     * @throws InvalidGuardException if it is not valid SpEL, or asks for what is not there
     */
    static CostExpression parse(String text, Method method, LongAdder lost) {
        return new CostExpression(CallExpression.parse("cost", text, method, true), lost);
    }

    /** Books what a call cost on it; if that cannot be found out, counts it and warns of the first. */
    void book(CostRecorder call, @Nullable Object[] arguments, @Nullable Object result) {
        try {
            call.record(toCost(expression.value(arguments, result)));
        } catch (Throwable broken) {
            lost.increment();
            if (result == null && expression.asksForResult()) {
                warnOfNoResult(broken);
            } else if (warned.compareAndSet(false, true)) {
                LOG.warn(
                        expression
                                + " failed: the call's result is not affected, but its cost is not recorded. Further"
                                + " failures of this expression are counted and not logged.",
                        broken);
            }
        }
    }

    // An empty publisher is no news, and where in SpEL it failed helps nobody.
    private void warnOfNoResult(Throwable broken) {
        if (warnedOfNoResult.compareAndSet(false, true)) {
            LOG.warn(expression
                    + " failed, and there is no result: the call's cost is not recorded. If such a call costs nothing, write"
                    + " '#result == null ? 0 : …'. Further failures without a result are counted and not logged. It was "
                    + broken);
        }
    }

    private static Cost toCost(@Nullable Object value) {
        if (value instanceof Cost cost) {
            return cost;
        }
        if (value instanceof BigDecimal usd) {
            return Cost.of(0, 0, usd);
        }
        if (value instanceof Number usd) {
            return Cost.usd(usd.toString());
        }
        throw new IllegalArgumentException(
                "cost must be a " + Cost.class.getName() + " or a number of US dollars, but was "
                        + (value == null ? "null" : "a " + value.getClass().getName()));
    }
}
