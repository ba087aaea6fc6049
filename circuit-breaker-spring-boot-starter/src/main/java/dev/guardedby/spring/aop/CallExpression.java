package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.NativeDetector;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelCompilerMode;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.SpelParserConfiguration;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.StandardEvaluationContext;
import org.springframework.expression.spel.support.StandardTypeLocator;

/**
 * What an annotation asks of each call of a method, in SpEL: parsed and checked once when the application starts, compiled
 * after some calls.
 */
final class CallExpression {
    private static final int RESULT = -1;

    private final String what;
    private final SpelExpression expression;
    private final Map<String, Integer> variables;
    private final EvaluationContext surroundings;
    /** The variable that is all there is to it, or null. */
    private final @Nullable Integer only;

    private CallExpression(
            String what, SpelExpression expression, Map<String, Integer> variables, EvaluationContext surroundings) {
        this.what = what;
        this.expression = expression;
        this.variables = variables;
        this.surroundings = surroundings;
        this.only = expression.getAST() instanceof VariableReference variable
                ? variables.get(variable.toStringAST().substring(1))
                : null;
    }

    /**
     * Parses an expression.
     *
     * @param attribute the attribute of the annotation that it is in
     * @param method whose arguments it is about
     * @param afterCall whether it is evaluated when there is a result
     * @throws InvalidGuardException if it is not valid SpEL, or asks for what is not there
     */
    static CallExpression parse(String attribute, String text, Method method, boolean afterCall) {
        String what = "The " + attribute + " expression '" + text + "' of " + Signature.qualified(method);
        ClassLoader loader = method.getDeclaringClass().getClassLoader();
        // A native image can define no classes when it runs.
        SpelCompilerMode mode = NativeDetector.inNativeImage() ? SpelCompilerMode.OFF : SpelCompilerMode.MIXED;
        SpelParserConfiguration configuration = new SpelParserConfiguration(mode, loader);
        SpelExpression expression;
        try {
            expression = (SpelExpression) new SpelExpressionParser(configuration).parseExpression(text);
        } catch (ParseException | IllegalStateException e) {
            throw new InvalidGuardException(
                    what + " is not valid SpEL: " + e.getMessage(), "Correct the expression", e);
        }
        Map<String, Integer> variables = variables(method, afterCall);
        new ExpressionCheck(what, variables.keySet()).check(expression.getAST());
        StandardEvaluationContext surroundings = new StandardEvaluationContext();
        surroundings.setTypeLocator(new StandardTypeLocator(loader));
        return new CallExpression(what, expression, variables, surroundings);
    }

    /** The value for one call; what the expression throws comes out. */
    @Nullable Object value(@Nullable Object[] arguments, @Nullable Object result) {
        if (only != null) {
            return only == RESULT ? result : arguments[only];
        }
        return expression.getValue(new CallContext(surroundings, variables, arguments, result));
    }

    /** Whether it may fail because there is no result. */
    boolean asksForResult() {
        return asksForResult(expression.getAST());
    }

    private boolean asksForResult(SpelNode node) {
        if (node instanceof VariableReference variable) {
            Integer index = variables.get(variable.toStringAST().substring(1));
            return index != null && index == RESULT;
        }
        return IntStream.range(0, node.getChildCount()).anyMatch(i -> asksForResult(node.getChild(i)));
    }

    /** {@code The key expression '#tenant' of com.acme.Assistant.ask(String)}. */
    @Override
    public String toString() {
        return what;
    }

    /** Every name there is, and the index of its argument; {@value #RESULT} for the result. */
    private static Map<String, Integer> variables(Method method, boolean afterCall) {
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
        if (afterCall) {
            // Last, so that a parameter of that name does not hide it.
            variables.put("result", RESULT);
        }
        return Map.copyOf(variables);
    }
}
