package dev.guardedby.spring.models;

import java.util.List;
import java.util.function.Supplier;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.util.function.SingletonSupplier;

/**
 * Makes what the clients on the class path ask of models steps of guarded calls, and reads what they are given to ask, unless
 * {@code guardedby.enabled} is false. {@link ModelRequestReader} beans of the application join those here and are asked first; one of the
 * same name takes the place of ours.
 */
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
        static GuardedChatClients guardedByChatClients(ObjectProvider<GuardedByChatAdvisor> advisor) {
            return new GuardedChatClients(advisor);
        }

        @Bean
        @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
        @ConditionalOnMissingBean(name = "guardedBySpringAiRequests")
        ModelRequestReader guardedBySpringAiRequests(
                ObjectProvider<ChatModel> models, @Value("${spring.ai.retry.max-attempts:10}") int attempts) {
            int most = SpringAiPrompt.attempts(attempts);
            Supplier<List<ChatModel>> beans = SingletonSupplier.of(() -> SpringAiClients.beans(models));
            return ModelRequestReader.of(Prompt.class, prompt -> {
                ModelRequest asked = SpringAiPrompt.read(prompt, most);
                // Nobody knows which of them will be asked.
                Integer ofClients = SpringAiClients.attempts(beans.get(), prompt.getOptions());
                return ofClients == null ? asked : asked.triedAtMost(ofClients);
            });
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "com.openai.models.responses.StructuredResponseCreateParams")
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    static final class OpenAi {

        @Bean
        @ConditionalOnMissingBean(name = "guardedByOpenAiRequests")
        ModelRequestReader guardedByOpenAiRequests() {
            return new OpenAiRequests();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "com.anthropic.models.messages.StructuredMessageCreateParams")
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    static final class Anthropic {

        @Bean
        @ConditionalOnMissingBean(name = "guardedByAnthropicRequests")
        ModelRequestReader guardedByAnthropicRequests() {
            return new AnthropicRequests();
        }
    }
}
