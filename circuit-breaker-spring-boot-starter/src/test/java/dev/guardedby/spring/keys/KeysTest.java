package dev.guardedby.spring.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.keys.Keys.Counts;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.support.StaticListableBeanFactory;

/** Which breakers have keys, and for how long that is known. */
@Timeout(60)
class KeysTest {
    private final StaticListableBeanFactory none = new StaticListableBeanFactory();
    private final Keys keys = new Keys(
            none.getBeanProvider(ConfiguredBreakers.class),
            none.getBeanProvider(LongSupplier.class),
            KeysTest.class.getClassLoader());
    private final CircuitBreakerRegistry registry = CircuitBreakerRegistry.of(CircuitBreaker::builder);

    @Test
    void breakerThatLeftTheRegistry_goesWithItsKeys() {
        WeakReference<CircuitBreaker> left = new WeakReference<>(registry.get("llm"));
        WeakReference<CircuitBreaker> key = new WeakReference<>(failingKey());
        registry.remove("llm");

        for (int i = 0; i < 100 && (left.get() != null || key.get() != null); i++) {
            System.gc();
        }
        assertThat(List.of(left, key)).extracting(WeakReference::get).containsOnlyNulls();
    }

    private CircuitBreaker failingKey() {
        keys.of(registry.get("llm"));
        CircuitBreaker acme = registry.get("llm").forKey("acme");
        acme.recordFailure();
        return acme;
    }

    @Test
    void breakerThatComesBack_countsOn() {
        CircuitBreaker llm = registry.get("llm");
        Counts counts = keys.of(llm);
        CircuitBreaker acme = llm.forKey("acme");
        counts.invalid().increment();
        registry.remove("llm");
        registry.add(llm);

        assertThat(keys.of(llm)).isSameAs(counts);
        assertThat(llm.forKey("acme")).isSameAs(acme);
        assertThat(counts.invalid().sum()).isEqualTo(1);
    }

    @Test
    void whoListens_isToldOnceOfEachThatHasKeys() {
        List<String> told = new ArrayList<>();
        keys.of(registry.get("early"));
        keys.onKeyed((breaker, counts) -> told.add(breaker.name()));
        keys.of(registry.get("late"));
        keys.of(registry.get("late"));

        assertThat(told).containsExactly("early", "late");
    }
}
