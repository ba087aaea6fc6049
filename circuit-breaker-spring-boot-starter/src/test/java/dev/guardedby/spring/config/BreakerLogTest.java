package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.StoreThatGoesAway;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.keys.Keys;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** What an operator reads who has nothing but the log. */
@ExtendWith(OutputCaptureExtension.class)
class BreakerLogTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

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
    void budget_isALineWhereCheaperModelsTakeOver(CapturedOutput output) {
        context.withPropertyValues(
                        "guardedby.breakers.llm.estimate-per-call.usd=0.01",
                        "guardedby.breakers.llm.budgets.burst.usd=10",
                        "guardedby.breakers.llm.budgets.burst.window=lifetime",
                        "guardedby.breakers.llm.budgets.burst.warn-at=50,90",
                        "guardedby.breakers.llm.budgets.burst.degrade-at=80",
                        "guardedby.breakers.llm.budgets.burst.degrade-to=gpt-4.1-nano",
                        "guardedby.breakers.llm.budgets.run.usd=10",
                        "guardedby.breakers.llm.budgets.run.window=call",
                        "guardedby.breakers.llm.budgets.run.degrade-at=60")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    for (String cost : List.of("4", "2", "2")) {
                        Permit permit = llm.acquire();
                        permit.recordCost(Cost.usd(cost));
                        permit.success();
                    }
                    Permit permit = llm.acquire();
                    permit.recordCost(Cost.usd("6"));
                    permit.success();
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' has spent 50 percent of its budget 'burst': 6 of 10 USD",
                        "WARN Circuit breaker 'llm' has spent 80 percent of its budget 'burst': 8 of 10 USD; from now on calls are"
                                + " advised to ask the model 'gpt-4.1-nano'",
                        "WARN Circuit breaker 'llm' has spent 60 percent of its budget 'run': 6 of 10 USD; from now on calls are"
                                + " advised to spend less",
                        "WARN Circuit breaker 'llm' has spent 90 percent of its budget 'burst': 14 of 10 USD");
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
                        "WARN Circuit breaker 'llm' has spent 80 percent of its budget 'burst': 8 of 10 USD",
                        "WARN Circuit breaker 'llm' is out of budget 'burst', 10 of 10 USD in all are spent; it never"
                                + " resets, so raise the limit or correct what was spent");
    }

    @Test
    void callsWhoseCostNobodyTells_areALine_whereBudgetsAreChargedNothing(CapturedOutput output) {
        context.withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.usd=10",
                        "guardedby.breakers.llm.budgets.daily.window=lifetime",
                        "guardedby.breakers.llm.budgets.tokens.tokens=100000",
                        "guardedby.breakers.llm.budgets.tokens.window=lifetime",
                        "guardedby.breakers.llm.budgets.few.calls=100",
                        "guardedby.breakers.llm.budgets.few.window=lifetime",
                        "guardedby.breakers.llm.estimate-per-call.tokens=500",
                        "guardedby.breakers.llm.failure-threshold=100",
                        "guardedby.breakers.told.budgets.daily.usd=10",
                        "guardedby.breakers.told.budgets.daily.window=lifetime",
                        "guardedby.breakers.held.budgets.daily.usd=10",
                        "guardedby.breakers.held.budgets.daily.window=lifetime",
                        "guardedby.breakers.held.estimate-per-call.usd=0.01",
                        "guardedby.breakers.held.estimate-per-call.tokens=100")
                .run(started -> {
                    CircuitBreakerRegistry breakers = started.getBean(CircuitBreakerRegistry.class);
                    Permit paid = breakers.get("told").acquire();
                    paid.recordCost(Cost.usd("0.01"));
                    paid.success();
                    for (int i = 0; i < 12; i++) {
                        breakers.get("llm").acquire().failure(new SocketTimeoutException("Read timed out"));
                    }
                    Permit free = breakers.get("llm").acquire();
                    free.recordCost(Cost.ZERO);
                    free.success();
                    for (int i = 0; i < 30; i++) {
                        breakers.get("llm").run(() -> {});
                        breakers.get("told").run(() -> {});
                        breakers.get("held").run(() -> {});
                    }
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' has made 10 calls of which nobody has told the cost, and nothing is"
                                + " charged for such calls to 'daily' (USD). Return what the client answers and set guardedby.prices,"
                                + " write 'cost' at the annotation, record the cost by a CostRecorder, or write estimate-per-call.");
    }

    private ApplicationContextRunner withWallClock() {
        return context.withBean(
                CircuitBreakerCustomizer.class,
                () -> (name, breaker) -> breaker.clock(() -> NOON.plusNanos(now.get() + 5)));
    }

    private void advance(Duration time) {
        now.addAndGet(time.toNanos());
    }

    @Test
    void firstRefusalByABudget_isALine_onceAWindow(CapturedOutput output) {
        withWallClock()
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.hourly.usd=2",
                        "guardedby.breakers.llm.budgets.hourly.window=hour",
                        "guardedby.breakers.llm.budgets.daily.usd=4",
                        "guardedby.breakers.llm.budgets.daily.window=day")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    for (int minute = 0; minute < 3 * 60; minute++) {
                        for (int i = 0; i < 10; i++) {
                            llm.tryAcquire().ifPresent(permit -> {
                                permit.recordCost(Cost.usd("0.5"));
                                permit.success();
                            });
                        }
                        advance(Duration.ofMinutes(1));
                    }
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' is out of budget 'hourly', 2 of 2 USD per hour are spent;"
                                + " it resets in 1 h 0 min, at 2026-11-24T13:00:00Z",
                        "WARN Circuit breaker 'llm' is out of budget 'hourly', 2 of 2 USD per hour are spent;"
                                + " it resets in 1 h 0 min, at 2026-11-24T14:00:00Z",
                        "WARN Circuit breaker 'llm' is out of budget 'daily', 4 of 4 USD per day are spent;"
                                + " it resets in 10 h 0 min, at 2026-11-25T00:00:00Z");
    }

    @Test
    void everyWayOfRefusing_isALine_onceAsLongAsItGoesOn(CapturedOutput output) {
        StoreThatGoesAway store = new StoreThatGoesAway();
        withWallClock()
                .withBean(Ledger.class, () -> store)
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.ever.usd=2",
                        "guardedby.breakers.llm.budgets.ever.window=lifetime",
                        "guardedby.breakers.llm.budgets.ever.require-estimate=true",
                        "guardedby.breakers.llm.hold-timeout=1h")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    Permit underWay = llm.acquire(Cost.usd("1.5"));
                    Runnable everyWay = () -> {
                        refuse(llm, Cost.usd("1"));
                        refuse(llm, Cost.usd("3"));
                        refuse(llm, Cost.ZERO);
                        store.away(true);
                        refuse(llm, Cost.usd("0.1"));
                        store.away(false);
                    };
                    for (int minute = 0; minute < 30; minute++) {
                        everyWay.run();
                        advance(Duration.ofMinutes(1));
                    }
                    advance(Duration.ofMinutes(10));
                    refuse(llm, Cost.usd("3"));
                    underWay.recordCost(Cost.usd("2"));
                    underWay.success();
                    refuse(llm, Cost.usd("1"));
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' is out of budget 'ever' for now, 0 of 2 USD in all are spent and 1.5 held"
                                + " by calls under way, and this call may cost 1; try again when they have ended",
                        "WARN Circuit breaker 'llm' is out of budget 'ever' for this call, which may cost 3, more than all of"
                                + " the 2 USD in all; lower its estimate or raise the limit",
                        "WARN Circuit breaker 'llm' is cut off by budget 'ever', because nobody knows what this call may cost in"
                                + " USD; set a price or estimate-per-call",
                        "WARN Circuit breaker 'llm' is cut off from budget 'ever', whose store does not answer; calls pass"
                                + " again when it does",
                        "WARN Circuit breaker 'llm' is out of budget 'ever' for this call, which may cost 3, more than all of"
                                + " the 2 USD in all; lower its estimate or raise the limit",
                        "WARN Circuit breaker 'llm' is out of budget 'ever', 2 of 2 USD in all are spent, and this call may"
                                + " cost 1; it never resets, so"
                                + " raise the limit or correct what was spent");
    }

    private static void refuse(CircuitBreaker breaker, Cost hold) {
        assertThat(breaker.tryAcquire(hold)).isEmpty();
    }

    @Test
    void keysThatRunOut_areOneLineAWindow(CapturedOutput output) {
        withWallClock()
                .withConfiguration(
                        AutoConfigurations.of(AopAutoConfiguration.class, GuardedByAopAutoConfiguration.class))
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.calls=1",
                        "guardedby.breakers.llm.budgets.daily.window=day")
                .run(started -> {
                    CircuitBreaker llm =
                            started.getBean(CircuitBreakerRegistry.class).get("llm");
                    started.getBean(Keys.class).of(llm);
                    for (int day = 0; day < 2; day++) {
                        for (int i = 0; i < 100; i++) {
                            CircuitBreaker key = llm.forKey("tenant" + i);
                            key.run(() -> {});
                            refuse(key, Cost.ZERO);
                        }
                        advance(Duration.ofDays(1));
                    }
                });

        assertThat(lines(output))
                .containsExactly(
                        "WARN Circuit breaker 'llm' for key 'tenant0' is out of budget 'daily', 1 of 1 calls per day are"
                                + " spent; it resets in 12 h 0 min, at 2026-11-25T00:00:00Z; this is not written of further keys",
                        "WARN Circuit breaker 'llm' for key 'tenant0' is out of budget 'daily', 1 of 1 calls per day are"
                                + " spent; it resets in 12 h 0 min, at 2026-11-26T00:00:00Z; this is not written of further keys");
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
                // Said when the application starts, see BudgetsCheckTest.
                .filter(line -> !line.contains("Calls under way can pass"))
                .map(line -> line.replaceFirst("^.*(INFO|WARN) .*dev\\.guardedby +(--|:) ", "$1 "))
                .toList();
    }
}
