package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.framework.ProxyConfig;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.BeanFactory;
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
    /** A bean as it left the container: proxies of different targets may share one class. */
    private record Proxied(Class<?> proxyClass, Target target) {}

    private final Declarations declarations;
    private final GuardedMethods methods;
    private final BreakerNames names;
    private final BeanFactory beans;
    // Classes, because beans of one may be made again and again; one that was refused is in neither.
    private final Set<Target> reachable = ConcurrentHashMap.newKeySet();
    private final Set<Proxied> ready = ConcurrentHashMap.newKeySet();
    private final Set<Target> waiting = ConcurrentHashMap.newKeySet();
    private volatile boolean started;

    StartupCheck(Declarations declarations, GuardedMethods methods, BreakerNames names, BeanFactory beans) {
        this.declarations = declarations;
        this.methods = methods;
        this.names = names;
        this.beans = beans;
    }

    @Override
    public Object postProcessBeforeInitialization(Object bean, String beanName) {
        Target target = Target.of(bean);
        if (!reachable.contains(target)) {
            if (declarations.mentionedIn(target)) {
                refuseOutOfReach(target.seen());
                refuseOutOfReach(target.ultimate());
                refuseWithoutSubclasses(target.seen(), beanName);
                prepare(target);
            }
            reachable.add(target);
        }
        return bean;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        Target target = Target.behind(bean);
        Proxied proxied = new Proxied(bean.getClass(), target);
        if (!ready.contains(proxied)) {
            // What a factory bean has made comes by here alone, and may have nothing but interfaces.
            if (declarations.mentionedIn(target)) {
                refuseOutOfReach(bean, target.seen());
                refuseOutOfReach(bean, target.ultimate());
                prepare(target);
            }
            ready.add(proxied);
        }
        return bean;
    }

    @Override
    public void afterSingletonsInstantiated() {
        started = true;
        Set.copyOf(waiting).forEach(this::prepareWaiting);
        names.judge();
    }

    private void prepare(Target target) {
        waiting.add(target);
        if (started) {
            prepareWaiting(target);
        }
    }

    private void prepareWaiting(Target target) {
        if (waiting.remove(target)) {
            methods.prepare(target);
        }
    }

    /** Refuses methods that carry the annotation and that no proxy of any kind can stand before. */
    private static void refuseOutOfReach(Class<?> beanClass) {
        for (Class<?> type : Declarations.hierarchy(beanClass)) {
            for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
                // Kotlin puts the body of an open suspend function into one that it makes itself, with all annotations.
                String obstacle = method.isSynthetic() ? null : obstacle(method);
                if (obstacle != null && Declaration.on(method) != null) {
                    throw outOfReach(
                            method,
                            "is " + obstacle,
                            obstacle.equals("final")
                                    ? Kotlin.howToOpen(type, "Make it neither private, static nor final")
                                    : "Make it neither private, static nor final");
                }
            }
        }
    }

    /** Refuses a guarded class that can have no subclass where the proxy would have to be one. */
    private void refuseWithoutSubclasses(Class<?> beanClass, String beanName) {
        if (!Modifier.isFinal(beanClass.getModifiers())
                || Proxy.isProxyClass(beanClass)
                || ClassUtils.isLambdaClass(beanClass)
                || !(isProxyTargetClass() || beanClass.getInterfaces().length == 0)) {
            return;
        }
        for (Method method : Declarations.callable(beanClass)) {
            if (declarations.find(method, beanClass) != null) {
                throw new InvalidGuardException(
                        "@GuardedBy cannot guard " + Signature.qualified(method) + " of the bean '" + beanName + "': "
                                + Signature.name(beanClass) + " is final, and the proxy has to be a subclass of it",
                        "Make the class not final, or let it implement an interface with the method and set"
                                + " spring.aop.proxy-target-class to false, or remove the annotation and call the"
                                + " CircuitBreaker of the CircuitBreakerRegistry in code");
            }
        }
    }

    private boolean isProxyTargetClass() {
        String creator = AopConfigUtils.AUTO_PROXY_CREATOR_BEAN_NAME;
        return beans.containsBean(creator)
                && beans.getBean(creator, ProxyConfig.class).isProxyTargetClass();
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
                        + ", so that a call does not go through the proxy",
                action
                        + ", or remove the annotation and call the CircuitBreaker of the CircuitBreakerRegistry in code");
    }
}
