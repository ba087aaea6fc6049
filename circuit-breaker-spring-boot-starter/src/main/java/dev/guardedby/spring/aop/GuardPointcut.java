package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import org.springframework.aop.ClassFilter;
import org.springframework.aop.support.StaticMethodMatcherPointcut;

/** The guarded methods, all or those with a fallback. */
final class GuardPointcut extends StaticMethodMatcherPointcut {
    private final Declarations declarations;
    private final boolean withFallback;

    GuardPointcut(Declarations declarations, boolean withFallback) {
        this.declarations = declarations;
        this.withFallback = withFallback;
    }

    @Override
    public ClassFilter getClassFilter() {
        return declarations::mentionedInOrBehind;
    }

    @Override
    public boolean matches(Method method, Class<?> targetClass) {
        // One that applies to another bean of that class lets the call through.
        for (Declaration declaration : declarations.findAll(method, targetClass)) {
            if (!withFallback || !declaration.fallback().isEmpty()) {
                return true;
            }
        }
        return false;
    }
}
