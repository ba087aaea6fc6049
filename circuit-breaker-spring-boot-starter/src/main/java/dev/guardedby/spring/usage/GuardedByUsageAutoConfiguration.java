package dev.guardedby.spring.usage;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * A reader for each client on the class path whose results tell what they used. {@link UsageExtractor} beans of the application
 * join them and are asked first; one of the same name takes the place of ours.
 */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByUsageAutoConfiguration {

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "com.openai.models.completions.CompletionUsage")
    static final class OpenAi {

        @Bean
        @ConditionalOnMissingBean(name = "guardedByOpenAiUsage")
        UsageExtractor guardedByOpenAiUsage() {
            return new OpenAiUsage();
        }

        @Bean
        NativeUsage guardedByOpenAiNativeUsage() {
            return new OpenAiNativeUsage();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "com.anthropic.models.messages.MessageDeltaUsage")
    static final class Anthropic {

        @Bean
        @ConditionalOnMissingBean(name = "guardedByAnthropicUsage")
        UsageExtractor guardedByAnthropicUsage() {
            return new AnthropicUsage();
        }

        @Bean
        NativeUsage guardedByAnthropicNativeUsage() {
            return new AnthropicNativeUsage();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "org.springframework.ai.chat.model.ChatResponse")
    static final class SpringAi {

        @Bean
        NativeUsage guardedBySpringAi1OpenAiUsage() {
            return SpringAi1Usage.ofOpenAi();
        }

        @Bean
        NativeUsage guardedBySpringAi1AnthropicUsage() {
            return SpringAi1Usage.ofAnthropic();
        }

        @Bean
        @ConditionalOnMissingBean(name = "guardedBySpringAiUsage")
        UsageExtractor guardedBySpringAiUsage(ObjectProvider<NativeUsage> clients) {
            return new SpringAiUsage(clients.orderedStream().toList());
        }

        @Bean
        @ConditionalOnClass(name = "org.springframework.ai.chat.client.ResponseEntity")
        @ConditionalOnMissingBean(name = "guardedBySpringAiClientUsage")
        UsageExtractor guardedBySpringAiClientUsage(ObjectProvider<NativeUsage> clients) {
            return new SpringAiClientUsage(
                    new SpringAiUsage(clients.orderedStream().toList()));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(name = "dev.langchain4j.model.chat.response.ChatResponse")
    static final class LangChain4j {

        @Bean
        @ConditionalOnClass(name = "dev.langchain4j.model.openai.OpenAiTokenUsage")
        NativeUsage guardedByLangChain4jOpenAiUsage() {
            return new LangChain4jOpenAiUsage();
        }

        @Bean
        @ConditionalOnClass(name = "dev.langchain4j.model.anthropic.AnthropicTokenUsage")
        NativeUsage guardedByLangChain4jAnthropicUsage() {
            return new LangChain4jAnthropicUsage();
        }

        @Bean
        @ConditionalOnMissingBean(name = "guardedByLangChain4jUsage")
        UsageExtractor guardedByLangChain4jUsage(ObjectProvider<NativeUsage> providers) {
            return new LangChain4jUsage(providers.orderedStream().toList());
        }

        @Bean
        @ConditionalOnClass(name = "dev.langchain4j.service.Result")
        @ConditionalOnMissingBean(name = "guardedByLangChain4jServiceUsage")
        UsageExtractor guardedByLangChain4jServiceUsage(ObjectProvider<NativeUsage> providers) {
            return new LangChain4jServiceUsage(
                    new LangChain4jUsage(providers.orderedStream().toList()));
        }

        @Bean
        @ConditionalOnClass(name = "dev.langchain4j.model.embedding.response.EmbeddingResponse")
        @ConditionalOnMissingBean(name = "guardedByLangChain4jEmbeddingUsage")
        UsageExtractor guardedByLangChain4jEmbeddingUsage(ObjectProvider<NativeUsage> providers) {
            return new LangChain4jEmbeddingUsage(
                    new LangChain4jUsage(providers.orderedStream().toList()));
        }
    }
}
