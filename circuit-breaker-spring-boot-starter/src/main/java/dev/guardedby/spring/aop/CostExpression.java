package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelCompilerMode;
import org.springframework.expression.spel.SpelParserConfiguration;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.StandardEvaluationContext;
import org.springframework.expression.spel.support.StandardTypeLocator;

/**
 * The {@code cost} of an annotation: parsed once when the application starts, compiled after some calls, evaluated when a
 * call has succeeded.
 */
final class CostExpression {
    private static final Log LOG = LogFactory.getLog(CostExpression.class);

    private final SpelExpression expression;
    private final Method method;
    private final Map<String, Integer> variables;
    private final EvaluationContext surroundings;
    private final LongAdder lost;
    private final AtomicBoolean warned = new AtomicBoolean();

    private CostExpression(
            SpelExpression expression,
            Method method,
            Map<String, Integer> variables,
            EvaluationContext surroundings,
            LongAdder lost) {
        this.expression = expression;
        this.method = method;
        this.variables = variables;
        this.surroundings = surroundings;
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
        ClassLoader loader = method.getDeclaringClass().getClassLoader();
        SpelParserConfiguration configuration = new SpelParserConfiguration(SpelCompilerMode.MIXED, loader);
        SpelExpression expression;
        try {
            expression = (SpelExpression) new SpelExpressionParser(configuration).parseExpression(text);
        } catch (ParseException | IllegalStateException e) {
            throw new InvalidGuardException(
                    "The cost expression '" + text + "' of " + Signature.qualified(method) + " is not valid SpEL: "
                            + e.getMessage(),
                    "Correct the expression",
                    e);
        }
        Map<String, Integer> variables = variables(method);
        new CostCheck(text, method, variables.keySet()).check(expression.getAST());
        StandardEvaluationContext surroundings = new StandardEvaluationContext();
        surroundings.setTypeLocator(new StandardTypeLocator(loader));
        return new CostExpression(expression, method, variables, surroundings, lost);
    }

    /** Books what a call cost on it; if that cannot be found out, counts it and warns of the first. */
    void book(CostRecorder call, @Nullable Object[] arguments, @Nullable Object result) {
        try {
            call.record(toCost(expression.getValue(new CostContext(surroundings, variables, arguments, result))));
        } catch (Throwable broken) {
            lost.increment();
            if (warned.compareAndSet(false, true)) {
                LOG.warn(
                        "The cost expression '" + expression.getExpressionString() + "' of "
                                + Signature.qualified(method)
                                + " failed: the call's result is not affected, but its cost is not recorded. Further"
                                + " failures of this expression are counted and not logged.",
                        broken);
            }
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

    /** Every name there is, and the index of its argument; -1 for the result. */
    private static Map<String, Integer> variables(Method method) {
        Map<String, Integer> variables = new LinkedHashMap<>();
        @Nullable String @Nullable [] names = new DefaultParameterNameDiscoverer().getParameterNames(method);
        for (int i = 0; i < Signature.arity(method); i++) {
            String name = names == null ? null : names[i];
            if (name != null) {
                variables.put(name, i);
            }
            variables.put("a" + i, i);
            variables.put("p" + i, i);
        }
        // Last, so that a parameter of that name does not hide it.
        variables.put("result", -1);
        return Map.copyOf(variables);
    }
}
