package dev.guardedby.spring.aop;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.core.ResolvableType;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.ConstructorReference;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.QualifiedIdentifier;
import org.springframework.expression.spel.ast.StringLiteral;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;

/**
 * What an expression about a method may read by reflection.
 *
 * <p>It begins with the types of the result and of the arguments, their type arguments included, and with the types that the
 * expression names. Of these it reads what has a name that the expression mentions, and goes on with what that gives.
 */
final class ExpressionHints {
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<Class<?>> made = new LinkedHashSet<>();
    private final Deque<ResolvableType> toVisit = new ArrayDeque<>();
    private final Set<Class<?>> visited = new HashSet<>();
    private final @Nullable ClassLoader loader;

    private ExpressionHints(@Nullable ClassLoader loader) {
        this.loader = loader;
    }

    /**
     * What an expression reads; nothing, if it is no valid one.
     *
     * @param method whose result and arguments it is about
     * @param beanClass the class of the bean, which may say what type variables are
     */
    static ExpressionHints of(String expression, Method method, Class<?> beanClass) {
        ExpressionHints hints = new ExpressionHints(method.getDeclaringClass().getClassLoader());
        SpelNode root;
        try {
            root = ((SpelExpression) new SpelExpressionParser().parseExpression(expression)).getAST();
        } catch (ParseException | IllegalStateException e) {
            return hints;
        }
        hints.toVisit.add(ResolvableType.forMethodReturnType(method, beanClass));
        for (int i = 0; i < method.getParameterCount(); i++) {
            hints.toVisit.add(ResolvableType.forMethodParameter(method, i, beanClass));
        }
        // Interfaces do not list its methods.
        hints.toVisit.add(ResolvableType.forClass(Object.class));
        hints.collect(root);
        return hints;
    }

    private void collect(SpelNode node) {
        if (node instanceof PropertyOrFieldReference property) {
            names.add(property.getName());
        } else if (node instanceof MethodReference call) {
            names.add(call.getName());
        } else if (node instanceof StringLiteral text) {
            // It may stand in brackets: #result['tokens'].
            names.add(String.valueOf(text.getLiteralValue().getValue()));
        } else if (node instanceof QualifiedIdentifier type) {
            add(type.toStringAST());
        } else if (node instanceof ConstructorReference && node.getChildCount() > 0) {
            Class<?> type = add(node.getChild(0).toStringAST());
            if (type != null) {
                made.add(type);
            }
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            collect(node.getChild(i));
        }
    }

    private @Nullable Class<?> add(String typeName) {
        for (String name : new String[] {typeName, "java.lang." + typeName}) {
            if (ClassUtils.isPresent(name, loader)) {
                Class<?> type = ClassUtils.resolveClassName(name, loader);
                toVisit.add(ResolvableType.forClass(type));
                return type;
            }
        }
        return null;
    }

    /** Has a native image keep all of it. */
    void register(ReflectionHints hints) {
        made.forEach(type -> hints.registerType(type, MemberCategory.INVOKE_PUBLIC_CONSTRUCTORS));
        while (!toVisit.isEmpty()) {
            ResolvableType type = toVisit.remove();
            for (ResolvableType argument : type.getGenerics()) {
                toVisit.add(argument);
            }
            if (type.isArray()) {
                toVisit.add(type.getComponentType());
            }
            Class<?> known = type.resolve();
            if (known != null && !known.isPrimitive() && visited.add(known)) {
                hints.registerType(known);
                register(hints, known, type);
            }
        }
    }

    private void register(ReflectionHints hints, Class<?> known, ResolvableType type) {
        for (Method method : known.getMethods()) {
            if (!method.isBridge() && isNamed(method)) {
                hints.registerMethod(method, ExecutableMode.INVOKE);
                add(method.getGenericReturnType(), method.getDeclaringClass(), type);
            }
        }
        for (Field field : known.getFields()) {
            if (names.contains(field.getName())) {
                hints.registerField(field);
                add(field.getGenericType(), field.getDeclaringClass(), type);
            }
        }
        if (known.isSealed()) {
            for (Class<?> permitted : known.getPermittedSubclasses()) {
                toVisit.add(ResolvableType.forClass(permitted));
            }
        }
    }

    private void add(Type read, Class<?> declaring, ResolvableType owner) {
        toVisit.add(ResolvableType.forType(read, owner.as(declaring)));
    }

    /** Whether the expression may mean that method, by its own name or by that of a property. */
    private boolean isNamed(Method method) {
        String name = method.getName();
        return names.contains(name)
                || (method.getParameterCount() == 0 && (isProperty(name, "get") || isProperty(name, "is")));
    }

    private boolean isProperty(String method, String prefix) {
        if (!method.startsWith(prefix)) {
            return false;
        }
        String property = method.substring(prefix.length());
        return names.contains(StringUtils.uncapitalize(property)) || names.contains(property);
    }
}
