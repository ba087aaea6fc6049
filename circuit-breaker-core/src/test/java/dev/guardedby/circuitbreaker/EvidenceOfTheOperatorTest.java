package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** No rule decides where an operator does, so a transition that one asked for shows no failures counted by a rule. */
class EvidenceOfTheOperatorTest {
    static Arguments[] actions() {
        return new Arguments[] {
            action("reset", CircuitBreaker::reset),
            action("forceClose", CircuitBreaker::forceClose),
            action("forceOpen", CircuitBreaker::forceOpen),
            action("holdOpen", CircuitBreaker::holdOpen),
            action("mode", breaker -> breaker.mode(Mode.DISABLED))
        };
    }

    private static Arguments action(String name, Consumer<CircuitBreaker> action) {
        return Arguments.of(name, action);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("actions")
    void afterAFailedProbe_theEvidenceCountsNoFailures(String name, Consumer<CircuitBreaker> action) {
        Story story = new Story();
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(2).successesToClose(1));
        breaker.recordFailure();
        story.time.advance(Duration.ofSeconds(1));

        action.accept(breaker);

        assertThat(breaker.lastTransition()).hasValueSatisfying(last -> {
            assertThat(last.from()).isEqualTo(CircuitState.HALF_OPEN);
            assertThat(last.evidence()).isEqualTo(new Transition.Evidence("", 0, 0, 0, 0, Map.of()));
        });
    }
}
