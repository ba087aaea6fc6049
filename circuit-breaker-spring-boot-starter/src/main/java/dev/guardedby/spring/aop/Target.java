package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.List;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.util.ClassUtils;

/**
 * What a guarding proxy stands before, as two classes, because that may be a proxy itself: one that somebody else made, of
 * interfaces that know nothing of the class behind them.
 *
 * @param seen the class that callers see; it is a proxy's if it is one of interfaces
 * @param ultimate the class behind all proxies; most often the same
 */
record Target(Class<?> seen, Class<?> ultimate) {

    /** What stands behind a proxy, or would stand behind it, were there one. */
    static Target of(Object object) {
        return new Target(ClassUtils.getUserClass(object), ultimateOf(object));
    }

    /** What stands behind the outermost proxy of a bean; the bean itself, if it is none. */
    static Target behind(Object bean) {
        return new Target(ClassUtils.getUserClass(AopUtils.getTargetClass(bean)), ultimateOf(bean));
    }

    private static Class<?> ultimateOf(Object object) {
        return ClassUtils.getUserClass(AopProxyUtils.ultimateTargetClass(object));
    }

    /**
     * The classes whose annotations apply to a method, the one that comes first replacing the other. What the ultimate class
     * does not have is a matter of the proxy's alone, the queries of a repository for example.
     */
    List<Class<?>> classesOf(Method method) {
        return seen != ultimate && method.getDeclaringClass().isAssignableFrom(ultimate)
                ? List.of(ultimate, seen)
                : List.of(seen);
    }
}
