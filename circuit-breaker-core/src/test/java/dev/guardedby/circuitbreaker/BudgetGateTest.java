package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.dailyBuilder;
import static dev.guardedby.circuitbreaker.Spending.reason;
import static dev.guardedby.circuitbreaker.Spending.refusal;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.spend;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Budgets beside the state machine: who is let in, who is not, and what that leaves behind. */
class BudgetGateTest {
    private final Story story = new Story();

    @Test
    void spentBudget_refusesUntilItsWindowEnds_andTheBreakerStaysClosed() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "1");

        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> breaker.call(() -> "unreached"))
                .withMessage("Circuit breaker 'llm' is out of budget 'daily', 1 of 1 USD per day are spent;"
                        + " it resets in 24 h 0 min, at 2026-01-02T00:00:00Z")
                .satisfies(refused -> assertThat(refused.state()).isEqualTo(CircuitState.CLOSED))
                .satisfies(refused -> assertThat(refused.retryAfter()).contains(Duration.ofDays(1)));
        assertThat(breaker.refusal().orElseThrow().reason()).isEqualTo(Refusal.Reason.BUDGET);
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.stats().totalRejected()).isEqualTo(2);

        story.time.advance(Duration.ofDays(1));
        assertThat(breaker.refusal()).isEmpty();
        assertThat(breaker.canExecute()).isTrue();
        assertThat(breaker.call(() -> "reached")).isEqualTo("reached");
        assertThat(story.history()).isEmpty();
    }

    @Test
    void everyWayIn_refuses() {
        CircuitBreaker breaker = story.breaker().budget(daily("0")).build();
        List<String> reached = new ArrayList<>();

        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> breaker.run(() -> reached.add("run")));
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> breaker.call(Cost.ZERO, permit -> reached.add("call")));
        assertThatExceptionOfType(BudgetExceededException.class).isThrownBy(breaker::acquire);
        assertThatExceptionOfType(BudgetExceededException.class).isThrownBy(breaker::checkPermitted);
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.canExecute()).isFalse();
        assertThat(breaker.callAsync(() -> {
                    reached.add("async");
                    return CompletableFuture.completedFuture(1);
                }))
                .failsWithin(Duration.ZERO)
                .withThrowableThat()
                .withCauseInstanceOf(BudgetExceededException.class);
        assertThat(failure(breaker.acquireAsync(Cost.ZERO).toCompletableFuture()))
                .isInstanceOf(BudgetExceededException.class);
        assertThat(reached).isEmpty();
        assertThat(breaker.stats().totalRejected()).isEqualTo(8);
    }

    @Test
    void holds_areWhatTheCallSays_elseTheEstimate_inEachUnit() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .budget(Budget.tokens("tokens", 1_000)
                        .per(BudgetWindow.lifetime())
                        .build())
                .budget(calls(5))
                .estimatePerCall(Cost.of(100, 200, new BigDecimal("0.02")))
                .build();

        Permit estimated = breaker.acquire();
        assertThat(shown(breaker)).isEqualTo("daily 0+0.02/1, tokens 0+300/1000, calls 0+1/5");
        Permit said = breaker.acquire(usd("0.5"));
        assertThat(shown(breaker)).isEqualTo("daily 0+0.52/1, tokens 0+600/1000, calls 0+2/5");

        estimated.recordCost(Cost.of(10, 20, new BigDecimal("0.01")));
        estimated.success();
        said.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.51+0/1, tokens 330+0/1000, calls 2+0/5");
    }

    @Test
    void oneBudgetThatIsSpent_refusesBeforeAnyOtherIsCharged() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .budget(calls(1))
                .estimatePerCall(usd("0.1"))
                .build();
        breaker.acquire().success();

        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("calls EXHAUSTED");
        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1, calls 1+0/1");
    }

    @Test
    void whatNobodyCanEstimate_passesWhileAnythingIsLeft_andTheBudgetSaysSo() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        Permit one = breaker.acquire();
        Permit other = breaker.acquire();
        one.recordCost(usd("0.9"));
        one.success();
        other.recordCost(usd("0.9"));
        other.success();

        assertThat(shown(breaker)).isEqualTo("daily 1.8+0/1");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
    }

    @Test
    void requireEstimate_refusesWhatNobodyCanEstimate() {
        CircuitBreaker breaker = story.breaker()
                .budget(dailyBuilder("1").requireEstimate(true).build())
                .build();

        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily UNPRICED");
        assertThat(reason(breaker)).isEqualTo("BUDGET");
        assertThat(refusal(breaker, usd("0.1"))).isEqualTo("passes");
    }

    @Test
    void refusalByABudget_givesTheProbesSlotBack() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().budget(daily("1")));
        Permit probe = breaker.acquire(usd("1"));
        probe.close();

        assertThat(refusal(breaker, usd("2"))).isEqualTo("daily TOO_LARGE");
        assertThat(refusal(breaker, usd("2"))).isEqualTo("daily TOO_LARGE");

        breaker.acquire(usd("1")).success();
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(Story.counts(breaker)).contains("totalRejected=2").doesNotContain("stale");
    }

    @Test
    void openBreaker_asksNoLedger() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker = story.open(story.breaker().ledger(ledger).budget(daily("1")));

        assertThat(refusal(breaker, usd("2"))).isEqualTo("OPEN");
        assertThat(ledger.reserves).isZero();
    }

    @Test
    void periodThatEndsWhileTheLedgerAnswers_releasesTheHold_andAsksAgain() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().ledger(ledger).budget(daily("1")).build();
        ledger.meanwhile = breaker::holdOpen;

        assertThat(refusal(breaker, usd("1"))).isEqualTo("HELD_OPEN");
        breaker.reset();
        ledger.meanwhile = breaker::reset;
        Permit permit = breaker.acquire(usd("1"));

        assertThat(shown(breaker)).isEqualTo("daily 0+1/1");
        permit.recordCost(usd("0.3"));
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1");
        assertThat(breaker.stats().stale()).isZero();
    }

    @Test
    void observe_refusesNothing_countsWhatItWouldHave_andBooksTheCost() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .mode(Mode.OBSERVE)
                .failureRateThreshold(50)
                .minimumCalls(1)
                .build();

        spend(breaker, "1");
        Permit over = breaker.acquire(usd("0.5"));
        assertThat(shown(breaker)).isEqualTo("daily 1+0.5/1");
        Story.fail(over);

        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
        assertThat(breaker.stats().totalRejected()).isZero();
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(breaker.refusal()).isEmpty();
    }

    @Test
    void disabled_booksCosts_andEnforcesNothing() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).mode(Mode.DISABLED).build();

        spend(breaker, "2");
        spend(breaker, "2");

        assertThat(shown(breaker)).isEqualTo("daily 4+0/1");
        assertThat(breaker.stats().wouldReject()).isZero();
        breaker.mode(Mode.ENFORCE);
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
    }

    @Test
    void canExecute_holdsNothing_andCountsACall() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .budget(calls(2))
                .estimatePerCall(usd("0.6"))
                .build();

        assertThat(breaker.canExecute()).isTrue();
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1, calls 1+0/2");
        breaker.recordCost(usd("0.5"));
        breaker.recordSuccess();
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/1, calls 1+0/2");
        assertThat(breaker.canExecute()).isFalse();
    }

    @Test
    void looking_takesNothing() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .budget(calls(3))
                .estimatePerCall(usd("0.5"))
                .build();

        for (int i = 0; i < 10; i++) {
            assertThat(breaker.refusal()).isEmpty();
            breaker.checkPermitted();
        }

        assertThat(shown(breaker)).isEqualTo("daily 0+0/1, calls 0+0/3");
        assertThat(breaker.stats().totalRejected()).isZero();
    }

    @Test
    void operatorsLimit_actsAtOnce_andBeatsTheConfiguredOne() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "1");

        breaker.limit("daily", new BigDecimal("2.5"));
        assertThat(shown(breaker)).isEqualTo("daily 1+0/2.5");
        assertThat(refusal(breaker, usd("1.5"))).isEqualTo("passes");
        breaker.limit("daily", BigDecimal.ZERO);
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
        assertThat(refusal(breaker, usd("0.5"))).isEqualTo("daily TOO_LARGE");
        assertThat(breaker.refusal().orElseThrow().message())
                .isEqualTo("out of budget 'daily', whose limit of 0 USD per day lets no call pass; raise the limit");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.limit("dayly", BigDecimal.ONE))
                .withMessage("budget must be one of [daily] of circuit breaker 'llm', but was 'dayly'");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.limit("daily", new BigDecimal("-1")))
                .withMessage("usd must not be negative, but was -1");
    }

    @Test
    void adjustment_correctsWhatWasCharged_atOnce() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "1");

        breaker.adjust("daily", new BigDecimal("-0.75"), "priced per token instead of per million");
        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1");
        breaker.adjust("daily", new BigDecimal("0.25"), "a bill from elsewhere");
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/1");
        breaker.adjust("daily", new BigDecimal("-7"), "below zero there is nothing");
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.adjust("daily", BigDecimal.ONE, " "))
                .withMessage("reason must not be blank, but was ' '");
    }

    @Test
    void resetAndForceClose_leaveBudgetsAlone() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        spend(breaker, "1");

        breaker.reset();
        breaker.forceClose();

        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");
    }

    @Test
    void reconfigured_keepsTheAccountByName_unlessUnitOrWindowChange() {
        CircuitBreaker breaker = story.breaker().build();
        assertThat(breaker.budgets()).isEmpty();

        breaker.reconfigure(change -> change.budget(daily("1")));
        spend(breaker, "1");
        assertThat(refusal(breaker, Cost.ZERO)).isEqualTo("daily EXHAUSTED");

        breaker.reconfigure(change -> change.budget(daily("3")));
        assertThat(shown(breaker)).isEqualTo("daily 1+0/3");

        breaker.reconfigure(change -> change.budget(Budget.usd("daily", BigDecimal.ONE)
                .per(BudgetWindow.week(ZoneOffset.UTC))
                .build()));
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.reconfigure(change -> change.ledger(Ledger.inMemory())))
                .withMessage("ledger cannot change while the circuit breaker lives");
    }

    @Test
    void sharedBudget_isOneForAllThatChargeToIt_andNeedsALedger() {
        Budget team = Budget.usd("team", BigDecimal.ONE)
                .per(BudgetWindow.month(ZoneOffset.UTC))
                .build();
        Ledger ledger = Ledger.inMemory();
        CircuitBreaker one = CircuitBreaker.builder("one")
                .chargeTo(team)
                .ledger(ledger)
                .budget(daily("1"))
                .build();
        CircuitBreaker other =
                CircuitBreaker.builder("other").chargeTo(team).ledger(ledger).build();
        spend(one, "0.75");

        assertThat(shown(one)).isEqualTo("daily 0.75+0/1, team 0.75+0/1");
        assertThat(shown(other)).isEqualTo("team 0.75+0/1");
        assertThat(refusal(other, usd("0.5"))).isEqualTo("team EXHAUSTED");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> CircuitBreaker.builder("lonely").chargeTo(team).build())
                .withMessage("charge-to needs ledger, but charge-to was [team] and ledger was not set");
    }

    @Test
    void badSettings_areRefusedAtBuild() {
        CircuitBreaker.Builder builder = story.breaker();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.holdTimeout(Duration.ZERO).build())
                .withMessage("hold-timeout must be positive, but was PT0S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> story.breaker()
                        .ledger(Ledger.inMemory())
                        .chargeTo(Spending.run("1"))
                        .build())
                .withMessage(
                        "charge-to must name budgets with a window that breakers can share, but 'run' was per call");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> story.breaker()
                        .ledger(Ledger.inMemory())
                        .budget(daily("1"))
                        .chargeTo(daily("1"))
                        .build())
                .withMessage(
                        "charge-to must name other budgets than those of the breaker itself, but both have 'daily'");
    }

    @Test
    void holdTimeout_isShownWhereThereAreBudgets() {
        assertThat(story.breaker().build().settings()).doesNotContainKey("hold-timeout");
        assertThat(story.breaker().budget(daily("1")).build().settings())
                .containsEntry("hold-timeout", Duration.ofMinutes(15));
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void throwingLedger_leaksNoSlotAndNoHold(Mode mode) {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker = story.halfOpen(story.breaker().ledger(ledger).budget(daily("1")));
        breaker.mode(mode);
        ledger.broken = new IllegalStateException("store is away");

        String first = refusal(breaker, usd("1"));
        String second = refusal(breaker, usd("1"));
        ledger.broken = null;

        assertThat(List.of(first, second)).containsOnly(mode == Mode.ENFORCE ? "daily STORE" : "passes");
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
        breaker.acquire(usd("1")).success();
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    /** A ledger that gives one answer to whoever reserves. */
    private static final class Answering extends ForwardingLedger {
        private final CompletionStage<Answer> answer;

        Answering(CompletionStage<Answer> answer) {
            this.answer = answer;
        }

        @Override
        public CompletionStage<Answer> reserve(Hold hold) {
            return answer;
        }
    }

    private CircuitBreaker answeredBy(CompletionStage<Ledger.Answer> answer) {
        return story.breaker().ledger(new Answering(answer)).budget(daily("1")).build();
    }

    @Test
    void ledgerThatFailsOrAnswersNothing_refuses() {
        for (CompletionStage<Ledger.Answer> answer : List.of(
                CompletableFuture.<Ledger.Answer>completedFuture(null),
                CompletableFuture.<Ledger.Answer>failedFuture(new IOException("reset")),
                CompletableFuture.<Ledger.Answer>supplyAsync(
                        () -> {
                            throw new IllegalStateException("reset");
                        },
                        Runnable::run))) {
            CircuitBreaker breaker = answeredBy(answer);
            assertThat(refusal(breaker, usd("1"))).isEqualTo("daily STORE");
            assertThat(failure(breaker.acquireAsync(usd("1")).toCompletableFuture()))
                    .isInstanceOfSatisfying(
                            BudgetExceededException.class,
                            refused -> assertThat(refused.kind()).isEqualTo(Kind.STORE));
        }
    }

    @Test
    @SuppressWarnings("NullAway") // on purpose
    void ledgerThatHasNoStageToAnswerBy_refuses() {
        CircuitBreaker breaker = answeredBy(null);
        assertThat(refusal(breaker, usd("1"))).isEqualTo("daily STORE");
        assertThat(failure(breaker.acquireAsync(usd("1")).toCompletableFuture()))
                .isInstanceOf(BudgetExceededException.class);
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
    }

    @Test
    void openBreaker_isWhatACallOfAnUnpricedModelIsRefusedFor() {
        CircuitBreaker breaker = story.breaker().budget(daily("1")).build();
        Estimate unpriced = Estimate.UNKNOWN.withoutPriceOf("unheard-of");
        assertThatExceptionOfType(BudgetExceededException.class).isThrownBy(() -> breaker.acquireFor(unpriced));
        breaker.forceOpen();
        assertThatExceptionOfType(CallNotPermittedException.class)
                .isThrownBy(() -> breaker.acquireFor(unpriced))
                .isNotInstanceOf(BudgetExceededException.class);
        assertThat(breaker.stats().totalRejected()).isEqualTo(2);
    }

    @Test
    void errorOfALedger_isThrownAsItIs() {
        StackOverflowError error = new StackOverflowError();
        CircuitBreaker breaker = answeredBy(CompletableFuture.failedFuture(error));
        assertThatThrownBy(() -> breaker.acquire(usd("1"))).isSameAs(error);
        assertThat(failure(breaker.acquireAsync(usd("1")).toCompletableFuture()))
                .isSameAs(error);
    }

    @Test
    void ledgerThatCannotSettle_hidesNothingOfTheCall() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().ledger(ledger).budget(daily("1")).build();

        assertThat(breaker.<String, RuntimeException>call(usd("0.1"), permit -> {
                    ledger.broken = new IllegalStateException("store is away");
                    permit.recordCost(usd("0.1"));
                    return "answer";
                }))
                .isEqualTo("answer");
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(1);
        assertThat(breaker.budgets()).isEmpty();
        assertThat(breaker.refusal().orElseThrow().message())
                .isEqualTo("cut off from budget 'daily', whose store does not answer; calls pass again when it does");
    }

    @Test
    void slowLedger_keepsNobodyWaitingWhoDoesNotWantTo() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().ledger(ledger).budget(daily("1")).build();
        ledger.away = true;
        List<String> called = new ArrayList<>();

        CompletableFuture<Permit> permit = breaker.acquireAsync(usd("0.5")).toCompletableFuture();
        CompletableFuture<String> call = breaker.callAsync(usd("0.5"), given -> {
            called.add("call");
            given.recordCost(usd("0.25"));
            return CompletableFuture.completedFuture("answer");
        });
        CompletableFuture<String> givenUp = breaker.callAsync(usd("0.5"), given -> {
            called.add("given up");
            return CompletableFuture.completedFuture("unreached");
        });
        givenUp.cancel(true);
        CompletableFuture<Permit> refused = breaker.acquireAsync(usd("2")).toCompletableFuture();
        assertThat(List.of(permit.isDone(), call.isDone(), refused.isDone())).containsOnly(false);

        ledger.answer();
        assertThat(permit.join().isProbe()).isFalse();
        assertThat(call.join()).isEqualTo("answer");
        assertThat(failure(refused)).isInstanceOf(BudgetExceededException.class);
        assertThat(called).containsExactly("call");
        assertThat(shown(breaker)).isEqualTo("daily 0.25+0.5/1");
        permit.join().cancel();
        assertThat(shown(breaker)).isEqualTo("daily 0.75+0/1");
    }

    @Test
    void permitThatNobodyWaitsForAnyMore_goesBack() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker = story.halfOpen(story.breaker().ledger(ledger).budget(daily("1")));
        ledger.away = true;
        CompletableFuture<Permit> given = breaker.acquireAsync(usd("1")).toCompletableFuture();
        given.cancel(true);

        ledger.answer();

        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
        assertThat(breaker.refusal()).isEmpty();
        assertThat(breaker.stats().totalIgnored()).isZero();
    }

    @Test
    void interruptedWhileWaiting_keepsTheFlag_andTheLateHoldIsReleased() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().ledger(ledger).budget(daily("1")).build();
        ledger.away = true;
        Thread.currentThread().interrupt();

        assertThat(refusal(breaker, usd("1"))).isEqualTo("daily STORE");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(ledger.settlements).isEqualTo(1);
    }

    @Test
    void warnings_areToldOnceALevelAndWindow() {
        List<String> told = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .budget(dailyBuilder("1").warnAt(50, 80, 100).build())
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onBudget(CircuitBreaker which, BudgetStatus budget, int percent) {
                        told.add(which.name() + " " + budget.name() + " " + percent + ": " + budget.spent());
                        throw new IllegalStateException("listener");
                    }
                })
                .build();

        spend(breaker, "0.3");
        spend(breaker, "0.3");
        breaker.adjust("daily", new BigDecimal("-0.3"), "mistake");
        spend(breaker, "0.3");
        spend(breaker, "0.5");
        story.time.advance(Duration.ofDays(1));
        breaker.recordCost(usd("0.9"));

        assertThat(told)
                .containsExactly(
                        "llm daily 50: 0.6",
                        "llm daily 80: 1.1",
                        "llm daily 100: 1.1",
                        "llm daily 50: 0.9",
                        "llm daily 80: 0.9");
    }

    @Test
    void loweredLimit_tellsOfTheLevelsThatItPasses() {
        List<Integer> told = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .budget(dailyBuilder("1").warnAt(20, 80).build())
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onBudget(CircuitBreaker which, BudgetStatus budget, int percent) {
                        told.add(percent);
                    }
                })
                .build();
        spend(breaker, "0.4");

        breaker.limit("daily", new BigDecimal("0.5"));

        assertThat(told).containsExactly(20, 80);
    }

    private static Throwable failure(CompletableFuture<?> future) {
        assertThat(future.isDone()).isTrue();
        return future.handle((result, failure) -> failure).join();
    }
}
