package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Makes start-up fail over what could not work later, and the breakers exist from start-up on.
 *
 * <p>What a bean's class says by itself is checked as the bean is made. What needs the registry waits until all singletons are
 * there; for beans that come after that, it is done as they are made.
 */
final class StartupCheck implements BeanPostProcessor, SmartInitializingSingleton {
    private final Declarations declarations;
    private final GuardedMethods methods;
    private final BreakerNames names;
    // Classes, because beans of one may be made again and again; one that was refused is in neither.
    private final Set<Class<?>> reachable = ConcurrentHashMap.newKeySet();
    private final Set<Class<?>> ready = ConcurrentHashMap.newKeySet();
    private final Set<Class<?>> waiting = ConcurrentHashMap.newKeySet();
    private volatile boolean started;

    StartupCheck(Declarations declarations, GuardedMethods methods, BreakerNames names) {
        this.declarations = declarations;
        this.methods = methods;
        this.names = names;
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Class<?> beanClass = ClassUtils.getUserClass(bean);
        if (!reachable.contains(beanClass)) {
            if (declarations.mentionedIn(beanClass)) {
                refuseOutOfReach(beanClass);
            }
            reachable.add(beanClass);
        }
        return bean;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (!ready.contains(bean.getClass())) {
            Class<?> beanClass = ClassUtils.getUserClass(AopProxyUtils.ultimateTargetClass(bean));
            if (declarations.mentionedIn(beanClass)) {
                refuseOutOfReach(bean, beanClass);
                waiting.add(beanClass);
                if (started) {
                    prepare(beanClass);
                }
            }
            ready.add(bean.getClass());
        }
        return bean;
    }

    @Override
    public void afterSingletonsInstantiated() {
        started = true;
        Set.copyOf(waiting).forEach(this::prepare);
        names.judge();
    }

    private void prepare(Class<?> beanClass) {
        if (waiting.remove(beanClass)) {
            methods.prepare(beanClass);
        }
    }

    /** Refuses methods that carry the annotation and that no proxy of any kind can stand before. */
    private static void refuseOutOfReach(Class<?> beanClass) {
        for (Class<?> type : Declarations.hierarchy(beanClass)) {
            for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
                String obstacle = obstacle(method);
                if (obstacle != null && Declaration.on(method) != null) {
                    throw outOfReach(method, "is " + obstacle, "Make it neither private, static nor final");
                }
            }
        }
    }

    private static @Nullable String obstacle(Method method) {
        int modifiers = method.getModifiers();
        if (Modifier.isPrivate(modifiers)) {
            return "private";
        }
        if (Modifier.isStatic(modifiers)) {
            return "static";
        }
        return Modifier.isFinal(modifiers) ? "final" : null;
    }

    /** Refuses methods that carry the annotation and that the proxy of this bean does not have. */
    private void refuseOutOfReach(Object bean, Class<?> beanClass) {
        boolean ofClass = AopUtils.isCglibProxy(bean);
        if (!ofClass && !AopUtils.isJdkDynamicProxy(bean)) {
            return;
        }
        for (Method method : Declarations.callable(beanClass)) {
            Declaration declaration = declarations.find(method, beanClass);
            if (declaration == null || !declaration.onMethod()) {
                continue;
            }
            if (ofClass && Modifier.isFinal(method.getModifiers())) {
                throw outOfReach(method, "is final", "Make it not final");
            }
            if (!ofClass && !isInInterface(method, bean.getClass(), beanClass)) {
                throw outOfReach(
                        method,
                        "is in no interface of a bean that is known by its interfaces alone",
                        "Declare it in an interface, or set spring.aop.proxy-target-class to true");
            }
        }
    }

    private static boolean isInInterface(Method method, Class<?> proxyClass, Class<?> beanClass) {
        for (Class<?> type : proxyClass.getInterfaces()) {
            for (Method declared : type.getMethods()) {
                if (Declarations.specific(declared, beanClass).equals(method)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static InvalidGuardException outOfReach(Method method, String why, String action) {
        return new InvalidGuardException(
                "@GuardedBy cannot guard " + Signature.qualified(method) + ": it " + why
                        + ", so that calls do not come by the proxy",
                action
                        + ", or remove the annotation and call the CircuitBreaker of the CircuitBreakerRegistry in code");
    }
}
