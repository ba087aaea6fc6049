package dev.guardedby.spring.models;

import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.DefaultChatClient;
import org.springframework.ai.chat.client.DefaultChatClient.DefaultChatClientRequestSpec;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;

/** Gives the advisor to the chat clients that are beans, and to those that are built by builders that are. */
final class GuardedChatClients implements BeanPostProcessor {
    private final ObjectProvider<GuardedByChatAdvisor> advisor;

    GuardedChatClients(ObjectProvider<GuardedByChatAdvisor> advisor) {
        this.advisor = advisor;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        // What a proxy stands for is a bean itself, and may not be there yet.
        if (bean instanceof ChatClient.Builder builder && !AopUtils.isAopProxy(bean)) {
            return builder.defaultAdvisors(advisor.getObject());
        }
        return bean.getClass() == DefaultChatClient.class ? metered((ChatClient) bean) : bean;
    }

    private ChatClient metered(ChatClient client) {
        GuardedByChatAdvisor ours = advisor.getObject();
        // A copy of all that the client was built with.
        return client.prompt() instanceof DefaultChatClientRequestSpec defaults
                        && !defaults.getAdvisors().contains(ours)
                        && defaults.advisors(ours) instanceof DefaultChatClientRequestSpec more
                ? new DefaultChatClient(more)
                : client;
    }
}
