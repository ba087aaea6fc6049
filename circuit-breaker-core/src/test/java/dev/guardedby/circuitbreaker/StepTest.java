package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Spending.calls;
import static dev.guardedby.circuitbreaker.Spending.daily;
import static dev.guardedby.circuitbreaker.Spending.dailyBuilder;
import static dev.guardedby.circuitbreaker.Spending.run;
import static dev.guardedby.circuitbreaker.Spending.shown;
import static dev.guardedby.circuitbreaker.Spending.spend;
import static dev.guardedby.circuitbreaker.Spending.usd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Steps of a call: each call of a model in a loop of tools, asked for before and paid afterwards. */
class StepTest {
    private static final Estimate UNPRICED = Estimate.UNKNOWN.withoutPriceOf("large");

    private final Story story = new Story();

    private CircuitBreaker breaker(String dailyLimit) {
        return story.breaker().budget(daily(dailyLimit)).budget(calls(100)).build();
    }

    private static Estimate atMost(String usd) {
        return Estimate.atMost(usd(usd));
    }

    private static void step(Permit permit, String atMost, String cost) {
        permit.step(atMost(atMost)).end(usd(cost), Confidence.REPORTED);
    }

    private static String refused(Permit permit, Estimate estimate) {
        try {
            permit.step(estimate).end(Cost.ZERO, Confidence.REPORTED);
            return "passes";
        } catch (BudgetExceededException refused) {
            return refused.budget().name() + " " + refused.kind();
        } catch (CallNotPermittedException refused) {
            return refused.refusal().reason().name();
        }
    }

    @Test
    void callHoldsWhatItsStepsHaveCostAndMayCost_andCostsWhatTheyCost() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();

        Step first = permit.step(atMost("0.3"));
        assertThat(first.hold()).isEqualTo(usd("0.3"));
        assertThat(shown(breaker)).isEqualTo("daily 0+0.3/1, calls 0+1/100");
        first.end(usd("0.1"), Confidence.REPORTED);
        step(permit, "0.3", "0.2");
        assertThat(shown(breaker)).isEqualTo("daily 0+0.4/1, calls 0+1/100");
        assertThat(breaker.stats().totalEstimatedCost()).isZero();
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.3");
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(1);
    }

    @Test
    void stepThatDoesNotFit_isRefused_andTheCallKeepsWhatItHad() {
        CircuitBreaker breaker = breaker("0.5");
        Permit permit = breaker.acquire();
        step(permit, "0.3", "0.3");

        assertThat(refused(permit, atMost("0.3"))).isEqualTo("daily EXHAUSTED");
        assertThat(refused(permit, atMost("0.6"))).isEqualTo("daily TOO_LARGE");
        assertThat(breaker.stats().totalRejected()).isEqualTo(2);
        assertThat(shown(breaker)).isEqualTo("daily 0+0.3/0.5, calls 0+1/100");

        Permit other = breaker.acquire(usd("0.2"));
        assertThat(refused(permit, atMost("0.2"))).isEqualTo("daily RESERVED");
        other.ignore();
        step(permit, "0.2", "0.2");
        assertThat(refused(permit, Estimate.UNKNOWN)).isEqualTo("daily EXHAUSTED");
        permit.failure(new IllegalStateException("cut off"));
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/0.5, calls 1+0/100");
    }

    @Test
    void refusals_sayWhatTheCallMayCost_ifItIsKnown() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("0.5")).budget(run("0.4")).build();
        Permit permit = breaker.acquire();
        step(permit, "0.3", "0.3");
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> permit.step(atMost("0.41")))
                .withMessageContaining(
                        "budget 'run' for this call, which may cost 0.41, more than all of the 0.4 USD per call");
        permit.success();
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> breaker.acquire(usd("0.25")))
                .withMessageContaining("0.3 of 0.5 USD per day are spent, and this call may cost 0.25; it resets in");
        Permit other = breaker.acquire(usd("0.1"));
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> breaker.acquire(usd("0.15")))
                .withMessageContaining("and 0.1 held by calls under way, and this call may cost 0.15; try again");
        other.recordCost(usd("0.2"));
        other.success();
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(breaker::acquire)
                .withMessageContaining("0.5 of 0.5 USD per day are spent; it resets in");
    }

    @Test
    void stepWithinWhatTheCallHolds_takesNothingMore() {
        CircuitBreaker breaker = breaker("0.5");
        Permit permit = breaker.acquire(usd("0.5"));

        step(permit, "0.3", "0.3");
        step(permit, "0.2", "0.1");
        assertThat(shown(breaker)).isEqualTo("daily 0+0.5/0.5, calls 0+1/100");
        step(permit, "0.1", "0.1");
        assertThat(refused(permit, atMost("0.1"))).isEqualTo("daily EXHAUSTED");
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/0.5, calls 1+0/100");
    }

    @Test
    void stepsAtTheSameTime_holdTogether() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();

        Step one = permit.step(atMost("0.4"));
        Step two = permit.step(atMost("0.4"));
        assertThat(refused(permit, atMost("0.4"))).isEqualTo("daily EXHAUSTED");
        assertThat(shown(breaker)).isEqualTo("daily 0+0.8/1, calls 0+1/100");
        one.end(usd("0.1"), Confidence.REPORTED);
        Step three = permit.step(atMost("0.4"));
        two.end(usd("0.2"), Confidence.REPORTED);
        three.end(usd("0.3"), Confidence.REPORTED);
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.6+0/1, calls 1+0/100");
    }

    @Test
    void stepOfUnknownCost_passesWhileAnythingIsLeft_andMakesTheBudgetSoft() {
        CircuitBreaker breaker = breaker("0.5");
        Permit permit = breaker.acquire(usd("0.1"));
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.EXACT);

        permit.step(Estimate.UNKNOWN).end(usd("0.4"), Confidence.REPORTED);
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        permit.step(Estimate.UNKNOWN).end(usd("0.4"), Confidence.REPORTED);
        assertThat(refused(permit, Estimate.UNKNOWN)).isEqualTo("daily EXHAUSTED");
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.8+0/0.5, calls 1+0/100");
    }

    @Test
    void callThatTookBoundedStepsAlone_makesNoBudgetSoft_onceItHasEnded() {
        CircuitBreaker breaker = breaker("1");
        Permit bounded = breaker.acquire();
        Permit other = breaker.acquire();
        step(bounded, "0.2", "0.1");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        bounded.success();
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        step(other, "0.2", "0.2");
        other.failure(new IOException("the last round"));
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.EXACT);

        bounded.recordCost(usd("0.3"));
        assertThat(shown(breaker)).isEqualTo("daily 0.6+0/1, calls 2+0/100");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.EXACT);
    }

    @Test
    void callStaysSoft_ifOneOfItsStepsWasUnbounded_orACostWasRecordedBeside() {
        List<Consumer<Permit>> ways = List.of(
                permit -> permit.step(Estimate.likely(usd("0.1"))).end(usd("0.1"), Confidence.REPORTED),
                permit -> permit.recordCost(usd("0.1")));
        for (Consumer<Permit> way : ways) {
            CircuitBreaker breaker = breaker("1");
            Permit permit = breaker.acquire();
            step(permit, "0.2", "0.1");
            way.accept(permit);
            permit.success();
            assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        }
    }

    /** A ledger that a test extends holds by. */
    private static final class Extending extends ForwardingLedger {
        private final Supplier<@Nullable CompletionStage<Answer>> answer;

        Extending(Supplier<@Nullable CompletionStage<Answer>> answer) {
            this.answer = answer;
        }

        @Override
        @SuppressWarnings("NullAway") // on purpose
        public CompletionStage<Answer> extend(Extension extension) {
            return answer.get();
        }
    }

    @Test
    void errorOfALedger_isThrownAsItIs_andTheStepHoldsNothing() {
        StackOverflowError error = new StackOverflowError();
        List<Supplier<@Nullable CompletionStage<Ledger.Answer>>> ways =
                List.of(() -> CompletableFuture.failedFuture(error), () -> {
                    throw error;
                });
        for (Supplier<@Nullable CompletionStage<Ledger.Answer>> way : ways) {
            CircuitBreaker breaker = story.breaker()
                    .ledger(new Extending(way))
                    .budget(daily("1"))
                    .budget(run("0.5"))
                    .build();
            Permit permit = breaker.acquire();
            assertThatThrownBy(() -> permit.step(atMost("0.4"))).isSameAs(error);
            permit.success();
            assertThat(shown(breaker)).startsWith("daily 0+0/1");
        }
    }

    @Test
    void ledgerThatAnswersNothing_refusesTheStep() {
        CircuitBreaker breaker = story.breaker()
                .ledger(new Extending(() -> null))
                .budget(daily("1"))
                .build();
        Permit permit = breaker.acquire();
        assertThat(refused(permit, atMost("0.4"))).isEqualTo("daily STORE");
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0+0/1");
    }

    @Test
    void stepThatIsRefused_whenItsCallHasEnded_costsNothing() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().ledger(ledger).budget(daily("0.5")).build();
        Permit permit = breaker.acquire();
        step(permit, "0.1", "0.1");
        ledger.away = true;
        CompletableFuture<Step> asked = permit.stepAsync(atMost("0.45")).toCompletableFuture();
        permit.cancel();
        assertThat(shown(breaker)).isEqualTo("daily 0.55+0/0.5");
        ledger.failing = true;
        ledger.answer();

        assertThat(asked).isCompletedExceptionally();
        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/0.5");
    }

    @Test
    void stepThatIsRefused_becauseTheBreakerEnforcesNow_costsNothing() {
        CircuitBreaker breaker = breaker("0.5");
        breaker.mode(Mode.OBSERVE);
        Permit permit = breaker.acquire();
        step(permit, "0.5", "0.5");
        breaker.mode(Mode.ENFORCE);
        assertThat(refused(permit, atMost("0.1"))).isEqualTo("daily EXHAUSTED");
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.5+0/0.5, calls 1+0/100");
    }

    @Test
    void stepAfterTheEnd_standsInPlaceOfAHold_andTheBudgetStaysSoft() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquireFor(Estimate.likely(usd("0.2")));
        permit.success();
        step(permit, "0.1", "0.1");
        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1, calls 1+0/100");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
    }

    @Test
    void unknownStep_isRefusedWithoutAnAmount() {
        CircuitBreaker breaker = breaker("0.5");
        Permit permit = breaker.acquire();
        step(permit, "0.5", "0.5");
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> permit.step(Estimate.UNKNOWN))
                .withMessageNotContaining("may cost");
    }

    /** A bound for three attempts, of which one is likely. */
    @Test
    void successThatTellsNothing_costsWhatIsLikely_aChargedFailureAllThatWasHeld() {
        Estimate estimate = new Estimate(usd("0.3"), usd("0.1"));
        CircuitBreaker breaker = breaker("10");
        breaker.acquireFor(estimate).success();
        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/10, calls 1+0/100");
        breaker.acquireFor(estimate).failure(new SocketTimeoutException());
        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/10, calls 2+0/100");

        Permit permit = breaker.acquire();
        Step told = permit.step(estimate);
        assertThat(told.hold()).isEqualTo(usd("0.3"));
        told.endUnknown();
        permit.step(estimate).fail(new SocketTimeoutException());
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.8+0/10, calls 3+0/100");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.EXACT);
    }

    @Test
    void observe_countsACallOnce_howeverManyOfItsStepsWouldBeRefused_andAdvisesNothing() {
        CircuitBreaker breaker = story.breaker()
                .budget(dailyBuilder("0.1").degradeAt(50).degradeTo("small").build())
                .build();
        breaker.mode(Mode.OBSERVE);
        spend(breaker, "0.2");
        for (int i = 0; i < 3; i++) {
            Permit permit = breaker.acquire();
            step(permit, "0.1", "0.1");
            step(permit, "0.1", "0.1");
            permit.step(UNPRICED).end(Cost.ZERO, Confidence.REPORTED);
            assertThat(permit.advice()).isEmpty();
            permit.success();
        }
        assertThat(breaker.stats().wouldReject()).isEqualTo(3);
        assertThat(breaker.advice()).isPresent();
    }

    @Test
    void observe_countsACallOnce_thatHasNoPriceAndDoesNotFit() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("0.1")).mode(Mode.OBSERVE).build();
        spend(breaker, "0.2");
        breaker.acquireFor(UNPRICED).success();
        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
    }

    @Test
    void successWhoseOnlyStepWasRefused_costsItsHold_whichStaysWhatItWas() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquireFor(Estimate.likely(usd("0.2")));
        assertThat(refused(permit, atMost("2"))).isEqualTo("daily TOO_LARGE");
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.2+0/1, calls 1+0/100");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
    }

    @Test
    void interruptedWait_refusesNoStep_whereNothingIsEnforced() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker = story.breaker()
                .ledger(ledger)
                .budget(daily("1"))
                .mode(Mode.OBSERVE)
                .build();
        Permit permit = breaker.acquire();
        ledger.away = true;
        Thread.currentThread().interrupt();
        Step step;
        try {
            step = permit.step(atMost("0.1"));
        } finally {
            boolean unused = Thread.interrupted();
        }
        step.end(usd("0.05"), Confidence.REPORTED);
        permit.success();

        assertThat(breaker.stats().totalRejected()).isZero();
        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.05");
    }

    @Test
    void likelyCost_isHeld_andMakesTheBudgetSoft_butIsNoEstimateWhereOneIsRequired() {
        CircuitBreaker breaker = breaker("0.5");
        Permit permit = breaker.acquireFor(Estimate.likely(usd("0.2")));
        assertThat(shown(breaker)).isEqualTo("daily 0+0.2/0.5, calls 0+1/100");
        assertThat(breaker.budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.2+0/0.5, calls 1+0/100");

        CircuitBreaker strict = story.breaker()
                .budget(dailyBuilder("1").requireEstimate(true).build())
                .build();
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> strict.acquireFor(Estimate.likely(usd("0.2"))))
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(BudgetExceededException.Kind.UNPRICED));
        Permit bounded = strict.acquire(usd("0.2"));
        assertThat(refused(bounded, Estimate.likely(usd("0.1")))).isEqualTo("daily UNPRICED");
        assertThat(refused(bounded, atMost("0.1"))).isEqualTo("passes");
    }

    @Test
    void estimatePerCall_boundsAStepToo() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).estimatePerCall(usd("0.2")).build();
        Permit permit = breaker.acquire();

        permit.step(Estimate.UNKNOWN).endUnknown();
        permit.step(Estimate.likely(usd("5"))).endUnknown();
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/1");
    }

    @Test
    void stepOfWhichNobodySaysHowItEnded_costsItsHold_andLessIfSomebodySaysSoLater() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        step(permit, "0.1", "0.1");
        Step hanging = permit.step(atMost("0.3"));
        permit.cancel();
        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.1");

        hanging.end(usd("0.2"), Confidence.ESTIMATED);
        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.3");
        hanging.end(usd("0.25"), Confidence.REPORTED);
        assertThat(shown(breaker)).isEqualTo("daily 0.35+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.35");
    }

    @Test
    void lastWordOnAStepCounts() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        Step step = permit.step(atMost("0.3"));

        step.endUnknown();
        step.end(usd("0.2"), Confidence.ESTIMATED);
        step.end(usd("0.1"), Confidence.REPORTED);
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.1");
    }

    @Test
    void failedStep_costsItsHoldOnlyWhereTheRemoteMayHaveDoneItsWork() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();

        permit.step(atMost("0.3")).fail(new IOException("connection refused"));
        permit.step(atMost("0.2")).fail(new SocketTimeoutException("Read timed out"));
        permit.step(atMost("0.1")).fail(new InterruptedException("of the caller"));
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1, calls 1+0/100");
    }

    @Test
    void costRecordedOnTheCall_countsInPlaceOfItsSteps_beforeAndAfterThem() {
        CircuitBreaker before = breaker("1");
        Permit permit = before.acquire();
        permit.recordCost(usd("0.05"));
        step(permit, "0.3", "0.3");
        permit.success();
        assertThat(shown(before)).isEqualTo("daily 0.05+0/1, calls 1+0/100");
        assertThat(before.stats().totalEstimatedCost()).isEqualByComparingTo("0.05");

        CircuitBreaker after = breaker("1");
        Permit other = after.acquire();
        step(other, "0.3", "0.3");
        other.recordCost(usd("0.05"));
        other.success();
        assertThat(shown(after)).isEqualTo("daily 0.05+0/1, calls 1+0/100");
        assertThat(after.stats().totalEstimatedCost()).isEqualByComparingTo("0.05");
    }

    @Test
    void correctionAfterTheEnd_addsToWhatTheStepsCost() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        step(permit, "0.3", "0.3");
        permit.success();
        permit.recordCost(usd("0.1"));

        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.4");
    }

    @Test
    void stepAfterTheEnd_isNotRefused_andIsACorrection() {
        CircuitBreaker breaker = breaker("0.1");
        Permit permit = breaker.acquire(usd("0.1"));
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/0.1, calls 1+0/100");

        step(permit, "0.3", "0.3");

        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/0.1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.3");
    }

    @Test
    void openBreaker_refusesFurtherSteps_butNotThoseOfAProbe() {
        CircuitBreaker breaker = breaker("1");
        Permit early = breaker.acquire();
        breaker.forceOpen();
        assertThat(refused(early, atMost("0.1"))).isEqualTo("OPEN");
        breaker.holdOpen();
        assertThat(refused(early, atMost("0.1"))).isEqualTo("HELD_OPEN");
        assertThat(breaker.stats().totalRejected()).isEqualTo(2);
        breaker.reset();
        assertThat(refused(early, atMost("0.1"))).isEqualTo("passes");

        breaker.forceOpen();
        story.time.advance(Duration.ofMinutes(5));
        Permit probe = breaker.acquire();
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(refused(probe, atMost("0.1"))).isEqualTo("passes");
    }

    @Test
    void withoutBudgets_stepsOnlyCount() {
        List<String> told = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onCost(CircuitBreaker by, Cost cost, Confidence confidence) {
                        told.add(cost.usd().toPlainString() + " " + confidence);
                    }
                })
                .build();
        Permit permit = breaker.acquire();
        step(permit, "0.3", "0.1");
        permit.step(atMost("0.3")).end(usd("0.2"), Confidence.ESTIMATED);
        permit.step(Estimate.atMost(new Cost(50, 10, 300_000_000))).endUnknown();
        permit.step(atMost("0.3")).end(new Cost(7, 3, 300_000_000), Confidence.UNKNOWN);
        assertThat(told).isEmpty();
        permit.success();

        assertThat(breaker.stats().totalInputTokens())
                .as("those that somebody knew")
                .isEqualTo(7);
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.3");
        assertThat(told).containsExactlyInAnyOrder("0.1 REPORTED", "0.2 ESTIMATED", "0.3 UNKNOWN", "0.3 UNKNOWN");
    }

    @Test
    void listeners_areToldWhatWasRecorded_andWhatWasChargedForNothingKnown() {
        List<String> told = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .estimatePerCall(usd("0.2"))
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onCost(CircuitBreaker by, Cost cost, Confidence confidence) {
                        told.add(cost.usd().toPlainString() + " " + confidence);
                    }
                })
                .build();
        spend(breaker, "0.1");
        breaker.acquire().success();
        breaker.acquire().ignore();
        breaker.recordCost(usd("0.05"));
        Permit guessed = breaker.acquire();
        guessed.recordCost(usd("0.15"), Confidence.ESTIMATED);
        guessed.success();
        Permit unpriced = breaker.acquire();
        unpriced.recordCost(new Cost(10, 5, 200_000_000), Confidence.UNKNOWN);
        unpriced.success();

        assertThat(told)
                .containsExactly("0.1 REPORTED", "0.2 UNKNOWN", "0.05 REPORTED", "0.15 ESTIMATED", "0.2 UNKNOWN");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.3");
        assertThat(breaker.stats().totalInputTokens()).isEqualTo(10);
        assertThat(shown(breaker)).isEqualTo("daily 0.7+0/1");
    }

    @Test
    void ceilingAroundTheCall_andItsOwn_cutStepsOff_onceAndForAll() {
        CircuitBreaker agent = story.breaker().budget(run("0.5")).build();
        CircuitBreaker model =
                CircuitBreaker.builder("model").ticker(story.time).build();
        List<String> seen = new ArrayList<>();

        agent.<Void, RuntimeException>call(Cost.ZERO, permit -> {
            step(permit, "0.2", "0.2");
            seen.add(shown(agent));
            model.<Void, RuntimeException>call(Cost.ZERO, inner -> {
                step(inner, "0.2", "0.1");
                seen.add(shown(agent));
                seen.add(refused(inner, atMost("0.3")));
                seen.add(refused(inner, atMost("0.01")));
                return null;
            });
            seen.add(refused(permit, atMost("0.01")));
            seen.add(shown(agent));
            return null;
        });

        assertThat(seen)
                .containsExactly(
                        "run 0.2+0/0.5",
                        "run 0.3+0/0.5",
                        "run EXHAUSTED",
                        "run EXHAUSTED",
                        "run EXHAUSTED",
                        "run 0.3+0/0.5");
        assertThat(agent.stats().totalEstimatedCost()).isEqualByComparingTo("0.2");
        assertThat(model.stats().totalEstimatedCost()).isEqualByComparingTo("0.1");
    }

    @Test
    void severalBudgets_allOrNone() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .budget(Budget.tokens("tokens", 1_000)
                        .per(BudgetWindow.day(ZoneOffset.UTC))
                        .build())
                .build();
        Permit permit = breaker.acquire();
        permit.step(Estimate.atMost(new Cost(400, 100, 100_000_000)))
                .end(new Cost(400, 50, 90_000_000), Confidence.REPORTED);

        assertThat(refused(permit, Estimate.atMost(new Cost(400, 200, 100_000_000))))
                .isEqualTo("tokens EXHAUSTED");
        assertThat(shown(breaker)).isEqualTo("daily 0+0.1/1, tokens 0+500/1000");
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.09+0/1, tokens 450+0/1000");
    }

    @Test
    void stepRenewsTheTimeOfTheHold_andHoldsAgainWhatWasLost() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .holdTimeout(Duration.ofMinutes(15))
                .build();
        Permit permit = breaker.acquire(usd("0.1"));
        story.time.advance(Duration.ofMinutes(10));
        step(permit, "0.3", "0.2");
        story.time.advance(Duration.ofMinutes(10));
        assertThat(shown(breaker)).isEqualTo("daily 0+0.3/1");

        story.time.advance(Duration.ofMinutes(5));
        assertThat(shown(breaker)).isEqualTo("daily 0.3+0/1");
        Step last = permit.step(atMost("0.2"));
        assertThat(shown(breaker)).isEqualTo("daily 0+0.4/1");
        last.end(usd("0.2"), Confidence.REPORTED);
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/1");
    }

    @Test
    void stepAfterMidnight_isBookedInTheWindowOfItsCall() {
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .holdTimeout(Duration.ofDays(3))
                .build();
        Permit permit = breaker.acquire(usd("0.1"));
        story.time.advance(Duration.ofDays(1));
        spend(breaker, "0.7");

        assertThat(refused(permit, atMost("1.1"))).isEqualTo("daily EXHAUSTED");
        step(permit, "0.9", "0.8");
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.7+0/1");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("1.5");
    }

    @Test
    void observe_refusesNoStep_andCountsThoseItWould() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("0.5")).mode(Mode.OBSERVE).build();
        Permit permit = breaker.acquire();
        step(permit, "0.4", "0.4");
        step(permit, "0.4", "0.4");
        permit.success();

        assertThat(breaker.stats().wouldReject()).isEqualTo(1);
        assertThat(breaker.stats().totalRejected()).isZero();
        assertThat(shown(breaker)).isEqualTo("daily 0.8+0/0.5");
    }

    @Test
    void ledgerFarAway_isAskedWithoutBlocking_andWhatItFailsWithRefuses() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).ledger(ledger).build();
        Permit permit = breaker.acquire(usd("0.1"));
        ledger.away = true;
        CompletableFuture<Step> asked = permit.stepAsync(atMost("0.3")).toCompletableFuture();
        assertThat(asked).isNotDone();
        ledger.answer();
        asked.join().end(usd("0.2"), Confidence.REPORTED);

        CompletableFuture<Step> tooMuch = permit.stepAsync(atMost("0.9")).toCompletableFuture();
        ledger.answer();
        assertThatExceptionOfType(CompletionException.class)
                .isThrownBy(tooMuch::join)
                .withCauseInstanceOf(BudgetExceededException.class);

        ledger.away = false;
        ledger.broken = new IllegalStateException("the store is away");
        BudgetExceededException refused =
                catchThrowableOfType(BudgetExceededException.class, () -> permit.step(atMost("0.1")));
        assertThat(refused.kind()).isEqualTo(BudgetExceededException.Kind.STORE);
        assertThat(refused.getSuppressed()).containsExactly(ledger.broken);
        ledger.broken = null;
        permit.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.2+0/1");
    }

    @Test
    void absurdCost_isRefused_andTheStepGoesOn() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        Step step = permit.step(atMost("0.3"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> step.end(usd("1000001"), Confidence.REPORTED))
                .withMessage("cost must be at most 1000000 USD a record, but was 1000001 USD");
        step.end(usd("0.1"), Confidence.REPORTED);
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1, calls 1+0/100");
    }

    @Test
    void advice_isGivenFromDegradeAtOn_toTheCall_andToWhoeverLooks() {
        CircuitBreaker breaker = story.breaker()
                .budget(dailyBuilder("1").degradeAt(80).degradeTo("small").build())
                .build();
        spend(breaker, "0.7");
        assertThat(breaker.advice()).isEmpty();
        Permit permit = breaker.acquire(usd("0.05"));
        assertThat(permit.advice()).isEmpty();
        spend(breaker, "0.1");
        assertThat(permit.advice()).isEmpty();
        step(permit, "0.05", "0.05");

        Advice advice = permit.advice().orElseThrow();
        assertThat(advice.model()).contains("small");
        assertThat(advice.budget().name()).isEqualTo("daily");
        assertThat(advice.budget().spent()).isEqualByComparingTo("0.8");
        assertThat(breaker.advice().orElseThrow().model()).contains("small");
        permit.success();
        story.time.advance(Duration.ofDays(1));
        assertThat(breaker.advice()).isEmpty();
        assertThat(breaker.acquire().advice()).isEmpty();
    }

    @Test
    void advice_ofABudgetForOneCall_isGivenInsideThatCall() {
        CircuitBreaker agent = story.breaker()
                .budget(Budget.usd("run", new BigDecimal("1"))
                        .per(BudgetWindow.call())
                        .degradeAt(50)
                        .build())
                .build();
        agent.<Void, RuntimeException>call(Cost.ZERO, permit -> {
            step(permit, "0.3", "0.3");
            assertThat(permit.advice()).isEmpty();
            step(permit, "0.3", "0.3");
            assertThat(permit.advice().orElseThrow().budget().name()).isEqualTo("run");
            assertThat(permit.advice().orElseThrow().model()).isEmpty();
            return null;
        });
        assertThat(agent.advice()).isEmpty();
    }

    @Test
    void callWithoutAPrice_isRefused_whereABudgetCountsDollars() {
        CircuitBreaker tokens = story.breaker()
                .budget(Budget.tokens("tokens", 100)
                        .per(BudgetWindow.lifetime())
                        .build())
                .build();
        tokens.acquireFor(UNPRICED).step(UNPRICED).end(Cost.ZERO, Confidence.REPORTED);
        assertThat(tokens.stats().totalRejected()).isZero();

        CircuitBreaker dollars = breaker("1");
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> dollars.acquireFor(UNPRICED))
                .satisfies(refused -> assertThat(refused.kind()).isEqualTo(BudgetExceededException.Kind.UNPRICED));
        Permit permit = dollars.acquire();
        assertThatExceptionOfType(BudgetExceededException.class)
                .isThrownBy(() -> permit.step(UNPRICED))
                .withMessageContaining("in USD, because there is no price for model 'large'; set one");
        assertThat(dollars.stats().totalRejected()).isEqualTo(2);
        dollars.mode(Mode.OBSERVE);
        dollars.acquireFor(UNPRICED).success();
        assertThat(dollars.stats().wouldReject()).isEqualTo(1);
        dollars.mode(Mode.DISABLED);
        dollars.acquireFor(UNPRICED).success();
        assertThat(dollars.stats().wouldReject()).isEqualTo(1);
    }

    @Test
    void callThatTheEndOfTheApplicationSettled_isToldOnce_thoughItReportsLater() {
        List<String> told = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .budget(daily("10"))
                .ledger(new LedgerByHand())
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onCost(CircuitBreaker by, Cost cost, Confidence confidence) {
                        told.add(cost.usd().toPlainString() + " " + confidence);
                    }
                })
                .build();
        Permit permit = breaker.acquire(usd("1"));
        breaker.settleOpenCalls();
        permit.success();

        assertThat(told).containsExactly("1 UNKNOWN");
        assertThat(shown(breaker)).isEqualTo("daily 1+0/10");
    }

    @Test
    void endOfTheApplication_settlesWhatAStoreHolds_atWhatIsKnownOrAtItsHold() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().budget(daily("10")).ledger(ledger).build();
        Permit known = breaker.acquire(usd("1"));
        known.recordCost(usd("0.2"));
        Permit stepping = breaker.acquire(usd("1"));
        step(stepping, "0.5", "0.3");
        Permit unknown = breaker.acquire(usd("1"));
        breaker.acquire(usd("1")).ignore();
        assertThat(shown(breaker)).isEqualTo("daily 0+3/10");

        breaker.settleOpenCalls();
        assertThat(shown(breaker)).isEqualTo("daily 1.5+0/10");
        int settled = ledger.settlements;
        breaker.settleOpenCalls();
        assertThat(ledger.settlements).isEqualTo(settled);

        unknown.recordCost(usd("0.4"));
        unknown.success();
        assertThat(shown(breaker)).isEqualTo("daily 0.9+0/10");
    }

    @Test
    void lastWordOnAStepCounts_alsoIfItComesWhileAnEarlierOneIsBooked() {
        List<Step> late = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .budget(daily("1"))
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onCost(CircuitBreaker by, Cost cost, Confidence confidence) {
                        if (confidence == Confidence.ESTIMATED) {
                            late.get(0).end(usd("0.1"), Confidence.REPORTED);
                        }
                    }
                })
                .build();
        Permit permit = breaker.acquire();
        late.add(permit.step(atMost("0.3")));
        permit.success();

        late.get(0).end(usd("0.2"), Confidence.ESTIMATED);

        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.2");
    }

    @Test
    void costThatIsKnownAfterTheEnd_countsWhole_whereOnlyTheHoldWasCharged() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        Step step = permit.step(atMost("0.3"));
        step.endUnknown();
        permit.success();
        assertThat(breaker.stats().totalEstimatedCost()).isZero();

        step.end(usd("0.4"), Confidence.REPORTED);
        assertThat(shown(breaker)).isEqualTo("daily 0.4+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.4");

        step.end(usd("0.1"), Confidence.REPORTED);
        step.end(usd("0.4"), Confidence.REPORTED);
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.4");
    }

    @Test
    void stepAfterTheEnd_isBookedOnTopOfWhatWasRecordedOnTheCall() {
        CircuitBreaker breaker = breaker("1");
        Permit permit = breaker.acquire();
        permit.recordCost(usd("0.05"));
        step(permit, "0.3", "0.3");
        permit.success();

        step(permit, "0.2", "0.2");

        assertThat(shown(breaker)).isEqualTo("daily 0.25+0/1, calls 1+0/100");
        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.25");
    }

    @Test
    void stepsThatAreAskedForWhileTheirCallsEnd_areAllCounted() throws InterruptedException {
        int calls = 20_000;
        CircuitBreaker breaker = story.breaker().budget(daily("100")).build();
        List<Permit> permits = Stream.generate(breaker::acquire).limit(calls).toList();
        Thread reporter = new Thread(() -> permits.forEach(Permit::success));

        reporter.start();
        permits.forEach(permit -> step(permit, "0.001", "0.001"));
        reporter.join();

        assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("20");
        assertThat(shown(breaker)).isEqualTo("daily 20+0/100");
    }

    @Test
    void stepThatNobodyWaitsForAnyMore_costsNothing_andTheCallItsHold() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).ledger(ledger).build();
        Permit permit = breaker.acquire(usd("0.1"));
        ledger.away = true;
        CompletableFuture<Step> asked = permit.stepAsync(atMost("0.3")).toCompletableFuture();
        asked.cancel(false);
        ledger.answer();
        ledger.away = false;
        permit.success();

        assertThat(shown(breaker)).isEqualTo("daily 0.1+0/1");
    }

    @Test
    void stepRefusedByABudget_butMadeBecauseTheBreakerObservesNow_takesNothingFromOthers() {
        LedgerByHand ledger = new LedgerByHand();
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).ledger(ledger).build();
        Permit permit = breaker.acquire();
        Step hanging = permit.step(atMost("0.6"));
        ledger.away = true;
        CompletableFuture<Step> asked = permit.stepAsync(atMost("0.5")).toCompletableFuture();
        breaker.mode(Mode.OBSERVE);
        ledger.answer();
        asked.join().end(usd("0.1"), Confidence.REPORTED);
        permit.success();

        assertThat(hanging.hold()).isEqualTo(usd("0.6"));
        assertThat(shown(breaker)).isEqualTo("daily 0.7+0/1");
    }

    @Test
    void lostPermit_isNotRemembered_thoughItsHoldWouldOutliveTheProcess() {
        CircuitBreaker breaker =
                story.breaker().budget(daily("1")).ledger(new LedgerByHand()).build();
        WeakReference<Charge> charge =
                new WeakReference<>(breaker.acquire(usd("0.1")).charge());

        for (int i = 0; i < 50 && charge.get() != null; i++) {
            System.gc();
        }

        assertThat(charge.get()).isNull();
    }
}
