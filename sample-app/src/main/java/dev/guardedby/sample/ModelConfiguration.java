package dev.guardedby.sample;

import java.time.Duration;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.web.client.RestClient;

/** Chooses the model: a real provider where the environment names one, else the model on loopback. */
@Configuration(proxyBeanMethods = false)
class ModelConfiguration {
    /** Real models think for a while; the one on loopback counts as hung after a second, so that nobody waits long. */
    private static final Duration PATIENCE_WITH_A_PROVIDER = Duration.ofSeconds(60);

    private static final Duration PATIENCE_ON_LOOPBACK = Duration.ofSeconds(1);

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

    @Bean
    ModelClient modelClient(SampleProperties properties, ModelEndpoint endpoint, RestClient.Builder http) {
        boolean onLoopback = endpoint.loopback().isPresent();
        return new ModelClient(
                http,
                endpoint.baseUrl(),
                onLoopback ? "" : properties.model().apiKey(), // the key leaves the machine only for the provider
                properties.model().name(),
                onLoopback ? PATIENCE_ON_LOOPBACK : PATIENCE_WITH_A_PROVIDER);
    }
}
