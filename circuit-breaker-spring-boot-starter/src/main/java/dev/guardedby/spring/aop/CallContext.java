package dev.guardedby.spring.aop;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.expression.BeanResolver;
import org.springframework.expression.ConstructorResolver;
import org.springframework.expression.EvaluationContext;
import org.springframework.expression.IndexAccessor;
import org.springframework.expression.MethodResolver;
import org.springframework.expression.OperatorOverloader;
import org.springframework.expression.PropertyAccessor;
import org.springframework.expression.TypeComparator;
import org.springframework.expression.TypeConverter;
import org.springframework.expression.TypeLocator;
import org.springframework.expression.TypedValue;

/**
 * The variables of one call, for an expression of its method. Everything else is the same for all calls and made once,
 * because a whole context for each call would cost more than most expressions do.
 */
final class CallContext implements EvaluationContext {
    private final EvaluationContext surroundings;
    private final Map<String, Integer> variables;
    private final @Nullable Object[] arguments;
    private final @Nullable Object result;

    CallContext(
            EvaluationContext surroundings,
            Map<String, Integer> variables,
            @Nullable Object[] arguments,
            @Nullable Object result) {
        this.surroundings = surroundings;
        this.variables = variables;
        this.arguments = arguments;
        this.result = result;
    }

    @Override
    public @Nullable Object lookupVariable(String name) {
        Integer index = variables.get(name);
        if (index == null) {
            return null;
        }
        return index < 0 ? result : arguments[index];
    }

    @Override
    public void setVariable(String name, @Nullable Object value) {
        throw new UnsupportedOperationException("an expression cannot set #" + name);
    }

    @Override
    public boolean isAssignmentEnabled() {
        return false;
    }

    @Override
    public TypedValue getRootObject() {
        return TypedValue.NULL;
    }

    @Override
    public List<PropertyAccessor> getPropertyAccessors() {
        return surroundings.getPropertyAccessors();
    }

    @Override
    public List<IndexAccessor> getIndexAccessors() {
        return surroundings.getIndexAccessors();
    }

    @Override
    public List<ConstructorResolver> getConstructorResolvers() {
        return surroundings.getConstructorResolvers();
    }

    @Override
    public List<MethodResolver> getMethodResolvers() {
        return surroundings.getMethodResolvers();
    }

    @Override
    public @Nullable BeanResolver getBeanResolver() {
        return null;
    }

    @Override
    public TypeLocator getTypeLocator() {
        return surroundings.getTypeLocator();
    }

    @Override
    public TypeConverter getTypeConverter() {
        return surroundings.getTypeConverter();
    }

    @Override
    public TypeComparator getTypeComparator() {
        return surroundings.getTypeComparator();
    }

    @Override
    public OperatorOverloader getOperatorOverloader() {
        return surroundings.getOperatorOverloader();
    }
}
