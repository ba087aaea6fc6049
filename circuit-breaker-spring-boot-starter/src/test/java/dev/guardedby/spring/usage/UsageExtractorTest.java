package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.application;
import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.util.StringUtils;

/** What an application can read itself, and which of several sources of a cost counts. */
@ExtendWith(OutputCaptureExtension.class)
class UsageExtractorTest {
    private final ApplicationContextRunner application =
            application(Model.class, Facade.class).withUserConfiguration(Readers.class);

    @Test
    void resultOfOurOwn_isPricedAndBooked() {
        application.run(context -> {
            context.getBean(Model.class).ask();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0045 usd");
        });
    }

    @Test
    void whatTheMethodRecords_countsBeforeItsExpression_andThatBeforeItsResult() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.recording();
            assertThat(bill(context, "recording")).isEqualTo("1 in, 2 out, 3 usd");
            model.expressed();
            assertThat(bill(context, "expressed")).isEqualTo("0 in, 0 out, 0.25 usd");
        });
    }

    @Test
    void resultHandedOnThroughTheSameBreaker_isBookedOnce_andByAnotherBreakerForItself() {
        application.run(context -> {
            context.getBean(Facade.class).ask();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0045 usd");
            assertThat(context.getBean(Facade.class).later().join().model()).isEqualTo("house");
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.009 usd");
            context.getBean(Facade.class).other();
            assertThat(bill(context, "llm")).isEqualTo("3000 in, 300 out, 0.0135 usd");
            assertThat(bill(context, "other")).isEqualTo("1000 in, 100 out, 0.0045 usd");
        });
    }

    @Test
    void callKeepsThePricesOfItsStart() {
        Iterator<PriceBook> books = List.of(house("3"), house("30")).iterator();
        application.withBean(Prices.class, () -> Prices.from(books::next)).run(context -> {
            CompletableFuture<Answer> first = new CompletableFuture<>();
            CompletableFuture<Answer> guarded = context.getBean(Model.class).later(first);
            context.getBean(Prices.class).reload();
            first.complete(new Answer("house", 1000, 0));
            guarded.join();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 0 out, 0.003 usd");
            context.getBean(Model.class)
                    .later(CompletableFuture.completedFuture(new Answer("house", 1000, 0)))
                    .join();
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 0 out, 0.033 usd");
        });
    }

    private static PriceBook house(String usd) {
        return PriceBook.of(List.of(ModelPrice.builder("house")
                .price(TokenKind.INPUT, new BigDecimal(usd))
                .build()));
    }

    @Test
    void readerThatThrows_leavesTheResultAlone_isCountedAndLoggedOnce(CapturedOutput output) {
        application.run(context -> {
            for (int i = 0; i < 3; i++) {
                assertThat(context.getBean(Model.class).broken()).isEqualTo(new Broken());
            }
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("extractor", 3L));
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "Model.broken() used could not be read"))
                    .isEqualTo(1);
        });
    }

    @Test
    void resultsThatNobodyReads_areNotLookedAt() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            assertThat(model.text()).isEqualTo("text");
            assertThat(model.anything("text")).isEqualTo("text");
            assertThat(model.anything(null)).isNull();
            assertThat(lost(context, "llm")).isEmpty();
        });
    }

    @Test
    void withoutAnyClient_theApplicationsOwnReadersWork() {
        application
                .withClassLoader(new FilteredClassLoader(
                        "com.openai", "com.anthropic", "org.springframework.ai", "dev.langchain4j"))
                .run(context -> {
                    assertThat(context.getBeanNamesForType(UsageExtractor.class))
                            .containsExactly("answers", "broken");
                    context.getBean(Model.class).ask();
                    assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0045 usd");
                });
    }

    @Test
    void switchedOff_thereAreNoReaders() {
        application
                .withPropertyValues("guardedby.enabled=false")
                .run(context -> assertThat(context.getBeanNamesForType(UsageExtractor.class))
                        .containsExactly("answers", "broken"));
    }

    public record Answer(String model, long sent, long received) {}

    public record Broken() {}

    static class Readers {
        @Bean
        UsageExtractor answers() {
            return UsageExtractor.of(
                    Answer.class,
                    answer -> Optional.of(ModelUsage.of(answer.model(), Usage.of(answer.sent(), answer.received()))));
        }

        @Bean
        UsageExtractor broken() {
            return UsageExtractor.of(Broken.class, broken -> {
                throw new IllegalStateException("cannot read");
            });
        }
    }

    public static class Model {
        private final CostRecorder costs;

        public Model(CostRecorder costs) {
            this.costs = costs;
        }

        @GuardedBy("llm") public Answer ask() {
            return new Answer("house", 1000, 100);
        }

        @GuardedBy("recording") public Answer recording() {
            costs.record(Cost.of(1, 2, new BigDecimal("3")));
            return ask();
        }

        @GuardedBy(name = "expressed", cost = "0.25") public Answer expressed() {
            return ask();
        }

        @GuardedBy("llm") public CompletableFuture<Answer> later(CompletableFuture<Answer> answer) {
            return answer;
        }

        @GuardedBy("llm") public Broken broken() {
            return new Broken();
        }

        @GuardedBy("llm") public String text() {
            return "text";
        }

        @GuardedBy("llm") public @Nullable Object anything(@Nullable Object thing) {
            return thing;
        }
    }

    public static class Facade {
        private final Model model;

        public Facade(Model model) {
            this.model = model;
        }

        @GuardedBy("llm") public Answer ask() {
            return model.ask();
        }

        @GuardedBy("llm") public CompletableFuture<Answer> later() {
            return CompletableFuture.completedFuture(model.ask());
        }

        @GuardedBy("other") public Answer other() {
            return model.ask();
        }
    }
}
