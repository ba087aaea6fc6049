package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** Methods whose calls cost money, of which there is only so much. */
final class BudgetsOfMethodsTest {
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-11-23T10:00:00Z"));
    private final ApplicationContextRunner application = Guarded.application(Model.class)
            .withBean(CircuitBreakerCustomizer.class, () -> (name, breaker) -> breaker.clock(now::get))
            .withPropertyValues(
                    "guardedby.breakers.llm.budgets.daily.usd=1",
                    "guardedby.breakers.llm.budgets.daily.window=day",
                    "guardedby.breakers.llm.budgets.daily.zone=Europe/Berlin");

    /** Each call costs what its argument says. */
    static class Model {
        private final CostRecorder costs;
        private int asked;

        Model(CostRecorder costs) {
            this.costs = costs;
        }

        int asked() {
            return asked;
        }

        @GuardedBy("llm") public String ask(String usd) {
            return answer(usd);
        }

        @GuardedBy("llm") public String askAndFail(String usd) throws IOException {
            answer(usd);
            throw new IOException("cut off in the middle of the answer");
        }

        @GuardedBy(name = "llm", fallback = "cheaper") public String askPatiently(String usd) {
            return answer(usd);
        }

        String cheaper(String usd, BudgetExceededException spent) {
            return "out of " + spent.budget().name() + ": " + spent.kind();
        }

        @GuardedBy("llm") public CostRecorder answerLater() {
            return costs.current();
        }

        @GuardedBy(name = "tenants", key = "#tenant") public String askFor(String tenant, String usd) {
            return answer(usd);
        }

        @GuardedBy("search") public String search(String usd) {
            return answer(usd);
        }

        @GuardedBy("agent") public String work(int steps, Model self) {
            for (int i = 0; i < steps; i++) {
                self.step();
            }
            return "done";
        }

        @GuardedBy("step") public void step() {
            answer("0.10");
        }

        private String answer(String usd) {
            asked++;
            costs.record(0, 0, new BigDecimal(usd));
            return "Because.";
        }
    }

    private static BudgetExceededException refusal(Runnable call) {
        return catchThrowableOfType(BudgetExceededException.class, call::run);
    }

    private static String spent(CircuitBreaker breaker) {
        StringBuilder spent = new StringBuilder();
        for (BudgetStatus budget : breaker.budgets()) {
            spent.append(budget.name())
                    .append(' ')
                    .append(budget.spent().toPlainString())
                    .append(" of ")
                    .append(budget.limit().toPlainString())
                    .append(' ');
        }
        return spent.toString().strip();
    }

    private static void elapse(ApplicationContext context, Duration time) {
        ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).advance(time);
    }

    @Test
    void issue13_aConfiguredBudgetReallyRejects() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.ask("0.60");
            model.ask("0.60");

            BudgetExceededException refused = refusal(() -> model.ask("0.60"));

            assertThat(model.asked()).isEqualTo(2);
            assertThat(refused.name()).isEqualTo("llm");
            assertThat(refused.state()).isEqualTo(CircuitState.CLOSED);
            assertThat(refused.kind()).isEqualTo(Kind.EXHAUSTED);
            assertThat(refused.budget().spent()).isEqualByComparingTo("1.2");
            assertThat(refused.budget().kind()).isEqualTo(BudgetStatus.Kind.SOFT);
            assertThat(refused.retryAfter()).contains(Duration.ofHours(13));
        });
    }

    @Test
    void nextDayOfTheZone_theBudgetIsThereAgain() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.ask("1");
            now.set(Instant.parse("2026-11-23T22:59:59.999Z"));
            assertThat(refusal(() -> model.ask("1"))).isNotNull();
            now.set(Instant.parse("2026-11-23T23:00:00Z"));
            assertThat(model.ask("0.25")).isEqualTo("Because.");
            assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 0.25 of 1");
            assertThat(history(context, "llm")).isEqualTo("2 ok, 0 failed, 0 ignored, 1 refused, closed");
        });
    }

    @Test
    void failedCall_costsWhatItRecorded_andTheFallbackOfABudgetIsNotAskedForIt() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            assertThat(catchThrowableOfType(IOException.class, () -> model.askAndFail("1.00")))
                    .hasMessage("cut off in the middle of the answer");
            assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 1 of 1");
            assertThat(model.askPatiently("0.10")).isEqualTo("out of daily: EXHAUSTED");
            assertThat(model.asked()).isEqualTo(1);
        });
    }

    @Test
    void issue24_refusalsByABudget_areNoFailures_andLeaveTheStateAlone() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.ask("1");
            for (int i = 0; i < 100; i++) {
                assertThat(model.askPatiently("0.10")).isEqualTo("out of daily: EXHAUSTED");
            }
            assertThat(history(context, "llm")).isEqualTo("1 ok, 0 failed, 0 ignored, 100 refused, closed");
            assertThat(breaker(context, "llm").stats().consecutiveFailures()).isZero();
            assertThat(breaker(context, "llm").stats().timesOpened()).isZero();
        });
    }

    @Test
    void limit0_refusesAll_untilAnOperatorRaisesIt() {
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.daily.usd=0")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    assertThat(refusal(() -> model.ask("0"))).isNotNull();
                    assertThat(model.asked()).isZero();
                    breaker(context, "llm").limit("daily", BigDecimal.ONE);
                    assertThat(model.ask("0")).isEqualTo("Because.");
                });
    }

    @Test
    void estimatePerCall_isHeld_soThatTheLimitIsNeverPassed() {
        application
                .withPropertyValues("guardedby.breakers.llm.estimate-per-call.usd=0.30")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    model.ask("0.30");
                    model.ask("0.30");
                    model.ask("0.11");
                    BudgetExceededException refused = refusal(() -> model.ask("0.30"));
                    assertThat(refused.budget().kind()).isEqualTo(BudgetStatus.Kind.EXACT);
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 0.71 of 1");
                });
    }

    @Test
    void costRecordedByAnotherThread_whenTheCallHasEnded_takesThePlaceOfItsHold() {
        application
                .withPropertyValues("guardedby.breakers.llm.estimate-per-call.usd=0.30")
                .run(context -> {
                    CostRecorder handle = context.getBean(Model.class).answerLater();
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 0.3 of 1");
                    CompletableFuture.runAsync(() -> handle.record(0, 0, new BigDecimal("0.10")))
                            .join();
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 0.1 of 1");
                });
    }

    @Test
    void requireEstimate_withoutOne_refusesAll() {
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.daily.require-estimate=true")
                .run(context -> assertThat(
                                refusal(() -> context.getBean(Model.class).ask("0.30"))
                                        .kind())
                        .isEqualTo(Kind.UNPRICED));
    }

    @Test
    void ofKeys_eachHasTheBudgetForItself() {
        application
                .withPropertyValues(
                        "guardedby.breakers.tenants.budgets.daily.usd=1",
                        "guardedby.breakers.tenants.budgets.daily.window=day",
                        "guardedby.breakers.tenants.charge-to=firm",
                        "guardedby.budgets.firm.usd=2.50",
                        "guardedby.budgets.firm.window=lifetime")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    model.askFor("acme", "1");
                    assertThat(refusal(() -> model.askFor("acme", "1")).budget().name())
                            .isEqualTo("daily");
                    model.askFor("bros", "1");
                    model.askFor("corp", "0.50");
                    assertThat(refusal(() -> model.askFor("corp", "1")).budget().name())
                            .isEqualTo("firm");
                    CircuitBreaker tenants = breaker(context, "tenants");
                    assertThat(spent(tenants.forKey("corp"))).isEqualTo("daily 0.5 of 1 firm 2.5 of 2.5");
                    assertThat(spent(tenants)).isEqualTo("daily 0 of 1 firm 2.5 of 2.5");
                });
    }

    @Test
    void chargeTo_sharesOneBudgetAmongBreakers() {
        application
                .withPropertyValues(
                        "guardedby.budgets.team.usd=2",
                        "guardedby.budgets.team.window=month",
                        "guardedby.breakers.llm.charge-to=team",
                        "guardedby.breakers.search.charge-to=team")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    model.ask("0.50");
                    model.search("1.50");
                    assertThat(refusal(() -> model.ask("0.10")).budget().name()).isEqualTo("team");
                    assertThat(refusal(() -> model.search("0.10")).budget().name())
                            .isEqualTo("team");
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("daily 0.5 of 1 team 2 of 2");
                    assertThat(spent(breaker(context, "search"))).isEqualTo("team 2 of 2");
                });
    }

    @Test
    void budgetOfOneCall_cutsALoopInsideItOff() {
        application
                .withPropertyValues(
                        "guardedby.breakers.agent.budgets.run.usd=0.35",
                        "guardedby.breakers.agent.budgets.run.window=call",
                        "guardedby.breakers.step.estimate-per-call.usd=0.10")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    assertThat(refusal(() -> model.work(1_000, model)).budget().name())
                            .isEqualTo("run");
                    assertThat(model.asked()).isEqualTo(3);
                    assertThat(model.work(3, model)).isEqualTo("done");
                    assertThat(history(context, "step")).isEqualTo("6 ok, 0 failed, 0 ignored, 1 refused, closed");
                });
    }

    @Test
    void rollingWindow_forgetsAfterItsLength() {
        application
                .withPropertyValues(
                        "guardedby.breakers.search.budgets.burst.calls=2",
                        "guardedby.breakers.search.budgets.burst.window=10m")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    model.search("0");
                    model.search("0");
                    assertThat(refusal(() -> model.search("0")).retryAfter()).isEmpty();
                    elapse(context, Duration.ofMinutes(10).plusSeconds(11));
                    assertThat(model.search("0")).isEqualTo("Because.");
                });
    }
}
