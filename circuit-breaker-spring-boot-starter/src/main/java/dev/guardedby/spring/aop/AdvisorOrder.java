package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Placing.Placed;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.config.SmartInstantiationAwareBeanPostProcessor;
import org.springframework.beans.factory.support.MergedBeanDefinitionPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.util.ClassUtils;

/**
 * Puts the neighbours of the guard in their places, once a guarded bean has all of its proxies.
 *
 * <p>The container lets post-processors that deal in merged definitions come last. We have none to deal in; but those that
 * add advisors, for {@code @Async} for example, have done so then.
 */
final class AdvisorOrder implements SmartInstantiationAwareBeanPostProcessor, MergedBeanDefinitionPostProcessor {
    private static final Log LOG = LogFactory.getLog(AdvisorOrder.class);

    private final Declarations declarations;
    private final @Nullable Integer plainOrder;
    private final VainRetries vainRetries = new VainRetries();
    private final Set<String> warned = ConcurrentHashMap.newKeySet();

    /**
     * Makes one.
     *
     * @param plainOrder the {@code guardedby.aspect-order}, which leaves all neighbours where they are; null if it is not set
     */
    AdvisorOrder(Declarations declarations, @Nullable Integer plainOrder) {
        this.declarations = declarations;
        this.plainOrder = plainOrder;
    }

    @Override
    public void postProcessMergedBeanDefinition(RootBeanDefinition definition, Class<?> beanType, String beanName) {
        // Nothing: see above.
    }

    @Override
    public Object getEarlyBeanReference(Object bean, String beanName) {
        arrange(bean, beanName);
        return bean;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        arrange(bean, beanName);
        return bean;
    }

    private void arrange(Object bean, String beanName) {
        List<Advised> proxies = proxies(bean);
        int innermost = -1;
        for (int i = 0; i < proxies.size(); i++) {
            innermost = isGuarding(proxies.get(i)) ? i : innermost;
        }
        if (innermost < 0) {
            return;
        }
        List<Placed> all = new ArrayList<>();
        for (int i = 0; i < proxies.size(); i++) {
            List<Placed> present = arrange(proxies.get(i));
            // A guard further out lets the calls through to the innermost, and so does its fallback.
            boolean idle = i < innermost;
            present.stream().filter(placed -> !idle || !placed.kind().isOurs()).forEach(all::add);
        }
        Advised guarding = proxies.get(innermost);
        Target target = Target.behind(guarding);
        if (all.stream().anyMatch(placed -> placed.kind() == Neighbour.RETRY)) {
            vainRetries.warn(all, guardedMethods(target, false), target.seen());
            askFirst(guarding, target);
        }
        List<Placed> wanted = Placing.inPlace(all);
        if (plainOrder == null && !wanted.equals(all) && warned.add(beanName)) {
            LOG.warn("The bean '" + beanName
                    + "' has advisors that cannot be put in place, because its proxy is frozen or"
                    + " has another one around it. They stand as " + Placing.inWords(all) + " and should as "
                    + Placing.inWords(wanted) + ". Move what stands wrong to a method of another bean.");
        }
    }

    /** The proxies of a bean, the outermost first. */
    private static List<Advised> proxies(Object bean) {
        List<Advised> proxies = new ArrayList<>();
        for (Object layer = bean; layer instanceof Advised proxy; layer = AopProxyUtils.getSingletonTarget(layer)) {
            proxies.add(proxy);
        }
        return proxies;
    }

    /** Asked of every proxy there is, so it asks no advisor that may have to make its advice first. */
    private static boolean isGuarding(Advised proxy) {
        return Arrays.stream(proxy.getAdvisors())
                .anyMatch(advisor -> advisor instanceof DefaultPointcutAdvisor plain
                        && plain.getAdvice() instanceof GuardInterceptor);
    }

    private List<Placed> arrange(Advised proxy) {
        List<Placed> present = placed(proxy);
        if (proxy.isFrozen()) {
            return present;
        }
        List<Placed> wanted = plainOrder == null ? Placing.inPlace(present) : Placing.fallbackBesideGuard(present);
        for (int i = 0; i < wanted.size(); i++) {
            Advisor advisor = wanted.get(i).advisor();
            int at = indexOf(advisor, proxy.getAdvisors(), i);
            if (at > i) {
                proxy.removeAdvisor(at);
                proxy.addAdvisor(i, advisor);
            }
        }
        return wanted;
    }

    // By identity: two advisors may be equal and stand in different places on purpose.
    private static int indexOf(Advisor advisor, Advisor[] advisors, int from) {
        for (int i = from; i < advisors.length; i++) {
            if (advisors[i] == advisor) {
                return i;
            }
        }
        return -1;
    }

    private static List<Placed> placed(Advised proxy) {
        return Arrays.stream(proxy.getAdvisors()).map(Placed::of).toList();
    }

    /** Has the fallback ask the breaker before the first of several attempts, where nothing else may answer. */
    private void askFirst(Advised proxy, Target target) {
        List<Placed> present = placed(proxy);
        List<Neighbour> kinds = present.stream().map(Placed::kind).toList();
        int fallback = kinds.indexOf(Neighbour.FALLBACK);
        int guard = kinds.indexOf(Neighbour.GUARD);
        if (proxy.isFrozen() || fallback < 0 || fallback > guard) {
            return;
        }
        List<Placed> between = present.subList(fallback + 1, guard);
        Set<Method> retried = new HashSet<>();
        for (Method method : guardedMethods(target, true)) {
            if (anyApplies(Neighbour.RETRY, between, method, target.seen())
                    && !anyApplies(Neighbour.CACHE, between, method, target.seen())) {
                retried.add(method);
            }
        }
        // Once a proxy: the product of a factory may be a bean that has been here before, and is in use.
        if (!retried.isEmpty()
                && present.get(fallback).advisor() instanceof PointcutAdvisor usual
                && usual.getAdvice() instanceof FallbackInterceptor answering
                && !answering.isAskingFirst()) {
            proxy.removeAdvisor(fallback);
            proxy.addAdvisor(fallback, new DefaultPointcutAdvisor(usual.getPointcut(), answering.askingFirst(retried)));
        }
    }

    private Set<Method> guardedMethods(Target target, boolean withFallback) {
        Set<Method> guarded = new HashSet<>();
        for (Method method : Declarations.callable(target.seen())) {
            for (Class<?> type : target.classesOf(method)) {
                Declaration declaration = declarations.find(method, type);
                if (declaration != null) {
                    if (!withFallback || !declaration.fallback().isEmpty()) {
                        guarded.add(Declarations.specific(method, ClassUtils.getUserClass(type)));
                    }
                    break;
                }
            }
        }
        return guarded;
    }

    private static boolean anyApplies(Neighbour kind, List<Placed> among, Method method, Class<?> targetClass) {
        return among.stream().anyMatch(placed -> placed.kind() == kind && placed.appliesTo(method, targetClass));
    }
}
