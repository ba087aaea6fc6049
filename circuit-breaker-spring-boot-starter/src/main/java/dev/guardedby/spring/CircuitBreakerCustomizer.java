package dev.guardedby.spring;

import dev.guardedby.circuitbreaker.CircuitBreaker;

/**
 * The last word on a breaker's settings, in code. A bean of this type is asked once for every breaker that the registry
 * creates, configured, annotated or asked for by name, after the settings of {@code application.yml} are in and before
 * the breaker is built; several are asked in their {@code @Order}.
 *
 * <pre>{@code
 * @Bean
 * CircuitBreakerCustomizer emptyAnswersAreFailures() {
 *     return (name, breaker) -> {
 *         if (name.equals("llm")) {
 *             breaker.failOnResult(answer -> answer == null);
 *         }
 *     };
 * }
 * }</pre>
 */
@FunctionalInterface
public interface CircuitBreakerCustomizer {

    /**
     * Changes what the breaker will be built with. What this throws fails the creation of that breaker.
     *
     * @param name the name of the breaker
     * @param breaker the builder, with all settings already applied
     */
    void customize(String name, CircuitBreaker.Builder breaker);
}
