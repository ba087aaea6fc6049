package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Mode;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** What an operator reads who has nothing but the log. */
@ExtendWith(OutputCaptureExtension.class)
class BreakerLogTest {
    private final AtomicLong now = new AtomicLong(-5);
    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(GuardedByAutoConfiguration.class))
            .withBean("guardedByTicker", LongSupplier.class, () -> now::get)
            .withPropertyValues(
                    "guardedby.breakers.llm.failure-threshold=2",
                    "guardedby.breakers.llm.trip-exceptions=java.io.EOFException");

    @Test
    void outage_isALineForEachChange(CapturedOutput output) {
        context.run(started -> {
            CircuitBreaker llm = started.getBean(CircuitBreakerRegistry.class).get("llm");
            llm.acquire().failure(new IOException("a secret"));
            llm.acquire().failure(new IOException("a secret"));
            wait(llm);
            llm.acquire().failure(new IllegalStateException("a secret"));
            wait(llm);
            llm.acquire().success();
            llm.acquire().failure(new EOFException("a secret"));
        });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' is open after 2 consecutive failures;"
                                + " most often java.io.IOException (2)",
                        "INFO Circuit breaker 'llm' is half-open: the wait is over, the next calls are probes",
                        "WARN Circuit breaker 'llm' is open again after a failed probe;"
                                + " most often java.lang.IllegalStateException (1)",
                        "INFO Circuit breaker 'llm' is half-open: the wait is over, the next calls are probes",
                        "INFO Circuit breaker 'llm' is closed: the remote has recovered",
                        "WARN Circuit breaker 'llm' is open at once after a failure that is proof by itself;"
                                + " most often java.io.EOFException (1)");
        assertThat(output).doesNotContain("a secret");
    }

    @Test
    void budget_isALineForEachLevel_onceAWindow(CapturedOutput output) {
        context.withPropertyValues(
                        "guardedby.breakers.llm.budgets.burst.usd=10",
                        "guardedby.breakers.llm.budgets.burst.window=lifetime",
                        "guardedby.breakers.llm.budgets.burst.warn-at=50,80")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    for (int i = 0; i < 12; i++) {
                        llm.tryAcquire().ifPresent(permit -> {
                            permit.recordCost(Cost.usd("1.00"));
                            permit.success();
                        });
                    }
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' has spent 50 percent of its budget 'burst': 5 of 10 USD",
                        "WARN Circuit breaker 'llm' has spent 80 percent of its budget 'burst': 8 of 10 USD");
    }

    @Test
    void rates_areToldInCalls(CapturedOutput output) {
        context.withPropertyValues(
                        "guardedby.breakers.llm.failure-threshold=9",
                        "guardedby.breakers.llm.failure-rate-threshold=50",
                        "guardedby.breakers.llm.slow-call-duration=20s",
                        "guardedby.breakers.llm.slow-call-rate-threshold=60",
                        "guardedby.breakers.llm.minimum-calls=4")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    llm.acquire().success();
                    llm.acquire().failure(new IOException());
                    llm.acquire().success();
                    llm.acquire().failure(new IOException());
                    llm.reset();
                    slowCall(llm);
                    llm.acquire().success();
                    llm.acquire();
                    llm.acquire();
                    now.addAndGet(Duration.ofSeconds(22).toNanos());
                    assertThat(llm.tryAcquire()).isEmpty();
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' is open after 2 of 4 calls failed; most often java.io.IOException (2)",
                        "INFO Circuit breaker 'llm' is closed: reset by an operator",
                        "WARN Circuit breaker 'llm' is open after 3 of 4 calls were slow, 2 of them still hanging");
    }

    private void slowCall(CircuitBreaker breaker) {
        breaker.run(() -> now.addAndGet(Duration.ofSeconds(20).toNanos()));
    }

    @Test
    void operatorsMoves_areNamedAsSuch(CapturedOutput output) {
        context.run(started -> {
            CircuitBreaker llm = started.getBean(CircuitBreakerRegistry.class).get("llm");
            llm.acquire().failure(new IOException());
            llm.forceOpen();
            llm.forceClose();
            llm.holdOpen();
            llm.reset();
            llm.mode(Mode.OBSERVE);
            llm.forceOpen();
            llm.mode(Mode.DISABLED);
        });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' is forced open by an operator",
                        "INFO Circuit breaker 'llm' is closed: forced by an operator",
                        "WARN Circuit breaker 'llm' is held open by an operator",
                        "INFO Circuit breaker 'llm' is closed: reset by an operator",
                        "WARN Circuit breaker 'llm' is forced open by an operator (observed only, every call passes)",
                        "INFO Circuit breaker 'llm' is closed: its mode was switched");
    }

    @Test
    void switchedOff_isSaidOnce_andNothingElse(CapturedOutput output) {
        context.withPropertyValues("guardedby.enabled=false").run(started -> {
            CircuitBreaker llm = started.getBean(CircuitBreakerRegistry.class).get("llm");
            llm.mode(Mode.ENFORCE);
            llm.forceOpen();
        });

        assertThat(lines(output))
                .containsExactly("INFO guardedby.enabled is false: nothing is guarded, every call passes");
    }

    private void wait(CircuitBreaker breaker) {
        now.addAndGet(Duration.ofMinutes(5).toNanos());
        breaker.state();
    }

    private static List<String> lines(CapturedOutput output) {
        return output.toString()
                .lines()
                .filter(line -> line.matches(".* dev\\.guardedby +(--|:) .*"))
                .map(line -> line.replaceFirst("^.*(INFO|WARN) .*dev\\.guardedby +(--|:) ", "$1 "))
                .toList();
    }
}
