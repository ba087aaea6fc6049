package dev.guardedby.spring.aop;

import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.beans.factory.config.SmartInstantiationAwareBeanPostProcessor;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;

/**
 * Looks behind beans that are somebody else's proxies. Whoever decides which beans are proxied is told their classes alone,
 * and the class of a JDK proxy does not say what is behind it.
 */
final class ForeignProxies implements SmartInstantiationAwareBeanPostProcessor, PriorityOrdered {
    private final Declarations declarations;

    ForeignProxies(Declarations declarations) {
        this.declarations = declarations;
    }

    /** Before proxies are made, which is not done with this priority. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Object getEarlyBeanReference(Object bean, String beanName) {
        note(bean);
        return bean;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        note(bean);
        return bean;
    }

    private void note(Object bean) {
        // The proxy of a scope is never proxied again; what is behind it is a bean itself.
        if (!(bean instanceof AopInfrastructureBean)) {
            declarations.note(Target.of(bean));
        }
    }
}
