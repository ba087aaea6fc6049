package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** In which order a transition names the failures that led to it. */
final class OrderOfEvidenceTest {
    @Test
    void mostFrequentFailure_isNamedFirst_andEquallyFrequentOnesByName() {
        CircuitBreaker breaker =
                CircuitBreaker.builder("llm").failureThreshold(8).build();
        List<Exception> failures = List.of(
                new IOException(),
                new IllegalStateException(),
                new ArithmeticException(),
                new IllegalStateException(),
                new UnsupportedOperationException(),
                new ArithmeticException(),
                new IllegalStateException(),
                new IOException());
        failures.forEach(failure -> breaker.acquire().failure(failure));

        assertThat(breaker.lastTransition()
                        .orElseThrow()
                        .evidence()
                        .topFailures()
                        .keySet())
                .containsExactly(
                        "java.lang.IllegalStateException",
                        "java.io.IOException",
                        "java.lang.ArithmeticException",
                        "java.lang.UnsupportedOperationException");
    }
}
