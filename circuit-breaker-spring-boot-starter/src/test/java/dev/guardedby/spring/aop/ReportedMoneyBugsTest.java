package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What went wrong with other people's budgets on the way through an application, named after where it was reported. */
final class ReportedMoneyBugsTest {
    private final ApplicationContextRunner application = Guarded.application(Model.class)
            .withPropertyValues(
                    "guardedby.breakers.llm.budgets.daily.usd=1",
                    "guardedby.breakers.llm.budgets.daily.window=day",
                    "guardedby.breakers.llm.estimate-per-call.usd=0.80");

    /** A way to make a call; it throws what the caller gets to see. */
    enum Way {
        PLAIN {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                assertThat(model.plain()).isEqualTo("Because.");
            }
        },
        STAGE {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                assertThat(model.stage().toCompletableFuture().join()).isEqualTo("Because.");
            }
        },
        MONO {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                assertThat(model.mono().block()).isEqualTo("Because.");
            }
        },
        FLUX {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                assertThat(model.flux().collectList().block()).containsExactly("Be", "cause.");
            }
        },
        LAMBDA {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                assertThat(breaker.call(model::unguarded)).isEqualTo("Because.");
            }
        },
        ACTION {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                breaker.run(model::unguarded);
            }
        },
        FUTURE {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                breaker.callAsync(() -> CompletableFuture.completedFuture(model.unguarded()))
                        .join();
            }
        },
        PERMIT {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                made(breaker.acquire(), model);
            }
        },
        PERMIT_LATER {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                made(breaker.acquireAsync(Cost.ZERO).toCompletableFuture().join(), model);
            }
        },
        PERMIT_IF_ANY {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                made(breaker.tryAcquire().orElseThrow(() -> refusal(breaker)), model);
            }
        },
        WITHOUT_PERMIT {
            @Override
            void call(Model model, CircuitBreaker breaker) {
                if (!breaker.canExecute()) {
                    throw refusal(breaker);
                }
                model.unguarded();
                breaker.recordSuccess();
            }
        };

        abstract void call(Model model, CircuitBreaker breaker);

        private static void made(Permit permit, Model model) {
            permit.success(model.unguarded());
        }

        private static BudgetExceededException refusal(CircuitBreaker breaker) {
            try {
                breaker.checkPermitted();
            } catch (BudgetExceededException refused) {
                return refused;
            }
            throw new AssertionError("refused without a reason");
        }
    }

    static class Model {
        private final CostRecorder costs;
        private int asked;

        Model(CostRecorder costs) {
            this.costs = costs;
        }

        int asked() {
            return asked;
        }

        String unguarded() {
            asked++;
            return "Because.";
        }

        @GuardedBy("search") public String plain() {
            return unguarded();
        }

        @GuardedBy("search") public CompletionStage<String> stage() {
            return CompletableFuture.completedFuture(unguarded());
        }

        @GuardedBy("search") public Mono<String> mono() {
            return Mono.fromSupplier(this::unguarded);
        }

        @GuardedBy("search") public Flux<String> flux() {
            return Flux.defer(() -> Flux.just(unguarded().substring(0, 2), "cause."));
        }

        /** Tells what the question costs, and then keeps everybody waiting. */
        @GuardedBy("llm") public Flux<String> stream(String usd) {
            return Flux.defer(() -> {
                unguarded();
                costs.record(Cost.usd(usd));
                return Flux.never();
            });
        }

        @GuardedBy("llm") public Flux<String> silentStream() {
            return Flux.never();
        }
    }

    /** {@code "daily 0.1+0.8 of 1"}: spent, held and limit of each budget. */
    private static String spent(ApplicationContext context, String name) {
        return breaker(context, name).budgets().stream()
                .map(ReportedMoneyBugsTest::spent)
                .collect(Collectors.joining(", "));
    }

    private static String spent(BudgetStatus budget) {
        return budget.name() + " " + budget.spent().toPlainString() + "+"
                + budget.held().toPlainString() + " of " + budget.limit().toPlainString();
    }

    /** A stream that was cancelled leaked its reservation: calls were refused at 280 of 800 USD. */
    @Test
    void litellm30522_fluxCancelledBeforeTheFirstChunk_holdsNothing_andCostsTheQuestion() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            for (int i = 1; i <= 2; i++) {
                Disposable answer = model.stream("0.1").subscribe();
                assertThat(spent(context, "llm")).isEqualTo("daily " + (i == 1 ? "0" : "0.1") + "+0.8 of 1");
                answer.dispose();
                assertThat(spent(context, "llm")).isEqualTo("daily 0." + i + "+0 of 1");
            }
            assertThat(history(context, "llm")).isEqualTo("0 ok, 0 failed, 2 ignored, 0 refused, closed");
        });
    }

    @Test
    void litellm30522_cancelledFluxThatToldNothing_costsItsHold() {
        application.run(context -> {
            Disposable answer = context.getBean(Model.class).silentStream().subscribe();
            assertThat(spent(context, "llm")).isEqualTo("daily 0+0.8 of 1");
            answer.dispose();
            assertThat(spent(context, "llm")).isEqualTo("daily 0.8+0 of 1");
        });
    }

    /** A stream that nobody subscribes to is no call. */
    @Test
    void litellm30522_fluxThatNobodySubscribesTo_holdsNothing() {
        application.run(context -> {
            assertThat(context.getBean(Model.class).stream("0.1")).isNotNull();
            assertThat(spent(context, "llm")).isEqualTo("daily 0+0 of 1");
        });
    }

    /** One route passed the budget by; an identity in a header did. */
    @Test
    void bifrost2873_and_litellm11083_everyWayIn_spendsOneBudget_andRefusesWhenThatIsSpent() {
        int ways = Way.values().length;
        application
                .withPropertyValues(
                        "guardedby.breakers.search.budgets.calls.calls=" + ways,
                        "guardedby.breakers.search.budgets.calls.window=lifetime")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    CircuitBreaker breaker = breaker(context, "search");
                    List<String> told = new ArrayList<>();
                    for (Way way : Way.values()) {
                        way.call(model, breaker);
                        told.add(spent(context, "search"));
                    }
                    for (Way way : Way.values()) {
                        assertThat(refusal(way, model, breaker).budget().name()).isEqualTo("calls");
                    }
                    assertThat(told).doesNotHaveDuplicates().last().isEqualTo("calls " + ways + "+0 of " + ways);
                    assertThat(model.asked()).isEqualTo(ways);
                });
    }

    private static BudgetExceededException refusal(Way way, Model model, CircuitBreaker breaker) {
        try {
            way.call(model, breaker);
        } catch (BudgetExceededException refused) {
            return refused;
        } catch (CompletionException failed) {
            return (BudgetExceededException) failed.getCause();
        }
        throw new AssertionError(way + " has passed the budget by");
    }
}
