package dev.guardedby.spring.models;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.aop.framework.AbstractAdvisingBeanPostProcessor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopConfigException;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.support.NameMatchMethodPointcutAdvisor;

/**
 * Guards the beans that are models of LangChain4j, as what they are: a bean is still injected by its class, whatever
 * {@code spring.aop.proxy-target-class} says of others. What is a proxy already gets one advice more.
 */
@SuppressWarnings("serial") // Spring's base class is serializable, which nobody makes use of.
final class GuardedModelBeans extends AbstractAdvisingBeanPostProcessor {
    private static final Log LOG = LogFactory.getLog(GuardedModelBeans.class);

    GuardedModelBeans(LangChain4jInterceptor interceptor) {
        NameMatchMethodPointcutAdvisor calls = new NameMatchMethodPointcutAdvisor(interceptor);
        calls.setMappedNames("chat", "doChat");
        this.advisor = calls;
        setProxyTargetClass(true);
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        try {
            return super.postProcessAfterInitialization(bean, beanName);
        } catch (AopConfigException noProxy) {
            warn(bean, beanName, "cannot have a subclass made now: " + noProxy.getMessage());
            return bean;
        }
    }

    @Override
    protected boolean isEligible(Object bean, String beanName) {
        boolean eligible = super.isEligible(bean, beanName);
        if (!eligible && isModel(bean.getClass()) && !(bean instanceof Advised)) {
            warn(bean, beanName, "is final, or has public methods that are");
        }
        return eligible;
    }

    private static void warn(Object bean, String beanName, String why) {
        LOG.warn("Calls of the model '" + beanName
                + "' are not asked for one by one inside guarded methods, because its class "
                + bean.getClass().getName() + ' ' + why
                + ". Guard it by GuardedModels.guarded(..) where the bean is made.");
    }

    @Override
    protected boolean isEligible(Class<?> type) {
        return isModel(type) && (Proxy.isProxyClass(type) || isOpen(type));
    }

    private static boolean isModel(Class<?> type) {
        return ChatModel.class.isAssignableFrom(type) || StreamingChatModel.class.isAssignableFrom(type);
    }

    private static boolean isOpen(Class<?> type) {
        return !Modifier.isFinal(type.getModifiers())
                && Arrays.stream(type.getMethods())
                        .filter(method -> method.getDeclaringClass() != Object.class)
                        .map(Method::getModifiers)
                        .noneMatch(modifiers -> Modifier.isFinal(modifiers) && !Modifier.isStatic(modifiers));
    }

    @Override
    protected ProxyFactory prepareProxyFactory(Object bean, String beanName) {
        ProxyFactory factory = super.prepareProxyFactory(bean, beanName);
        // Somebody else's proxy has no class to be injected by.
        factory.setProxyTargetClass(!Proxy.isProxyClass(bean.getClass()));
        return factory;
    }
}
