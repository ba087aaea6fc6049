package dev.guardedby.spring.aop;

import dev.guardedby.spring.GuardedBy;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.util.ClassUtils;

/**
 * Tells a native image what of the beans that carry {@link GuardedBy} is found by reflection: the classes that are looked
 * through for it, fallbacks, and what expressions read.
 *
 * <p>What cannot work is passed over here. Whether a fallback fits is for start-up to say, which knows the classes behind
 * interfaces.
 */
final class GuardHints implements BeanRegistrationAotProcessor {
    private final Declarations declarations = new Declarations();

    @Override
    public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean bean) {
        Class<?> beanClass = ClassUtils.getUserClass(bean.getBeanClass());
        Map<Method, Declaration> guarded = guarded(beanClass);
        if (guarded.isEmpty()) {
            return null;
        }
        return (generation, code) -> {
            ReflectionHints hints = generation.getRuntimeHints().reflection();
            Declarations.hierarchy(beanClass).forEach(type -> hints.registerType(type));
            guarded.forEach((method, declaration) -> register(hints, method, declaration, beanClass));
        };
    }

    private Map<Method, Declaration> guarded(Class<?> beanClass) {
        Map<Method, Declaration> guarded = new LinkedHashMap<>();
        try {
            if (declarations.mentionedIn(beanClass)) {
                for (Method method : Declarations.callable(beanClass)) {
                    Declaration declaration = declarations.find(method, beanClass);
                    if (declaration != null) {
                        guarded.put(method, declaration);
                    }
                }
            }
        } catch (InvalidGuardException e) {
            // Start-up will say so, and not start.
            return Map.of();
        }
        return guarded;
    }

    private static void register(ReflectionHints hints, Method method, Declaration declaration, Class<?> beanClass) {
        if (!declaration.fallback().isEmpty()) {
            for (Method body : Declarations.bodies(declaration.fallback(), beanClass)) {
                hints.registerMethod(body, ExecutableMode.INVOKE);
            }
        }
        for (String expression : expressions(declaration)) {
            ExpressionHints.of(expression, method, beanClass).register(hints);
        }
    }

    private static List<String> expressions(Declaration declaration) {
        List<String> expressions = new ArrayList<>(List.of(declaration.cost()));
        expressions.removeIf(String::isEmpty);
        return expressions;
    }
}
