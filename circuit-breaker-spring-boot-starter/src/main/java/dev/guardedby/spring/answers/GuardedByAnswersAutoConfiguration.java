package dev.guardedby.spring.answers;

import dev.guardedby.circuitbreaker.AnswerReader;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * A reader for each client on the class path whose answers we know. {@link AnswerReader} beans of the application join them and
 * are asked first; one of the same name takes the place of ours.
 */
@AutoConfiguration
@ConditionalOnBooleanProperty(name = "guardedby.enabled", matchIfMissing = true)
public final class GuardedByAnswersAutoConfiguration {

    @Bean
    @ConditionalOnClass(name = "org.springframework.web.client.RestClientResponseException")
    @ConditionalOnMissingBean(name = "guardedByRestClientAnswers")
    AnswerReader guardedByRestClientAnswers() {
        return new RestClientAnswers();
    }

    @Bean
    @ConditionalOnClass(name = "org.springframework.web.reactive.function.client.WebClientResponseException")
    @ConditionalOnMissingBean(name = "guardedByWebClientAnswers")
    AnswerReader guardedByWebClientAnswers() {
        return new WebClientAnswers();
    }

    @Bean
    @ConditionalOnClass(name = "java.net.http.HttpResponse")
    @ConditionalOnMissingBean(name = "guardedByHttpClientAnswers")
    AnswerReader guardedByHttpClientAnswers() {
        return new HttpClientAnswers();
    }

    @Bean
    @ConditionalOnClass(name = "com.openai.errors.OpenAIServiceException")
    @ConditionalOnMissingBean(name = "guardedByOpenAiAnswers")
    AnswerReader guardedByOpenAiAnswers() {
        return new OpenAiAnswers();
    }

    @Bean
    @ConditionalOnClass(name = "com.anthropic.errors.AnthropicServiceException")
    @ConditionalOnMissingBean(name = "guardedByAnthropicAnswers")
    AnswerReader guardedByAnthropicAnswers() {
        return new AnthropicAnswers();
    }
}
