package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Leave to make one call: reported once, whatever comes after. */
final class PermitTest {
    private final Story story = new Story();
    private final CircuitBreaker breaker = story.breaker().build();

    static Stream<Arguments> reports() {
        return Stream.of(
                report("totalSuccesses=1", Permit::success),
                report("totalSuccesses=1", permit -> permit.success("answer")),
                report("totalFailures=1 consecutiveFailures=1", Story::fail),
                report("totalIgnored=1", Permit::ignore),
                report("totalIgnored=1", Permit::cancel),
                report("totalIgnored=1 unreported=1", Permit::close));
    }

    private static Arguments report(String counts, Consumer<Permit> report) {
        return Arguments.of(counts, report);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("reports")
    void secondReport_isANoOp(String counts, Consumer<Permit> first) {
        Permit permit = breaker.acquire();
        first.accept(permit);
        assertThat(counts(breaker)).isEqualTo(counts);

        permit.success();
        permit.success("answer");
        fail(permit);
        permit.ignore();
        permit.cancel();
        permit.close();
        first.accept(permit);

        assertThat(counts(breaker)).isEqualTo(counts);
    }

    @Test
    void secondReport_asksNoRule() {
        List<Object> asked = new ArrayList<>();
        CircuitBreaker asking = story.breaker()
                .failOnResult(result -> !asked.add("result"))
                .ignoreIf(thrown -> !asked.add("exception"))
                .build();
        Permit permit = asking.acquire();
        permit.success();

        permit.success("answer");
        fail(permit);

        assertThat(asked).isEmpty();
    }

    @Test
    void permitLeftWithoutAReport_isIgnoredAndCounted() {
        assertThatThrownBy(() -> {
                    try (Permit permit = breaker.acquire()) {
                        assertThat(permit.isProbe()).isFalse();
                        throw new IllegalStateException("before the call");
                    }
                })
                .hasMessage("before the call");

        assertThat(counts(breaker)).isEqualTo("totalIgnored=1 unreported=1");
    }

    @Test
    void report_mayComeFromAnotherThread() {
        Permit permit = breaker.acquire();

        CompletableFuture.runAsync(() -> fail(permit)).join();

        assertThat(counts(breaker)).isEqualTo("totalFailures=1 consecutiveFailures=1");
    }

    @Test
    void failure_isJudgedByTheRules() {
        CircuitBreaker judging = story.breaker()
                .recordExceptions(ArithmeticException.class)
                .ignoreExceptions(NullPointerException.class)
                .build();

        judging.acquire().failure(new ArithmeticException());
        judging.acquire().failure(new NullPointerException());
        assertThat(counts(judging)).isEqualTo("totalFailures=1 consecutiveFailures=1 totalIgnored=1");
        judging.acquire().failure(new IllegalStateException());
        assertThat(counts(judging)).isEqualTo("totalSuccesses=1 totalFailures=1 totalIgnored=1");
    }

    @Test
    void costs_addUpBeforeAndAfterTheReport() {
        Permit permit = breaker.acquire(Cost.usd("0.05"));
        permit.recordCost(100, 20, new BigDecimal("0.01"));
        permit.recordCost(Cost.usd("0.002"));
        permit.success();
        permit.recordCost(1, 2, new BigDecimal("0.0005"));

        assertThat(breaker.stats().toMap())
                .containsEntry("totalInputTokens", 101L)
                .containsEntry("totalOutputTokens", 22L)
                .containsEntry("totalEstimatedCost", new BigDecimal("0.0125"));
        assertThat(breaker.checkCostThreshold(new BigDecimal("0.0124"))).isTrue();
    }

    @Test
    void badCost_isRefused_andThePermitIsAsBefore() {
        Permit permit = breaker.acquire();

        assertThatIllegalArgumentException().isThrownBy(() -> permit.recordCost(0, 0, new BigDecimal("-0.01")));
        assertThatIllegalArgumentException().isThrownBy(() -> permit.recordCost(1_000_000_000_001L, 0, BigDecimal.ONE));
        assertThat(counts(breaker)).isEmpty();
        assertThat(breaker.stats().totalEstimatedCost()).isEqualTo("0");

        permit.success();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1");
    }

    @Test
    void permitOfAClosedBreaker_isNoProbe_andNobodyHoldsItBack() {
        List<Permit> permits = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            permits.add(breaker.acquire());
        }

        assertThat(permits).noneMatch(Permit::isProbe);
        assertThat(counts(breaker)).isEmpty();
    }

    @Test
    void asyncPermit_isThereAtOnce_orItsRefusal() {
        breaker.acquireAsync(Cost.usd("1")).toCompletableFuture().join().success();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1");

        breaker.holdOpen();
        assertThat(breaker.acquireAsync(Cost.ZERO).toCompletableFuture())
                .isCompletedExceptionally()
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withCauseInstanceOf(CallNotPermittedException.class);
    }

    @Test
    void refusalOfAcquireAsync_isTheVeryException() {
        breaker.holdOpen();
        List<Class<?>> seen = new ArrayList<>();

        CompletableFuture<Permit> refused = breaker.acquireAsync(Cost.ZERO)
                .toCompletableFuture()
                .whenComplete((permit, failure) -> seen.add(failure.getClass()));

        assertThat(refused).isCompletedExceptionally();
        assertThat(seen).containsExactly(CallNotPermittedException.class);
    }
}
