package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.bill;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.expression.spel.SpelEvaluationException;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Mono;

@ExtendWith(OutputCaptureExtension.class)
final class CostTest {
    private final ApplicationContextRunner application = application(Model.class, Chain.class);

    @Test
    void expression_thatGivesACost() {
        application.run(context -> {
            context.getBean(Model.class).answer("q");
            assertThat(bill(context, "cost")).isEqualTo("10 in, 5 out, 0.02 usd");
        });
    }

    @Test
    void expression_thatGivesDollars_overArgumentsByNameAndIndex() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.literal();
            assertThat(bill(context, "literal")).isEqualTo("0 in, 0 out, 0.02 usd");
            model.byName(new BigDecimal("0.3"), 2);
            assertThat(bill(context, "byName")).isEqualTo("0 in, 0 out, 0.6 usd");
            model.byIndex(BigInteger.TWO, 3);
            assertThat(bill(context, "byIndex")).isEqualTo("0 in, 0 out, 5 usd");
            model.built(7, 8);
            assertThat(bill(context, "built")).isEqualTo("7 in, 8 out, 0.5 usd");
        });
    }

    @Test
    void expression_countsAfterCompilation_likeBefore() {
        application.run(context -> {
            for (int i = 0; i < 10_000; i++) {
                context.getBean(Model.class).answer("q");
            }
            assertThat(bill(context, "cost")).isEqualTo("100000 in, 50000 out, 200 usd");
        });
    }

    @Test
    void expression_seesTheValueOfAFuture() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            CompletableFuture<Answer> answer = model.later();
            assertThat(bill(context, "later")).isEqualTo("0 in, 0 out, 0 usd");
            model.wire().pending.complete(new Answer("late", Cost.of(3, 4, new BigDecimal("0.1"))));
            assertThat(answer.get().text()).isEqualTo("late");
            assertThat(bill(context, "later")).isEqualTo("3 in, 4 out, 0.1 usd");
        });
    }

    @Test
    void expression_onAFuture_cutsNothingOff() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.later().cancel(true);
            assertThat(model.wire().pending).isCancelled();
            assertThat(history(context, "later")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void expression_isNotEvaluatedAfterAFailure() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            failing(() -> model.failing("q"));
            CompletableFuture<Answer> answer = model.later();
            model.wire().pending.completeExceptionally(new IOException("down"));
            failing(answer::get);
            assertThat(bill(context, "failing")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(bill(context, "later")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(context.getBean(LostCosts.class)
                            .of("failing", LostCosts.Reason.EXPRESSION)
                            .sum())
                    .isZero();
        });
    }

    @Test
    void expression_thatFails_leavesTheResultAlone_isCounted_andLoggedOnce(CapturedOutput output) {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            for (int i = 0; i < 3; i++) {
                assertThat(model.broken()).isEqualTo("text");
            }
            assertThat(history(context, "broken")).isEqualTo("3 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(bill(context, "broken")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(context.getBean(LostCosts.class)
                            .of("broken", LostCosts.Reason.EXPRESSION)
                            .sum())
                    .isEqualTo(3);
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "'#result.price()' of " + name() + ".broken()"))
                    .isEqualTo(1);
        });
    }

    @Test
    void expression_thatFailsForWantOfAResult_isCounted_andLoggedInOneLine(CapturedOutput output) {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            for (int i = 0; i < 3; i++) {
                assertThat(model.empty(null).blockOptional()).isEmpty();
            }
            assertThat(model.empty(new Answer("text", Cost.usd("0.02"))).block())
                    .isNotNull();
            assertThat(history(context, "empty")).isEqualTo("4 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(bill(context, "empty")).isEqualTo("0 in, 0 out, 0.02 usd");
            assertThat(context.getBean(LostCosts.class)
                            .of("empty", LostCosts.Reason.EXPRESSION)
                            .sum())
                    .isEqualTo(3);
            assertThat(output.getOut()
                            .lines()
                            .filter(line -> line.contains("'#result.cost()' of " + name() + ".empty(")))
                    .singleElement()
                    .asString()
                    .endsWith("failed, and there is no result: the call's cost is not recorded. If such a call costs"
                            + " nothing, write '#result == null ? 0 : …'. Further failures without a result are counted"
                            + " and not logged. It was " + SpelEvaluationException.class.getName()
                            + ": EL1011E: Method call: Attempted to call method cost() on null context object");
            assertThat(output).doesNotContain("\tat ");
        });
    }

    @Test
    void expression_ofTheArgumentsAlone_needsNoResult() {
        application.run(context -> {
            assertThat(context.getBean(Model.class).emptyByLetter("four").blockOptional())
                    .isEmpty();
            assertThat(bill(context, "letters")).isEqualTo("0 in, 0 out, 4 usd");
        });
    }

    @Test
    void expression_thatAllowsForNoResult_isNotLost() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            assertThat(model.allowing(null).blockOptional()).isEmpty();
            assertThat(model.allowing(new Answer("text", Cost.usd("0.02"))).block())
                    .isNotNull();
            assertThat(bill(context, "allowing")).isEqualTo("0 in, 0 out, 0.02 usd");
            assertThat(context.getBean(LostCosts.class)
                            .of("allowing", LostCosts.Reason.EXPRESSION)
                            .sum())
                    .isZero();
        });
    }

    @Test
    void expression_thatGivesNoCost_isCounted() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            assertThat(model.given(null)).isNull();
            assertThat(model.given("0.5")).isEqualTo("0.5");
            assertThat(model.given(Double.NaN)).isEqualTo(Double.NaN);
            assertThat(model.given(-1)).isEqualTo(-1);
            assertThat(model.given(2_000_000)).isEqualTo(2_000_000);
            assertThat(model.given(0)).isEqualTo(0);
            assertThat(bill(context, "given")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(context.getBean(LostCosts.class)
                            .of("given", LostCosts.Reason.EXPRESSION)
                            .sum())
                    .isEqualTo(5);
            assertThat(history(context, "given")).isEqualTo("6 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void recorder_addsUp_andBeatsTheExpression() {
        application.run(context -> {
            context.getBean(Model.class).recordsTwice();
            assertThat(bill(context, "recorder")).isEqualTo("3 in, 4 out, 0.3 usd");
        });
    }

    @Test
    void recordedZero_beatsTheExpression() {
        application.run(context -> {
            context.getBean(Model.class).recordsNothing();
            assertThat(bill(context, "recorder")).isEqualTo("0 in, 0 out, 0 usd");
        });
    }

    @Test
    void recorder_countsWhenTheMethodThenFails() {
        application.run(context -> {
            failing(context.getBean(Model.class)::recordsAndFails);
            assertThat(bill(context, "recorder")).isEqualTo("1 in, 2 out, 0.1 usd");
            assertThat(history(context, "recorder")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void recorder_belongsToTheInnermostCall() {
        application.run(context -> {
            context.getBean(Chain.class).run();
            assertThat(bill(context, "chain")).isEqualTo("100 in, 1 out, 0 usd");
            assertThat(bill(context, "recorder")).isEqualTo("3 in, 4 out, 0.3 usd");
        });
    }

    @Test
    void recorder_refusesBadAmounts_whereTheyAreRecorded() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> model.records(-1, BigDecimal.ONE))
                    .withMessageContaining("inputTokens must not be negative, but was -1");
            assertThatIllegalArgumentException().isThrownBy(() -> model.records(1, new BigDecimal("1000001")));
            assertThat(bill(context, "recorder")).isEqualTo("0 in, 0 out, 0 usd");
        });
    }

    @Test
    void recorder_outsideEveryCall_warnsOnceACallSite_andNeverThrows(CapturedOutput output) {
        application.run(context -> {
            CostRecorder costs = context.getBean(CostRecorder.class);
            for (int i = 0; i < 3; i++) {
                costs.record(1, 1, BigDecimal.ONE);
            }
            costs.record(-1, 1, BigDecimal.ONE);
            costs.record(Cost.ZERO);
            context.getBean(Model.class).answer("q");
            costs.current().record(Cost.usd("1"));
            assertThat(context.getBean(LostCosts.class).outside().sum()).isEqualTo(6);
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "outside every guarded call"))
                    .isEqualTo(4);
            assertThat(output.getOut()).contains("(CostTest.java:");
        });
    }

    @Test
    void handleTakenOutsideEveryCall_recordsOnNoneInside() {
        application.run(context -> {
            CostRecorder outside = context.getBean(CostRecorder.class).current();
            context.getBean(Model.class).runs(() -> outside.record(Cost.usd("1")));
            assertThat(bill(context, "recorder")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(context.getBean(LostCosts.class).outside().sum()).isEqualTo(1);
        });
    }

    @Test
    void handle_recordsOnItsCall_fromAnotherThread_andAfterTheMethodHasReturned() {
        application.run(context -> {
            AtomicReference<CostRecorder> handle = new AtomicReference<>();
            Model model = context.getBean(Model.class);
            model.runs(() -> {
                CostRecorder here = context.getBean(CostRecorder.class).current();
                handle.set(here);
                CompletableFuture.runAsync(() -> here.record(1, 2, BigDecimal.ONE))
                        .join();
            });
            assertThat(bill(context, "recorder")).isEqualTo("1 in, 2 out, 1 usd");
            handle.get().current().record(10, 20, BigDecimal.TEN);
            assertThat(bill(context, "recorder")).isEqualTo("11 in, 22 out, 11 usd");
        });
    }

    @Test
    void handleOfAFuturesCall_beatsTheExpression() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            CompletableFuture<Answer> answer = model.later();
            model.wire().handle.record(1, 2, BigDecimal.ONE);
            model.wire().pending.complete(new Answer("late", Cost.usd("7")));
            assertThat(answer.get().text()).isEqualTo("late");
            assertThat(bill(context, "later")).isEqualTo("1 in, 2 out, 1 usd");
        });
    }

    @Test
    void fallback_isOutsideTheCall() {
        application.run(context -> {
            assertThat(context.getBean(Model.class).withFallback()).isEqualTo("canned");
            assertThat(bill(context, "fallback")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(context.getBean(LostCosts.class).outside().sum()).isEqualTo(1);
        });
    }

    @Test
    void applicationsOwnRecorder_replacesOurs() {
        application
                .withBean("mine", CostRecorder.class, InertCostRecorder::new)
                .run(context ->
                        assertThat(context).hasSingleBean(CostRecorder.class).hasBean("mine"));
    }

    private static String name() {
        return Signature.name(Model.class);
    }

    /** What a model answers, with its bill. */
    public record Answer(String text, Cost cost) {}

    static final class Wire {
        volatile CompletableFuture<Answer> pending = new CompletableFuture<>();
        volatile CostRecorder handle = new InertCostRecorder();
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // used by expressions and as fallbacks
    static class Model {
        private final Wire wire = new Wire();
        private final CostRecorder costs;

        Model(CostRecorder costs) {
            this.costs = costs;
        }

        Wire wire() {
            return wire;
        }

        @GuardedBy(name = "cost", cost = "#result.cost()")
        public Answer answer(String question) {
            return new Answer("text", Cost.of(10, 5, new BigDecimal("0.02")));
        }

        @GuardedBy(name = "literal", cost = "0.02") public void literal() {}

        @GuardedBy(name = "byName", cost = "#price * #count") public void byName(BigDecimal price, int count) {}

        @GuardedBy(name = "byIndex", cost = "#a0 + #p1") public void byIndex(BigInteger first, int second) {}

        @GuardedBy(
                name = "built",
                cost = "T(dev.guardedby.circuitbreaker.Cost).of(#in, #out, new java.math.BigDecimal('0.5'))")
        public void built(long in, long out) {}

        @GuardedBy(name = "later", cost = "#result.cost") public CompletableFuture<Answer> later() {
            wire.pending = new CompletableFuture<>();
            wire.handle = costs.current();
            return wire.pending;
        }

        @GuardedBy(name = "failing", cost = "#result.cost") public Answer failing(String question) throws IOException {
            throw new IOException("down");
        }

        @GuardedBy(name = "empty", cost = "#result.cost()")
        public Mono<Answer> empty(@Nullable Answer answer) {
            return Mono.justOrEmpty(answer);
        }

        @GuardedBy(name = "allowing", cost = "#result == null ? 0 : #result.cost()")
        public Mono<Answer> allowing(@Nullable Answer answer) {
            return Mono.justOrEmpty(answer);
        }

        @GuardedBy(name = "letters", cost = "#p0.length") public Mono<Answer> emptyByLetter(String question) {
            return Mono.empty();
        }

        @GuardedBy(name = "broken", cost = "#result.price()")
        public String broken() {
            return "text";
        }

        @GuardedBy(name = "given", cost = "#result") public @Nullable Object given(@Nullable Object cost) {
            return cost;
        }

        @GuardedBy(name = "recorder", cost = "9") public void recordsTwice() {
            costs.record(1, 2, new BigDecimal("0.1"));
            costs.record(Cost.of(2, 2, new BigDecimal("0.2")));
        }

        @GuardedBy(name = "recorder", cost = "9") public void recordsNothing() {
            costs.record(Cost.ZERO);
        }

        @GuardedBy("recorder") public void recordsAndFails() throws IOException {
            costs.record(1, 2, new BigDecimal("0.1"));
            throw new IOException("down");
        }

        @GuardedBy("recorder") public void records(long tokens, BigDecimal usd) {
            costs.record(tokens, 0, usd);
        }

        @GuardedBy("recorder") public void runs(Runnable inside) {
            inside.run();
        }

        @GuardedBy(name = "fallback", fallback = "canned") public String withFallback() {
            throw new IllegalStateException("down");
        }

        private String canned() {
            costs.record(1, 1, BigDecimal.ONE);
            return "canned";
        }
    }

    static class Chain {
        private final Model model;
        private final CostRecorder costs;

        Chain(Model model, CostRecorder costs) {
            this.model = model;
            this.costs = costs;
        }

        @GuardedBy("chain") public void run() {
            costs.record(50, 0, BigDecimal.ZERO);
            model.recordsTwice();
            costs.record(50, 1, BigDecimal.ZERO);
        }
    }
}
