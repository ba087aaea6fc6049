package dev.guardedby.sample;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What can be set under {@code sample}.
 *
 * @param story whether the story is told at start
 * @param model the model that is asked
 */
@ConfigurationProperties("sample")
record SampleProperties(
        @DefaultValue("true") boolean story, @DefaultValue Model model) {
    /**
     * The model that is asked.
     *
     * @param baseUrl where a real provider is; empty: the model on loopback is asked
     * @param apiKey sent to a real provider as bearer token; empty: none is sent
     * @param name the model named in each request
     * @param maxTokens how long an answer may be, in tokens
     * @param patience how long an answer is waited for; unless it is set, 60 s of a provider and 2 s on loopback, so that
     *     a slow model is soon noticed
     * @param thinkingTime how long the healthy model on loopback takes for an answer
     */
    record Model(
            @DefaultValue("") String baseUrl,
            @DefaultValue("") String apiKey,
            @DefaultValue("gpt-4.1-mini") String name,
            @DefaultValue("60") int maxTokens,
            @Nullable Duration patience,
            @DefaultValue("100ms") Duration thinkingTime) {

        boolean onLoopback() {
            return baseUrl.isBlank();
        }

        Duration patienceInForce() {
            return patience != null ? patience : onLoopback() ? Duration.ofSeconds(2) : Duration.ofSeconds(60);
        }

        /** The provider's base URL; one without a path gets {@code /v1}, as every OpenAI-compatible server has it there. */
        URI providerUrl() {
            URI url = URI.create(baseUrl.strip().replaceAll("/+$", ""));
            if (url.getHost() == null) {
                throw new IllegalArgumentException(
                        "OPENAI_BASE_URL must be a URL such as https://api.openai.com/v1, but was " + baseUrl);
            }
            return url.getPath().isEmpty() ? URI.create(url + "/v1") : url;
        }

        @Override
        public String toString() {
            return "Model[baseUrl=" + baseUrl + ", name=" + name + "]"; // the key is nobody's business
        }
    }
}
