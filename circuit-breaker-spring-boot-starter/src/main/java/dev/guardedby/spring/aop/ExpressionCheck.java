package dev.guardedby.spring.aop;

import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.FunctionReference;
import org.springframework.expression.spel.ast.Indexer;
import org.springframework.expression.spel.ast.InlineMap;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.Projection;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.Selection;
import org.springframework.expression.spel.ast.VariableReference;

/**
 * Refuses expressions that parse and yet can never be evaluated.
 *
 * <p>SpEL takes an unknown variable for null, and looks a bare name up on a root object that these expressions do not
 * have: a misspelt {@code #reslt.cost} and a forgotten {@code #} would lose the cost of every call, or the key.
 */
final class ExpressionCheck {
    private final String what;
    private final Set<String> variables;

    /**
     * A check of one expression.
     *
     * @param what the expression and its place, as messages name it
     * @param variables what it may ask for
     */
    ExpressionCheck(String what, Set<String> variables) {
        this.what = what;
        this.variables = variables;
    }

    /** Checks a whole expression. */
    void check(SpelNode expression) {
        check(expression, true, true);
    }

    /**
     * Checks a part.
     *
     * @param outside whether it is outside {@code .?[ ]}, {@code .![ ]} and {@code [ ]}, where bare names mean something
     * @param first whether nothing stands before it that its name could belong to
     */
    private void check(SpelNode node, boolean outside, boolean first) {
        if (node instanceof BeanReference || node instanceof FunctionReference) {
            throw invalid("asks for " + node.toStringAST());
        }
        if (node instanceof VariableReference && !isKnown(node.toStringAST(), outside)) {
            throw invalid("asks for " + node.toStringAST() + ", but there is no such variable");
        }
        if (outside && first && (node instanceof PropertyOrFieldReference || node instanceof MethodReference)) {
            throw invalid("asks for " + node.toStringAST() + " without saying of what");
        }
        boolean childrenOutside = outside
                && !(node instanceof Selection
                        || node instanceof Projection
                        || node instanceof Indexer
                        || node instanceof InlineMap);
        for (int i = 0; i < node.getChildCount(); i++) {
            check(node.getChild(i), childrenOutside, !(node instanceof CompoundExpression) || i == 0);
        }
    }

    private boolean isKnown(String variable, boolean outside) {
        return variables.contains(variable.substring(1)) || (!outside && variable.equals("#this"));
    }

    private InvalidGuardException invalid(String why) {
        return new InvalidGuardException(
                what + " " + why,
                "Use " + variables.stream().sorted().map(name -> "#" + name).collect(Collectors.joining(", "))
                        + "; an argument has its name only if the class was compiled with -parameters");
    }
}
