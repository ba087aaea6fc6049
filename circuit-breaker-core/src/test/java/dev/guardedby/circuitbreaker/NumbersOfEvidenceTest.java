package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the evidence of a transition says of failures and rates. */
final class NumbersOfEvidenceTest {
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

    @Test
    void slowCallRate_countsHungCallsOnBothSides() {
        assertThat(new Evidence("slow-call-rate-threshold 40.0", 8, 0, 2, 2, Map.of()).slowCallRate())
                .isEqualTo(40);
        assertThat(new Evidence("", 0, 0, 0, 0, Map.of()).slowCallRate()).isZero();
    }
}
