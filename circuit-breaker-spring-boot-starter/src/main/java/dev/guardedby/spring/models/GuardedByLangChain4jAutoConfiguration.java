package dev.guardedby.spring.models;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Role;

/** Makes calls of LangChain4j's models steps of the guarded calls that they are made in, unless {@code guardedby.enabled} is false. */
@AutoConfiguration
@ConditionalOnClass(name = "dev.langchain4j.model.chat.response.PartialResponseContext")
@ImportRuntimeHints(GuardedByLangChain4jAutoConfiguration.Hints.class)
public final class GuardedByLangChain4jAutoConfiguration {

    @Bean
    @ConditionalOnMissingBean
    GuardedModels guardedByModels(ObjectProvider<ModelCalls> calls) {
        return new GuardedModels(new LangChain4jInterceptor(calls));
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static final class Guarding {

        @Bean
        @ConditionalOnMissingBean(name = "guardedByLangChain4jRequests")
        static ModelRequestReader guardedByLangChain4jRequests() {
            return ModelRequestReader.of(ChatRequest.class, LangChain4jRequests::known);
        }

        @Bean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static GuardedModelBeans guardedByModelBeans(ObjectProvider<ModelCalls> calls) {
            return new GuardedModelBeans(new LangChain4jInterceptor(calls));
        }
    }

    /** Tells a native image of the proxies that {@link GuardedModels} makes, and of what is read of models by its name. */
    static final class Hints implements RuntimeHintsRegistrar {

        @Override
        public void registerHints(RuntimeHints hints, @Nullable ClassLoader classLoader) {
            hints.proxies().registerJdkProxy(AopProxyUtils.completeJdkProxyInterfaces(ChatModel.class));
            hints.proxies().registerJdkProxy(AopProxyUtils.completeJdkProxyInterfaces(StreamingChatModel.class));
            for (String model : new String[] {
                "dev.langchain4j.model.anthropic.AnthropicChatModel",
                "dev.langchain4j.model.anthropic.AnthropicStreamingChatModel",
                "dev.langchain4j.model.googleai.GoogleAiGeminiChatModel",
                "dev.langchain4j.model.googleai.GoogleAiGeminiStreamingChatModel",
                "dev.langchain4j.model.mistralai.MistralAiChatModel",
                "dev.langchain4j.model.ollama.OllamaChatModel",
                "dev.langchain4j.model.openai.OpenAiChatModel"
            }) {
                hints.reflection().registerTypeIfPresent(classLoader, model, type -> {
                    LangChain4jRequests.RETRIES.forEach(type::withField);
                    LangChain4jRequests.BRING_MORE.forEach(type::withField);
                });
            }
        }
    }
}
