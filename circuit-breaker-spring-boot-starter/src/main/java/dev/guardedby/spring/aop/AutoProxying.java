package dev.guardedby.spring.aop;

import org.springframework.aop.config.AopConfigUtils;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.context.EnvironmentAware;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Sees to it that advisors are applied at all, also with {@code spring.aop.auto=false}: there the application does without
 * AspectJ's annotations, and not without ours. {@code spring.aop.proxy-target-class} holds as it does for everything else.
 */
final class AutoProxying implements ImportBeanDefinitionRegistrar, EnvironmentAware {
    private boolean proxyTargetClass;

    @Override
    public void setEnvironment(Environment environment) {
        this.proxyTargetClass = environment.getProperty("spring.aop.proxy-target-class", Boolean.class, true);
    }

    @Override
    public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
        if (proxyTargetClass) {
            AopConfigUtils.forceAutoProxyCreatorToUseClassProxying(registry);
        }
    }
}
