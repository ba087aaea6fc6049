package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What listeners of a registry hear when others do something in between. */
class RegistryRaceTest {
    private final CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(CircuitBreaker::builder);
    private final List<String> heard = new ArrayList<>();

    @Test
    void breakerTakenOutByAnEarlierListener_isNotAddedForALaterOne() {
        registry.onAdded(breaker -> registry.remove(breaker.name()));
        registry.onAdded(breaker -> heard.add("added " + breaker.name()));
        registry.onRemoved(breaker -> heard.add("removed " + breaker.name()));

        registry.get("llm");

        assertThat(heard).containsExactly("removed llm");
        assertThat(registry.all()).isEmpty();
    }

    @Test
    void listenerThatThrows_keepsNobodyFromTheBreaker_andNoOtherFromHearing() {
        registry.onAdded(breaker -> {
            throw new IllegalStateException("no");
        });
        registry.onAdded(breaker -> heard.add("added " + breaker.name()));

        assertThat(registry.get("llm").name()).isEqualTo("llm");
        assertThat(heard).containsExactly("added llm");
    }
}
