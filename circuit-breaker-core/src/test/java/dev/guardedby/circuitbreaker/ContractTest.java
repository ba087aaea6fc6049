package dev.guardedby.circuitbreaker;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.guardedby.circuitbreaker.Trial.Start;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * Every shape of a call, times every way it can end, times every state that it can meet, times every policy: no slot is
 * missing afterwards and none invented, the books balance, the caller has what the call gave, and the breaker still closes
 * by successes and opens by failures.
 */
final class ContractTest {
    private static final Logger LOG = Logger.getLogger(CircuitBreaker.class.getName());
    private static final Duration SLOW = Duration.ofSeconds(2);

    /** Broken rules are logged, and there are thousands here. */
    @BeforeAll
    static void silence() {
        LOG.setLevel(Level.OFF);
    }

    @AfterAll
    static void speakAgain() {
        LOG.setLevel(null);
    }

    @TestFactory
    Stream<DynamicNode> closed() {
        return tests(Start.CLOSED);
    }

    @TestFactory
    Stream<DynamicNode> rampingUp() {
        return tests(Start.RAMPING_UP);
    }

    @TestFactory
    Stream<DynamicNode> halfOpen() {
        return tests(Start.HALF_OPEN);
    }

    @TestFactory
    Stream<DynamicNode> open() {
        return tests(Start.OPEN);
    }

    @TestFactory
    Stream<DynamicNode> heldOpen() {
        return tests(Start.HELD_OPEN);
    }

    @TestFactory
    Stream<DynamicNode> openAndObserved() {
        return tests(Start.OPEN_AND_OBSERVED);
    }

    @TestFactory
    Stream<DynamicNode> disabled() {
        return tests(Start.DISABLED);
    }

    private static Stream<DynamicNode> tests(Start start) {
        return policies().entrySet().stream()
                .map(policy -> dynamicContainer(
                        policy.getKey(),
                        Scenario.all().entrySet().stream()
                                .map(shape -> dynamicTest(
                                        shape.getKey(),
                                        () -> shape.getValue()
                                                .forEach(scenario -> check(start, policy.getValue(), scenario))))));
    }

    private static void check(Start start, UnaryOperator<CircuitBreaker.Builder> policy, Scenario scenario) {
        try {
            new Trial(start, policy, scenario).check();
        } catch (AssertionError broken) {
            throw new AssertionError(scenario.shape() + ", " + scenario.ending() + ": " + broken.getMessage(), broken);
        }
    }

    private static Map<String, UnaryOperator<CircuitBreaker.Builder>> policies() {
        Map<String, UnaryOperator<CircuitBreaker.Builder>> policies = new LinkedHashMap<>();
        policies.put("consecutive failures", UnaryOperator.identity());
        policies.put(
                "failure rate of the last calls",
                b -> b.failureRateThreshold(50).window(10).minimumCalls(5));
        policies.put(
                "failure rate of the last minute",
                b -> b.failureRateThreshold(50).window(Duration.ofMinutes(1)).minimumCalls(5));
        policies.put(
                "slow calls",
                b -> b.slowCallDuration(SLOW).slowCallRateThreshold(50).minimumCalls(5));
        return policies;
    }
}
