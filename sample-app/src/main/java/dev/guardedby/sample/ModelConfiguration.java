package dev.guardedby.sample;

import dev.guardedby.spring.CircuitBreakerCustomizer;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/** Chooses the model: a real provider where the environment names one, else the model on loopback. */
@Configuration(proxyBeanMethods = false)
class ModelConfiguration {
    @Bean
    @Lazy // with a real provider it is never started
    LoopbackModel loopbackModel(SampleProperties properties) {
        return new LoopbackModel(properties.model().thinkingTime());
    }

    @Bean
    ModelEndpoint modelEndpoint(SampleProperties properties, ObjectProvider<LoopbackModel> loopback) {
        if (properties.model().onLoopback()) {
            LoopbackModel model = loopback.getObject();
            return new ModelEndpoint(model.baseUrl(), model);
        }
        return new ModelEndpoint(properties.model().providerUrl(), null);
    }

    /** As it is a bean, each of its calls asks the budgets before, and is priced and booked after. */
    @Bean
    ChatClient chatClient(SampleProperties properties, ModelEndpoint endpoint) {
        SampleProperties.Model model = properties.model();
        OpenAiChatOptions options = OpenAiChatOptions.builder()
                .baseUrl(endpoint.baseUrl().toString())
                // Who sets a key alone did not ask for a provider: the key stays here. An empty one is not sent.
                .apiKey(model.onLoopback() ? "" : model.apiKey())
                .model(model.name())
                // With a limit for the answer it is known before what a call may cost.
                .maxCompletionTokens(model.maxTokens())
                .timeout(model.patienceInForce())
                // What fails shall be seen by the breaker, each time.
                .maxRetries(0)
                .build();
        return ChatClient.builder(OpenAiChatModel.builder().options(options).build())
                .defaultSystem("You are a helpful assistant. Answer in one short sentence.")
                .build();
    }

    /** The days of budgets pass by the clock of the story; with a real provider they are real. */
    @Bean
    CircuitBreakerCustomizer daysOfTheStory(SampleProperties properties, StoryClock clock) {
        return (name, breaker) -> {
            if (properties.model().onLoopback()) {
                breaker.clock(clock);
            }
        };
    }
}
