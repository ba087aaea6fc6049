package dev.guardedby.sample;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.web.client.RestClient;

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

    @Bean
    ModelClient modelClient(SampleProperties properties, ModelEndpoint endpoint, RestClient.Builder http) {
        SampleProperties.Model model = properties.model();
        // Who sets a key alone did not ask for a provider: the key stays here.
        String apiKey = model.onLoopback() ? "" : model.apiKey();
        return new ModelClient(http, endpoint.baseUrl(), apiKey, model.name(), model.patienceInForce());
    }
}
