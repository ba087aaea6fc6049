package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.breaker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.models.ModelCall;
import dev.guardedby.spring.models.ModelCalls;
import dev.guardedby.spring.models.ModelRequest;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import dev.guardedby.spring.usage.UsageExtractor;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.aopalliance.intercept.MethodInterceptor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Calls of models inside guarded calls, made by what stands between an application and its models. */
final class ModelStepsTest {
    /** 1 USD a million tokens either way for the model that has a price, a tenth of that for the small one. */
    private final ApplicationContextRunner application = Guarded.application(Agent.class)
            .withConfiguration(AutoConfigurations.of(GuardedByPricesAutoConfiguration.class))
            .withUserConfiguration(Client.class)
            .withPropertyValues(
                    "guardedby.prices.models[0].model=large",
                    "guardedby.prices.models[0].input=1",
                    "guardedby.prices.models[0].output=1",
                    "guardedby.prices.models[1].model=small",
                    "guardedby.prices.models[1].input=0.1",
                    "guardedby.prices.models[1].output=0.1",
                    "guardedby.breakers.llm.budgets.daily.usd=1",
                    "guardedby.breakers.llm.budgets.daily.window=day");

    /** What a model answers; it used as many tokens in as out. */
    record Reply(String model, long tokens) {}

    @Configuration(proxyBeanMethods = false)
    static class Client {
        @Bean
        UsageExtractor replies() {
            return UsageExtractor.of(
                    Reply.class,
                    reply -> reply.tokens() < 0
                            ? Optional.empty()
                            : Optional.of(ModelUsage.of(reply.model(), Usage.of(reply.tokens(), reply.tokens()))));
        }

        @Bean
        Costs costs() {
            return new Costs();
        }
    }

    static final class Costs implements CircuitBreakerListener {
        final List<String> told = new ArrayList<>();

        @Override
        public void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
            told.add(cost.usd().toPlainString() + " " + confidence);
        }
    }

    static class Agent {
        private final ModelCalls models;
        private final CostRecorder costs;
        private final List<String> asked = new ArrayList<>();

        Agent(ModelCalls models, CostRecorder costs) {
            this.models = models;
            this.costs = costs;
        }

        List<String> asked() {
            return asked;
        }

        /** Each round uses so many tokens, of at most 200,000 in and 100,000 out. */
        @GuardedBy("llm") public String work(String model, long... rounds) {
            for (long tokens : rounds) {
                ask(model, tokens);
            }
            return "done";
        }

        @GuardedBy("llm") public String workWithoutLimit(long tokens) {
            ModelCall call = models.begin(ModelRequest.of("large").withTokens(100, null));
            call.end(new Reply("large", tokens));
            return "done";
        }

        /** With 100,000 tokens in, tried three times at most. */
        @GuardedBy("llm") public String tellNothing(@Nullable Long limit) {
            models.begin(ModelRequest.of("large").withTokens(100_000, limit).triedAtMost(3))
                    .end((Object) null);
            return "done";
        }

        @GuardedBy("llm") public String workUnnamed(String answeredBy) {
            models.begin(ModelRequest.of(null).withTokens(100, null)).end(new Reply(answeredBy, 10));
            return "done";
        }

        @GuardedBy("llm") public String giveUpWithoutLimit(long seen) {
            models.begin(ModelRequest.of("large").withTokens(100, null)).cut(seen);
            return "gave up";
        }

        @GuardedBy("llm") public String workAs(String answeredBy) {
            ModelCall call = models.begin(request("large"));
            String used = call.model().orElse("large");
            asked.add(used);
            call.end(new Reply(used.equals("large") ? used : answeredBy, 10));
            return "done";
        }

        @GuardedBy("llm") public String stream(@Nullable Long limit, long seen) {
            models.begin(ModelRequest.of("large").withTokens(100, limit)).endStream(null, seen);
            return "done";
        }

        @GuardedBy("llm") public String answeredBy(String other, long tokens) {
            models.begin(request("large")).end(new Reply(other, tokens));
            return "done";
        }

        @GuardedBy("llm") public Reply workAndTell(String model, long tokens) {
            ask(model, tokens);
            return new Reply(model, tokens);
        }

        @GuardedBy("llm") public String workAndRecord(String model, long tokens) {
            ask(model, tokens);
            costs.record(0, 0, new BigDecimal("0.01"));
            return "done";
        }

        @GuardedBy("llm") public String fail(String model, Throwable failure) {
            models.begin(request(model)).fail(failure);
            return "made do without";
        }

        @GuardedBy("llm") public String giveUp(String model, long seen) {
            models.begin(request(model)).cut(seen);
            return "gave up";
        }

        @GuardedBy("llm") public Optional<Advice> advice() {
            return costs.current().advice();
        }

        @GuardedBy("llm") public Mono<String> workLater(String model, long tokens) {
            return Mono.deferContextual(context -> Mono.fromCompletionStage(models.beginAsync(
                                    request(model), context.getOrDefault(ModelCalls.CONTEXT_KEY, null)))
                            .doOnNext(call -> call.end(new Reply(model, tokens)))
                            .map(call -> "done"))
                    .subscribeOn(Schedulers.parallel());
        }

        @GuardedBy("plain") public Reply tell(String model, long tokens) {
            asked.add(model);
            return new Reply(model, tokens);
        }

        @GuardedBy("plain") public @Nullable Reply tellNothing() {
            return new Reply("large", -1);
        }

        private void ask(String model, long tokens) {
            ModelCall call = models.begin(request(model));
            String used = call.model().orElse(model);
            asked.add(used);
            call.end(new Reply(used, tokens));
        }

        private static ModelRequest request(String model) {
            return ModelRequest.of(model).withTokens(200_000, 100_000L);
        }
    }

    /** One that lives on when the application ends. */
    private static final class StoreOfAnother implements Ledger {
        private final Ledger accounts = Ledger.inMemory();
        private final List<String> settled;

        StoreOfAnother(List<String> settled) {
            this.settled = settled;
        }

        @Override
        public CompletionStage<Answer> reserve(Hold hold) {
            return accounts.reserve(hold);
        }

        @Override
        public CompletionStage<Answer> extend(Extension extension) {
            return accounts.extend(extension);
        }

        @Override
        public CompletionStage<List<Balance>> settle(Settlement settlement) {
            settled.add(settlement.amount(0) + " at revision " + settlement.revision());
            return accounts.settle(settlement);
        }

        @Override
        public CompletionStage<Balance> adjust(Adjustment adjustment) {
            return accounts.adjust(adjustment);
        }

        @Override
        public CompletionStage<Balance> limit(Line line, Moment now) {
            return accounts.limit(line, now);
        }

        @Override
        public CompletionStage<List<Balance>> look(List<Line> lines, Moment now) {
            return accounts.look(lines, now);
        }
    }

    private static String spent(CircuitBreaker breaker) {
        BudgetStatus budget = breaker.budgets().get(0);
        return budget.spent().toPlainString() + "+" + budget.held().toPlainString();
    }

    private static Kind refused(Runnable call) {
        return catchThrowableOfType(BudgetExceededException.class, call::run).kind();
    }

    private static List<String> asked(ApplicationContext context) {
        return context.getBean(Agent.class).asked();
    }

    @Test
    void eachRoundIsPaidOnce_whateverTheMethodReturns() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.work("large", 10_000, 20_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.06+0");
            agent.workAndTell("large", 10_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.08+0");
            assertThat(breaker(context, "llm").stats().totalEstimatedCost()).isEqualByComparingTo("0.08");
            assertThat(breaker(context, "llm").stats().totalInputTokens()).isEqualTo(40_000);
        });
    }

    @Test
    void whatTheMethodRecords_countsInPlaceOfItsRounds() {
        application.run(context -> {
            context.getBean(Agent.class).workAndRecord("large", 10_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.01+0");
            assertThat(breaker(context, "llm").stats().totalEstimatedCost()).isEqualByComparingTo("0.01");
        });
    }

    @Test
    void roundThatMayPassTheBudget_isNotMade() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            assertThat(refused(() -> agent.work("large", 120_000, 120_000, 150_000, 1)))
                    .isEqualTo(Kind.EXHAUSTED);
            assertThat(asked(context)).hasSize(3);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.78+0");
            assertThat(breaker(context, "llm").stats().totalFailures()).isZero();
            assertThat(refused(() -> agent.work("large", 1))).isEqualTo(Kind.EXHAUSTED);
            assertThat(asked(context)).hasSize(3);
        });
    }

    /** At 1 USD for a million tokens, each way. */
    @Test
    void streamWithoutUsage_costsWhatWasSeenOfIt_ifThatIsMore_butNeverMoreThanItsLimit() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.stream(null, 500_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.5001+0");
            agent.stream(10_000L, 500_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.5102+0");
        });
    }

    @Test
    void modelThatAnswersInPlaceOfAnother_withoutAPrice_isRefusedNextTime() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.answeredBy("unheard-of", 10);
            assertThat(refused(() -> agent.answeredBy("large", 10))).isEqualTo(Kind.UNPRICED);
            agent.work("small", 10);
        });
    }

    @Test
    void modelThatOnlyTheAnswerToARoundNames_withoutAPrice_costsTheHold_andIsRefusedNextTime() {
        application
                .withPropertyValues("guardedby.breakers.llm.estimate-per-call.usd=0.25")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    agent.workUnnamed("unheard-of");
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("0.25+0");
                    assertThat(refused(() -> agent.workUnnamed("unheard-of"))).isEqualTo(Kind.UNPRICED);
                    agent.work("large", 10);
                });
    }

    @Test
    void modelThatOnlyTheAnswerToARoundNames_withAPrice_isAskedAgain() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.workUnnamed("large");
            agent.workUnnamed("large");
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.00004+0");
        });
    }

    /** It has a price for what is sent, and none for an answer. */
    @Test
    void modelWithHalfAPrice_isRefused() {
        application
                .withPropertyValues("guardedby.prices.models[2].model=half", "guardedby.prices.models[2].input=1")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    assertThat(refused(() -> agent.work("half", 10))).isEqualTo(Kind.UNPRICED);
                    assertThat(asked(context)).isEmpty();
                });
    }

    @Test
    void whereNothingIsEnforced_noOtherModelIsAsked() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.mode=observe",
                        "guardedby.breakers.llm.budgets.daily.degrade-at=1",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=small")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    agent.work("large", 100_000);
                    agent.work("large", 10);
                    assertThat(asked(context)).containsExactly("large", "large");
                });
    }

    @Test
    void issue15_modelWithoutAPrice_isRefusedBeforeItIsAsked() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            assertThat(refused(() -> agent.work("unheard-of", 1))).isEqualTo(Kind.UNPRICED);
            assertThat(asked(context)).isEmpty();
            agent.work("large", 10_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.02+0");
        });
    }

    @Test
    void modelWithoutAPrice_costsTheEstimate_orNothing_ifTheConfigurationSaysSo() {
        ApplicationContextRunner estimating = application.withPropertyValues(
                "guardedby.prices.unknown=estimate", "guardedby.breakers.llm.estimate-per-call.usd=0.25");
        estimating.run(context -> {
            context.getBean(Agent.class).work("unheard-of", 10);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.25+0");
            assertThat(context.getBean(Costs.class).told).containsExactly("0.25 ESTIMATED");
        });
        application
                .withPropertyValues("guardedby.prices.unknown=allow-and-flag")
                .run(context -> {
                    context.getBean(Agent.class).work("unheard-of", 10);
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("0+0");
                    assertThat(breaker(context, "llm").stats().totalInputTokens())
                            .isEqualTo(10);
                });
    }

    @Test
    void modelThatOnlyTheResultNames_isChargedTheHold_andRefusedNextTime_untilItHasAPrice() {
        application
                .withPropertyValues(
                        "guardedby.breakers.plain.budgets.daily.usd=1",
                        "guardedby.breakers.plain.budgets.daily.window=day",
                        "guardedby.breakers.plain.estimate-per-call.usd=0.25")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    agent.tell("unheard-of", 10);
                    assertThat(spent(breaker(context, "plain"))).isEqualTo("0.25+0");
                    assertThat(breaker(context, "plain").stats().totalInputTokens())
                            .isEqualTo(10);
                    assertThat(context.getBean(Costs.class).told).containsExactly("0.25 UNKNOWN");

                    assertThat(refused(() -> agent.tell("unheard-of", 10))).isEqualTo(Kind.UNPRICED);
                    assertThat(refused(() -> agent.tell("large", 10))).isEqualTo(Kind.UNPRICED);
                    assertThat(asked(context)).hasSize(1);
                });
    }

    @Test
    void fromDegradeAtOn_theCheaperModelIsAsked_andTheMethodCanAsk() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.degrade-at=50",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=small")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    assertThat(agent.advice()).isEmpty();
                    agent.work("large", 150_000);
                    agent.work("large", 100_000);
                    assertThat(agent.advice().orElseThrow().model()).contains("small");
                    agent.work("large", 100_000);
                    assertThat(asked(context)).containsExactly("large", "large", "small");
                    assertThat(spent(breaker(context, "llm"))).isEqualTo("0.52+0");
                    assertThat(context.getBean(CostRecorder.class).advice()).isEmpty();
                });
    }

    @Test
    void cheaperModelWithoutAPrice_isNotAsked_forItWouldBeRefused() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.degrade-at=50",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=smal")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    agent.work("large", 150_000);
                    agent.work("large", 100_000);
                    agent.work("large", 10);
                    assertThat(asked(context)).containsExactly("large", "large", "large");
                });
    }

    @Test
    void cheaperModelThatAnswersUnderANameWithoutAPrice_isNotAskedAgain_forItWouldBeRefused() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.degrade-at=1",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=small")
                .run(context -> {
                    breaker(context, "llm").recordCost(Cost.usd("0.1"));
                    Agent agent = context.getBean(Agent.class);
                    for (int i = 0; i < 3; i++) {
                        agent.workAs("unheard-of");
                    }
                    assertThat(asked(context)).containsExactly("small", "large", "large");
                });
    }

    @Test
    void roundThatTellsNothing_costsOneAttempt_withALimitForItsAnswerOrWithout() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.tellNothing(50_000L);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.15+0");
            agent.tellNothing(null);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.25+0");
        });
    }

    /** There may be an image in it, which nobody has counted. */
    @Test
    void roundWithoutABound_thatIsCutShort_costsNoLessThanItHeld() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            for (int i = 0; i < 20; i++) {
                agent.workWithoutLimit(1_000);
            }
            agent.giveUpWithoutLimit(10);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.042+0");
            agent.giveUpWithoutLimit(100_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.1421+0");
        });
    }

    @Test
    void roundWithoutALimitForItsAnswer_thatTellsNothing_costsWhatSuchRoundsDoAsARule() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            for (int i = 0; i < 20; i++) {
                agent.workWithoutLimit(1_000);
            }
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.04+0");
            agent.workWithoutLimit(-1);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.042+0");
        });
    }

    @Test
    void failedRound_costsWhatItHeld_onlyAfterAReadTimeout_andOneCutShortWhatWasSeen() {
        application.run(context -> {
            Agent agent = context.getBean(Agent.class);
            agent.fail("large", new IllegalStateException("refused"));
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0+0");
            agent.fail("large", new SocketTimeoutException("Read timed out"));
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.3+0");
            agent.giveUp("large", 50_000);
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.55+0");
            assertThat(context.getBean(Costs.class).told)
                    .containsExactly("0 REPORTED", "0.3 UNKNOWN", "0.25 ESTIMATED");
        });
    }

    @Test
    void reactiveChain_knowsTheCallItIsIn_onOtherThreads() {
        application.run(context -> {
            assertThat(context.getBean(Agent.class).workLater("large", 10_000).block())
                    .isEqualTo("done");
            assertThat(spent(breaker(context, "llm"))).isEqualTo("0.02+0");
        });
    }

    @Test
    void outsideEveryGuardedCall_andSwitchedOff_everyModelMayBeAsked() {
        application.run(context -> {
            ModelCalls models = context.getBean(ModelCalls.class);
            models.begin(ModelRequest.of("unheard-of")).end(new Reply("unheard-of", 10));
            CompletionStage<ModelCall> later = models.beginAsync(ModelRequest.of("unheard-of"), null);
            assertThat(((CompletableFuture<ModelCall>) later).join().model()).isEmpty();
            assertThat(breaker(context, "llm").stats().totalInputTokens()).isZero();
        });
        application.withPropertyValues("guardedby.enabled=false").run(context -> {
            context.getBean(Agent.class).work("unheard-of", 10);
            assertThat(asked(context)).containsExactly("unheard-of");
        });
    }

    @Test
    void costOfAMethodIsLearnt_heldForTheNext_andChargedWhereNothingIsTold() {
        application
                .withPropertyValues(
                        "guardedby.breakers.plain.budgets.daily.usd=10",
                        "guardedby.breakers.plain.budgets.daily.window=day")
                .run(context -> {
                    Agent agent = context.getBean(Agent.class);
                    for (int i = 1; i <= 20; i++) {
                        agent.tell("large", 1_000L * i);
                    }
                    assertThat(spent(breaker(context, "plain"))).isEqualTo("0.42+0");
                    agent.tellNothing();
                    assertThat(spent(breaker(context, "plain")))
                            .as("nothing was learnt of this method")
                            .isEqualTo("0.42+0");
                    LearntCost learnt = new LearntCost();
                    for (int i = 1; i <= 20; i++) {
                        learnt.add(new Cost(i, 2L * i, 1_000L * i));
                    }
                    assertThat(learnt.likely().likely()).isEqualTo(new Cost(19, 38, 19_000));
                });
    }

    @Test
    void endOfTheApplication_settlesWhatIsUnderWay() {
        List<String> settled = new ArrayList<>();
        application
                .withBean(Ledger.class, () -> new StoreOfAnother(settled))
                .run(context -> breaker(context, "llm").acquire(Cost.usd("0.25")));
        assertThat(settled).containsExactly("250000000 at revision 1");
    }

    @Test
    void lastWordOnARound_addsWhatWasNotSaidBefore_whereNoPermitIsAtHand() {
        application.run(context -> {
            ModelCalls models = context.getBean(ModelCalls.class);
            CircuitBreaker breaker = CircuitBreaker.of("plain");
            Runnable work = ProxyFactory.getProxy(Runnable.class, (MethodInterceptor) invocation -> {
                GuardedMethod method = new GuardedMethod(
                        invocation.getMethod(),
                        breaker,
                        PlainShape.OF_RESULT,
                        null,
                        null,
                        null,
                        null,
                        null,
                        new LearntCost());
                GuardedCall before = GuardedCall.enter(new GuardedCall(method, invocation, breaker, null));
                try {
                    ModelCall call = models.begin(ModelRequest.of("large").withTokens(200, 100L));
                    call.cut(50);
                    call.end(new Reply("large", 300));
                    return null;
                } finally {
                    GuardedCall.enter(before);
                }
            });

            work.run();

            assertThat(breaker.stats().totalInputTokens()).isEqualTo(300);
            assertThat(breaker.stats().totalOutputTokens()).isEqualTo(300);
            assertThat(breaker.stats().totalEstimatedCost()).isEqualByComparingTo("0.0006");
        });
    }

    @Test
    void requestOutOfRange_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelRequest.of("large").triedAtMost(Integer.MAX_VALUE))
                .withMessage("attempts must be from 1 to 1000, but was 2147483647");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelRequest.of("large").withTokens(-1, null))
                .withMessage("inputTokens must be from 0 to 1000000000000, but was -1");
    }
}
