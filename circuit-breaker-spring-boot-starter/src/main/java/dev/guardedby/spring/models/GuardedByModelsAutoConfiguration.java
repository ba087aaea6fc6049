package dev.guardedby.spring.models;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;

/** Makes what the clients on the class path ask of models steps of guarded calls, unless {@code guardedby.enabled} is false. */
@AutoConfiguration
public final class GuardedByModelsAutoConfiguration {

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(
            name = {"org.springframework.ai.chat.client.advisor.api.CallAdvisor", "reactor.core.publisher.Flux"})
    @ImportRuntimeHints(ChatOptionsHints.class)
    static final class SpringAi {

        // There whether or not it is switched on, like what it asks: applications give it to clients of their own.
        @Bean
        @ConditionalOnMissingBean
        GuardedByChatAdvisor guardedByChatAdvisor(
                ModelCalls calls, @Value("${spring.ai.retry.max-attempts:10}") int attempts) {
            return new GuardedByChatAdvisor(calls, attempts);
        }

        @Bean
        @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
        static MeteredChatClients guardedByChatClients(ObjectProvider<GuardedByChatAdvisor> advisor) {
            return new MeteredChatClients(advisor);
        }
    }
}
