package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.refusal;
import static dev.guardedby.circuitbreaker.Spending.run;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.spend;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Calls inside calls: an agent whose run may cost so much, and the model it asks. */
class BudgetNestingTest {
    private final Story story = new Story();
    private final CircuitBreaker agent = story.breaker()
            .budget(run("0.5"))
            .budget(daily("10"))
            .estimatePerCall(usd("0.4"))
            .build();
    private final CircuitBreaker model = CircuitBreaker.builder("model")
            .budget(daily("5"))
            .ticker(story.time)
            .clock(story.time)
            .build();

    @Test
    void loopInsideACall_isCutOffInTheMiddle_andStaysSo() {
        List<String> seen = new ArrayList<>();

        agent.run(() -> {
            for (int i = 0; i < 5; i++) {
                String passed = refusal(model, usd("0.2"));
                if (passed.equals("passes")) {
                    spend(model, "0.2");
                }
                seen.add(passed + " " + shown(agent));
            }
            seen.add(refusal(model, usd("0.01")));
        });

        assertThat(seen)
                .containsExactly(
                        "passes daily 0+0.4/10, run 0.2+0/0.5",
                        "passes daily 0+0.4/10, run 0.4+0/0.5",
                        "run EXHAUSTED daily 0+0.4/10, run 0.4+0/0.5",
                        "run EXHAUSTED daily 0+0.4/10, run 0.4+0/0.5",
                        "run EXHAUSTED daily 0+0.4/10, run 0.4+0/0.5",
                        "run EXHAUSTED");
        assertThat(model.stats().totalRejected()).isEqualTo(4);
        assertThat(shown(agent)).isEqualTo("daily 0+0/10, run 0+0/0.5");
        assertThat(shown(model)).isEqualTo("daily 0.4+0/5");
        // The next run has it all again.
        assertThat(agent.call(() -> refusal(model, usd("0.5")))).isEqualTo("passes");
    }

    @Test
    void refusalByTheBudgetOfACallAround_saysWhoseItIs() {
        agent.run(() -> {
            spend(model, "0.5");
            assertThatThrownBy(() -> model.acquire(usd("0.1")))
                    .hasMessage(
                            "Circuit breaker 'model' is out of budget 'run' of circuit breaker 'llm', 0.5 of 0.5 USD per call are"
                                    + " spent, and this call may cost 0.1; nothing further passes inside this call");
        });
    }

    @Test
    void callAroundThatOnlyObserves_hasNoSayInCallsInsideThatAreEnforced() {
        CircuitBreaker observing = CircuitBreaker.builder("agent")
                .mode(Mode.OBSERVE)
                .budget(Budget.usd("run", new BigDecimal("0.5"))
                        .per(BudgetWindow.call())
                        .degradeAt(50)
                        .degradeTo("small")
                        .build())
                .build();
        Estimate unpriced = Estimate.UNKNOWN.withoutPriceOf("unheard-of");

        observing.run(() -> {
            spend(model, "0.6");
            assertThat(model.refusal()).isEmpty();
            assertThatCode(model::checkPermitted).doesNotThrowAnyException();
            Permit inside = CircuitBreaker.of("llm").acquireFor(unpriced);
            assertThat(inside.advice()).isEmpty();
            inside.step(unpriced).end(usd("0.1"), Confidence.REPORTED);
            inside.success();
        });
    }

    @Test
    void costIsBookedOnce_whereItIsRecorded_andTheCallAroundCountsAsHavingRecorded() {
        agent.run(() -> spend(model, "0.1"));
        assertThat(shown(agent)).isEqualTo("daily 0+0/10, run 0+0/0.5");

        agent.run(() -> {});
        assertThat(shown(agent)).isEqualTo("daily 0.4+0/10, run 0+0/0.5");
        assertThat(shown(model)).isEqualTo("daily 0.1+0/5");
    }

    @Test
    void whatTheCallItselfRecords_isSpentInItsCeilingAtOnce() {
        String refused = agent.<String, RuntimeException>call(usd("0.4"), permit -> {
            permit.recordCost(usd("0.3"));
            return refusal(model, usd("0.3"));
        });

        assertThat(refused).isEqualTo("run EXHAUSTED");
        assertThat(shown(agent)).isEqualTo("daily 0.3+0/10, run 0+0/0.5");
    }

    @Test
    void holdsInside_countUntilTheyEnd() {
        agent.run(() -> {
            Permit open = model.acquire(usd("0.3"));
            assertThat(shown(agent)).endsWith("run 0+0.3/0.5");
            open.recordCost(usd("0.1"));
            assertThat(shown(agent)).endsWith("run 0.1+0.2/0.5");
            open.success();
            assertThat(shown(agent)).endsWith("run 0.1+0/0.5");
        });
    }

    @Test
    void callTooDearForItsOwnCeiling_isNotMade() {
        assertThat(refusal(agent, usd("0.6"))).isEqualTo("run TOO_LARGE");
        assertThat(shown(agent)).isEqualTo("daily 0+0/10, run 0+0/0.5");
    }

    @Test
    void breakerWithoutBudgets_isInside_too() {
        CircuitBreaker tool =
                CircuitBreaker.builder("tool").failureRateThreshold(50).build();

        agent.run(() -> {
            Permit permit = tool.acquire(usd("0.5"));
            permit.recordCost(usd("0.5"));
            permit.success();
            assertThat(refusal(tool, Cost.ZERO)).isEqualTo("run EXHAUSTED");
            assertThat(tool.tryAcquire()).isEmpty();
            assertThat(tool.refusal()).isPresent();
        });

        assertThat(refusal(tool, usd("0.5"))).isEqualTo("passes");
        assertThat(tool.budgets()).isEmpty();
    }

    @Test
    void ceilingsAreFollowedToOtherThreads_andEndWithTheirCall() throws Exception {
        Scope[] taken = new Scope[1];
        agent.run(() -> {
            taken[0] = Scope.current().orElseThrow();
            CompletableFuture<String> elsewhere = CompletableFuture.supplyAsync(() -> {
                try (Scope scope = taken[0].attach()) {
                    assertThat(scope).isNotNull();
                    return refusal(model, usd("0.6"));
                }
            });
            assertThat(elsewhere.join()).isEqualTo("run TOO_LARGE");
        });

        try (Scope scope = taken[0].attach()) {
            assertThat(scope).isNotNull();
            assertThat(refusal(model, usd("0.6"))).isEqualTo("passes");
        }
    }

    @Test
    void agentInsideAnAgent_bothCeilingsHold() {
        CircuitBreaker outer =
                CircuitBreaker.builder("outer").budget(run("0.9")).build();
        List<String> seen = new ArrayList<>();

        outer.run(() -> agent.run(() -> {
            seen.add(refusal(model, usd("0.5")));
            seen.add(refusal(model, usd("0.51")));
        }));
        outer.run(() -> agent.run(() -> {
            spend(model, "0.5");
            seen.add(refusal(model, usd("0.1")));
        }));

        assertThat(seen).containsExactly("passes", "run RESERVED", "run RESERVED");
    }

    @Test
    void operatorsLimit_actsOnTheCallsUnderWay() {
        agent.run(() -> {
            agent.limit("run", new BigDecimal("0.1"));
            assertThat(refusal(model, usd("0.2"))).isEqualTo("run TOO_LARGE");
        });
    }

    @Test
    void observingAgent_refusesNothingInside() {
        agent.mode(Mode.OBSERVE);

        assertThat(agent.call(() -> refusal(model, usd("4")))).isEqualTo("passes");
    }

    @Test
    void costWithoutAPermit_countsInTheCallAround() {
        agent.run(() -> {
            model.recordCost(usd("0.5"));
            assertThat(refusal(model, Cost.ZERO)).isEqualTo("run EXHAUSTED");
        });
        assertThat(shown(model)).isEqualTo("daily 0.5+0/5");
    }

    @Test
    void callsPerCall_countTheCallItselfToo() {
        CircuitBreaker three = CircuitBreaker.builder("three")
                .budget(Budget.calls("steps", 3).per(BudgetWindow.call()).build())
                .build();
        List<String> seen = new ArrayList<>();

        three.run(() -> {
            for (int i = 0; i < 3; i++) {
                Permit step = model.tryAcquire().orElse(null);
                seen.add(step == null ? "refused" : "step");
                if (step != null) {
                    step.success();
                }
            }
        });

        assertThat(seen).containsExactly("step", "step", "refused");
    }

    @Test
    void warnings_areToldOnceALevelAndCall() {
        List<String> told = new ArrayList<>();
        CircuitBreaker warning = CircuitBreaker.builder("warning")
                .budget(Budget.usd("run", new BigDecimal("0.5"))
                        .per(BudgetWindow.call())
                        .warnAt(50, 80, 100)
                        .build())
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onBudget(CircuitBreaker which, BudgetStatus budget, int percent) {
                        told.add(which.name() + " " + budget.name() + " " + percent + ": " + budget.spent());
                        throw new IllegalStateException("listener");
                    }
                })
                .build();

        for (int i = 0; i < 2; i++) {
            warning.run(() -> {
                told.add("call");
                Permit open = model.acquire(usd("0.3"));
                told.add("held");
                open.recordCost(usd("0.2"));
                told.add("0.2");
                open.recordCost(usd("0.05"));
                open.success();
                told.add("0.25");
                warning.recordCost(usd("0.1"));
                told.add("0.35");
                model.recordCost(usd("0.15"));
            });
        }
        Permit costly = warning.acquire();
        costly.success();
        costly.recordCost(usd("0.3"));

        assertThat(told.subList(0, 8))
                .containsExactly(
                        "call",
                        "held",
                        "0.2",
                        "warning run 50: 0.25",
                        "0.25",
                        "0.35",
                        "warning run 80: 0.5",
                        "warning run 100: 0.5")
                .isEqualTo(told.subList(8, 16));
        assertThat(told.subList(16, told.size())).containsExactly("warning run 50: 0.3");
    }

    @Test
    void warnings_ofACallAreTold_whenItsHoldIsCharged() {
        List<Integer> told = new ArrayList<>();
        CircuitBreaker outer = CircuitBreaker.builder("outer")
                .budget(Budget.usd("run", BigDecimal.ONE)
                        .per(BudgetWindow.call())
                        .warnAt(60)
                        .build())
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onBudget(CircuitBreaker which, BudgetStatus budget, int percent) {
                        told.add(percent);
                    }
                })
                .build();

        outer.run(() -> {
            model.acquire(usd("0.4")).success();
            model.acquire(usd("0.4")).ignore();
            assertThat(told).isEmpty();
            model.acquire(usd("0.4")).success();
            assertThat(told).containsExactly(60);
        });
    }
}
