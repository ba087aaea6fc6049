package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.util.ClassUtils;

/**
 * The guarded methods of the application, each with what was decided about it: when the application started, or when the
 * method was called before that.
 *
 * <p>The registry is not asked before. Advisors are created before all other beans, and so would be what they need.
 */
final class GuardedMethods {
    private final Declarations declarations;
    private final BreakerNames names;
    private final LostCosts lost;
    private final Map<MethodClassKey, GuardedMethod> methods = new ConcurrentHashMap<>();
    private final Map<MethodClassKey, GuardedMethod> invoked = new ConcurrentHashMap<>();

    GuardedMethods(Declarations declarations, BreakerNames names, LostCosts lost) {
        this.declarations = declarations;
        this.names = names;
        this.lost = lost;
    }

    /** The method that is being invoked, or null if it is not guarded. */
    @Nullable GuardedMethod of(MethodInvocation invocation) {
        Object target = invocation.getThis();
        Method method = invocation.getMethod();
        Class<?> targetClass = target == null ? method.getDeclaringClass() : target.getClass();
        MethodClassKey key = new MethodClassKey(method, targetClass);
        GuardedMethod guarded = invoked.get(key);
        if (guarded == null) {
            guarded = of(method, target == null ? targetClass : AopProxyUtils.ultimateTargetClass(target));
            if (guarded != null) {
                invoked.put(key, guarded);
            }
        }
        return guarded;
    }

    /** Decides everything about the guarded methods of a bean's class, and refuses those that cannot work. */
    void prepare(Class<?> beanClass) {
        for (Method method : Declarations.callable(beanClass)) {
            of(method, beanClass);
        }
    }

    private @Nullable GuardedMethod of(Method method, Class<?> generatedOrBeanClass) {
        Class<?> beanClass = ClassUtils.getUserClass(generatedOrBeanClass);
        Declaration declaration = declarations.find(method, beanClass);
        if (declaration == null) {
            return null;
        }
        Method specific = Declarations.specific(method, beanClass);
        MethodClassKey key = new MethodClassKey(specific, beanClass);
        GuardedMethod known = methods.get(key);
        if (known != null) {
            return known;
        }
        // Outside any lock of the map: it builds breakers, and what customizes them is foreign code.
        GuardedMethod made = make(specific, beanClass, declaration);
        GuardedMethod earlier = methods.putIfAbsent(key, made);
        return earlier == null ? made : earlier;
    }

    private GuardedMethod make(Method method, Class<?> beanClass, Declaration declaration) {
        Shape shape = Shape.of(method, beanClass);
        Fallback fallback = declaration.fallback().isEmpty()
                ? null
                : FallbackResolver.resolve(method, beanClass, declaration.fallback());
        CostExpression cost =
                declaration.cost().isEmpty() ? null : CostExpression.parse(declaration.cost(), method, lost);
        return new GuardedMethod(method, names.breaker(declaration), shape, fallback, cost);
    }
}
