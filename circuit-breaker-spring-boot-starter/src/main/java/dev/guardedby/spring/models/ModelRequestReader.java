package dev.guardedby.spring.models;

import java.util.Set;
import java.util.function.Function;

/**
 * Reads from an argument of a guarded method what its call will ask a model for, so that budgets hold what that may cost before anything
 * is sent. Beans of this type join those for the clients that we know, in Spring's order, and come before them:
 *
 * <pre>{@code
 * @Bean
 * ModelRequestReader acmeRequests() {
 *     return ModelRequestReader.of(
 *             AcmeRequest.class,
 *             request -> ModelRequest.of(request.model())
 *                     .withTokens(TokenCount.of(request.text()), request.maxTokens()));
 * }
 * }</pre>
 *
 * <p>Read are the requests of the SDKs of OpenAI (chat completions, responses, embeddings) and Anthropic (messages), Spring AI's {@code
 * Prompt} and LangChain4j's {@code ChatRequest}, all on the assumption that a call makes its request once. How often a client tries by
 * itself is not in a request: of LangChain4j's models and both SDKs it is taken to be 3 times, as they do unless they are told otherwise,
 * and of Spring AI's what the options say, or else {@code spring.ai.retry.max-attempts} (default 10). For other clients a bean says so:
 *
 * <pre>{@code
 * @Bean
 * ModelRequestReader triedOnce(@Qualifier("guardedByOpenAiRequests") ModelRequestReader openAi) {
 *     return ModelRequestReader.of(ChatCompletionCreateParams.class, params -> openAi.read(params).triedAtMost(1));
 * }
 * }</pre>
 *
 * <p>Only calls of breakers with budgets are read, and not those of methods that say their {@code cost} themselves. Asked by whatever
 * thread makes the call, by many at once; it should not block. What it throws is counted in {@code guardedby.cost.lost} and logged once;
 * the call is made all the same, and holds what such calls cost as a rule.
 */
public interface ModelRequestReader {
    /**
     * The types of arguments that it reads, and their subtypes. They decide at start-up which parameter of a method is read: the first
     * that is declared to be of one of them, or of a subtype.
     */
    Set<Class<?>> types();

    /**
     * What is asked for.
     *
     * @param argument of one of the {@link #types()}, never null
     * @return never null
     */
    ModelRequest read(Object argument);

    /** One for a single type. */
    static <T> ModelRequestReader of(Class<T> type, Function<? super T, ModelRequest> request) {
        return new ModelRequestReader() {
            @Override
            public Set<Class<?>> types() {
                return Set.of(type);
            }

            @Override
            public ModelRequest read(Object argument) {
                return request.apply(type.cast(argument));
            }
        };
    }
}
