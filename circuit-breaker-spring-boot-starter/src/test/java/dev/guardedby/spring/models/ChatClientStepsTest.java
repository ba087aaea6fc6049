package dev.guardedby.spring.models;

import static dev.guardedby.spring.models.Booked.lost;
import static dev.guardedby.spring.models.OpenAiScript.FAILURE;
import static dev.guardedby.spring.models.OpenAiScript.stream;
import static dev.guardedby.spring.models.OpenAiScript.streamBrokenOff;
import static dev.guardedby.spring.models.OpenAiScript.streamWithoutUsage;
import static dev.guardedby.spring.models.OpenAiScript.text;
import static dev.guardedby.spring.models.OpenAiScript.tool;
import static dev.guardedby.spring.models.OpenAiScript.toolStream;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration;
import dev.guardedby.spring.usage.GuardedByUsageAutoConfiguration;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Scope;
import reactor.core.publisher.Flux;
import reactor.core.scheduler.Schedulers;

/** Guarded methods that ask a model by Spring AI's {@code ChatClient}, and return nothing but what it said. */
final class ChatClientStepsTest {
    private static final String QUESTION = "Why is the sky blue?";
    /** The question has 19 letters and blanks, and a sign. */
    private static final int SENT = 8 + 16;

    private static final int LIMIT = 50;
    /** At 2.50 USD for a million tokens that are sent, and 10 USD for those that are received. */
    private static final String HELD = "0.00056";

    private OpenAiScript remote;

    @BeforeEach
    void serve() throws IOException {
        remote = new OpenAiScript();
    }

    @AfterEach
    void stop() {
        remote.close();
    }

    private ApplicationContextRunner application(String... properties) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        AopAutoConfiguration.class,
                        GuardedByAutoConfiguration.class,
                        GuardedByAopAutoConfiguration.class,
                        GuardedByModelsAutoConfiguration.class,
                        GuardedByPricesAutoConfiguration.class,
                        GuardedByUsageAutoConfiguration.class))
                .withUserConfiguration(Application.class)
                .withBean(OpenAIClient.class, remote::client)
                .withPropertyValues(
                        "guardedby.prices.models[0].model=gpt-4o",
                        "guardedby.prices.models[0].input=2.50",
                        "guardedby.prices.models[0].cached-input=1.25",
                        "guardedby.prices.models[0].output=10",
                        "guardedby.prices.models[1].model=gpt-4o-mini",
                        "guardedby.prices.models[1].input=0.15",
                        "guardedby.prices.models[1].output=0.60")
                .withPropertyValues(properties);
    }

    private ApplicationContextRunner withBudget(String usd, String... properties) {
        return application(
                        "guardedby.breakers.llm.budgets.daily.usd=" + usd,
                        "guardedby.breakers.llm.budgets.daily.window=day")
                .withPropertyValues(properties);
    }

    // Issue 18, of which spring-ai#6411, #6667 and #6996 tell.

    @ParameterizedTest
    @ValueSource(strings = {"text", "response", "clientResponse"})
    void issue18_roundsOfTools_areChargedEachOnce_whateverIsReturned(String method) {
        withBudget("1").run(context -> {
            remote.answers(tool("weather", "Bonn", 10, 5, 5), text("Rain.", 20, 10, 7));
            Assistant assistant = context.getBean(Assistant.class);
            switch (method) {
                case "text" -> assertThat(assistant.askWithTools(QUESTION)).isEqualTo("Rain.");
                case "response" -> assertThat(assistant.response(QUESTION)).isNotNull();
                default -> assertThat(assistant.clientResponse(QUESTION)).isNotNull();
            }
            assertThat(bill(context)).isEqualTo("30 in, 12 out, 0.00017625 usd");
            assertThat(budget(context)).isEqualTo("0.00017625 spent, 0 held");
            assertThat(lost(context)).isEmpty();
            assertThat(remote.requests()).hasSize(2);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"text", "response"})
    void issue18_roundsOfTools_areChargedEachOnce_inStreams(String method) {
        withBudget("1").run(context -> {
            remote.answers(toolStream("weather", "Bonn", 10, 5, 5), stream(List.of("Ra", "in."), 20, 10, 7));
            Assistant assistant = context.getBean(Assistant.class);
            if (method.equals("text")) {
                assertThat(all(assistant.streamWithTools(QUESTION))).contains("Ra", "in.");
            } else {
                assertThat(all(assistant.responses(QUESTION))).isNotEmpty();
            }
            assertThat(bill(context)).isEqualTo("30 in, 12 out, 0.00017625 usd");
            assertThat(budget(context)).isEqualTo("0.00017625 spent, 0 held");
            assertThat(lost(context)).isEmpty();
            assertThat(remote.requests()).hasSize(2);
        });
    }

    @Test
    void withoutBudgets_itIsBookedTheSame() {
        application().run(context -> {
            remote.answers(tool("weather", "Bonn", 10, 5, 5), text("Rain.", 20, 10, 7));
            context.getBean(Assistant.class).askWithTools(QUESTION);
            assertThat(bill(context)).isEqualTo("30 in, 12 out, 0.00017625 usd");
        });
    }

    // Refusals.

    @Test
    void aRoundThatDoesNotFit_endsTheLoop_andTheRoundsBeforeAreCharged() {
        withBudget("0.001").run(context -> {
            remote.answers(tool("weather", "Bonn", 180, 0, 10), text("Rain.", 20, 10, 7));
            Assistant assistant = context.getBean(Assistant.class);
            BudgetExceededException refused =
                    catchThrowableOfType(BudgetExceededException.class, () -> assistant.askWithTools(QUESTION));
            assertThat(refused.budget().name()).isEqualTo("daily");
            assertThat(remote.requests()).hasSize(1);
            assertThat(assistant.looks()).isEqualTo(1);
            assertThat(budget(context)).isEqualTo("0.00055 spent, 0 held");
            assertThat(breaker(context).state()).isEqualTo(CircuitState.CLOSED);
            assertThat(breaker(context).stats().totalFailures()).isZero();
        });
    }

    @Test
    void aRoundThatDoesNotFit_endsTheStream_withTheRefusalItself() {
        withBudget("0.001").run(context -> {
            remote.answers(toolStream("weather", "Bonn", 180, 0, 10), stream(List.of("Rain."), 20, 10, 7));
            Assistant assistant = context.getBean(Assistant.class);
            assertThatThrownBy(() -> all(assistant.streamWithTools(QUESTION)))
                    .isInstanceOf(BudgetExceededException.class);
            assertThat(remote.requests()).hasSize(1);
            assertThat(budget(context)).isEqualTo("0.00055 spent, 0 held");
        });
    }

    @Test
    void refusalOfATool_becomesTextForTheModel() {
        withBudget(
                        "1",
                        "guardedby.breakers.maps.budgets.none.calls=0",
                        "guardedby.breakers.maps.budgets.none.window=day")
                .run(context -> {
                    remote.answers(tool("find", "Bonn", 10, 0, 5), text("I cannot look.", 20, 0, 7));
                    assertThat(context.getBean(Assistant.class).askWithMaps(QUESTION))
                            .isEqualTo("I cannot look.");
                    assertThat(remote.requests()).hasSize(2);
                    assertThat(remote.requests().get(1).get("messages").toString())
                            .contains("budget 'none'");
                });
    }

    @Test
    void refusalOfATool_byTheBudgetOfTheCall_cutsTheNextRound() {
        application(
                        "guardedby.breakers.llm.budgets.run.usd=0.01",
                        "guardedby.breakers.llm.budgets.run.window=call",
                        "guardedby.breakers.maps.estimate-per-call.usd=1")
                .run(context -> {
                    remote.answers(tool("find", "Bonn", 10, 0, 5), text("I cannot look.", 20, 0, 7));
                    assertThatThrownBy(() -> context.getBean(Assistant.class).askWithMaps(QUESTION))
                            .isInstanceOf(BudgetExceededException.class)
                            .hasMessageContaining("run");
                    assertThat(remote.requests()).hasSize(1);
                    assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.000075 usd");
                });
    }

    @Test
    void unknownModel_isRefusedBeforeItIsAsked() {
        withBudget("1").run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            assertThatThrownBy(() -> assistant.askOf("house", QUESTION))
                    .isInstanceOfSatisfying(
                            BudgetExceededException.class,
                            refused -> assertThat(refused.kind()).isEqualTo(Kind.UNPRICED));
            assertThatThrownBy(() -> all(assistant.streamOf("house", QUESTION)))
                    .isInstanceOfSatisfying(
                            BudgetExceededException.class,
                            refused -> assertThat(refused.kind()).isEqualTo(Kind.UNPRICED));
            assertThat(remote.requests()).isEmpty();
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
        });
    }

    @ParameterizedTest
    @CsvSource({"estimate, 0.02", "allow-and-flag, 0"})
    void unknownModel_isAskedWhereTheSettingsSaySo(String unknown, String spent) {
        withBudget("1", "guardedby.prices.unknown=" + unknown, "guardedby.breakers.llm.estimate-per-call.usd=0.02")
                .run(context -> {
                    remote.answers(text("Because.", 20, 0, 7));
                    context.getBean(Assistant.class).askOf("house", QUESTION);
                    assertThat(budget(context)).isEqualTo(spent + " spent, 0 held");
                    assertThat(lost(context)).isEqualTo(Map.of("price", 1L));
                });
    }

    @Test
    void aPriceThatCannotBe_leavesTheAnswerAlone_andIsCounted() {
        application(
                        "guardedby.breakers.llm.budgets.daily.tokens=1000000",
                        "guardedby.breakers.llm.budgets.daily.window=day",
                        "guardedby.prices.models[2].model=house",
                        "guardedby.prices.models[2].input=1000000",
                        "guardedby.prices.models[2].output=1")
                .run(context -> {
                    remote.answers(text("Because.", 2_000_000, 0, 7));
                    assertThat(context.getBean(Assistant.class).askOf("house", QUESTION))
                            .isEqualTo("Because.");
                    assertThat(budget(context)).isEqualTo("74 spent, 0 held");
                    assertThat(lost(context)).isEqualTo(Map.of("extractor", 1L));
                });
    }

    // Holds.

    @Test
    void aCallHolds_whatItMayCostAtMost() {
        withBudget("1").run(context -> {
            List<String> seen = new CopyOnWriteArrayList<>();
            remote.atEach(() -> seen.add(budget(context)));
            remote.answers(text("Because.", 20, 0, 7), stream(List.of("Because."), 20, 0, 7));
            Assistant assistant = context.getBean(Assistant.class);
            assistant.ask(QUESTION);
            all(assistant.stream(QUESTION));
            assertThat(seen).containsExactly("0 spent, " + HELD + " held", "0.00012 spent, " + HELD + " held");
            assertThat(budget(context)).isEqualTo("0.00024 spent, 0 held");
        });
    }

    @Test
    void aCallThatIsTriedAgainByItsClient_holdsWhatAllAttemptsMayCost() {
        // Its options say that it does not, but it was made before them.
        withBudget("1").withPropertyValues("client.retries=2").run(context -> {
            List<String> seen = new CopyOnWriteArrayList<>();
            remote.answers(text("Rain.", 20, 10, 7)).atEach(() -> seen.add(budget(context)));
            context.getBean(Assistant.class).ask(QUESTION);
            assertThat(seen).containsExactly("0 spent, 0.00168 held");
            assertThat(budget(context)).isEqualTo("0.0001075 spent, 0 held");
        });
    }

    @Test
    void aCallForSeveralAnswers_holdsAllOfThem() {
        withBudget("1").run(context -> {
            List<String> seen = new CopyOnWriteArrayList<>();
            remote.atEach(() -> seen.add(budget(context)));
            remote.answers(text("Because.", 20, 0, 7));
            context.getBean(Assistant.class).askForThree(QUESTION);
            assertThat(seen).containsExactly("0 spent, 0.00156 held");
        });
    }

    @Test
    void callsAtTheSameTime_neverPassTheLimit() throws Exception {
        withBudget("0.01").run(context -> {
            List<BigDecimal> seen = new CopyOnWriteArrayList<>();
            remote.atEach(() -> {
                BudgetStatus now = breaker(context).budgets().get(0);
                seen.add(now.spent().add(now.held()));
            });
            remote.answers(text("Because.", SENT, 0, LIMIT));
            Assistant assistant = context.getBean(Assistant.class);
            ExecutorService threads = Executors.newFixedThreadPool(16);
            try {
                List<Callable<Boolean>> calls = IntStream.range(0, 64)
                        .mapToObj(i -> (Callable<Boolean>) () -> isAnswered(assistant))
                        .toList();
                long answered = 0;
                for (Future<Boolean> call : threads.invokeAll(calls)) {
                    answered += call.get() ? 1 : 0;
                }
                // 17 of them fit.
                assertThat(answered).isEqualTo(17);
                assertThat(remote.requests()).hasSize(17);
                assertThat(seen).allSatisfy(sum -> assertThat(sum).isLessThanOrEqualTo(new BigDecimal("0.01")));
                assertThat(budget(context)).isEqualTo("0.00952 spent, 0 held");
            } finally {
                threads.shutdownNow();
            }
        });
    }

    private static boolean isAnswered(Assistant assistant) {
        try {
            return assistant.ask(QUESTION).equals("Because.");
        } catch (BudgetExceededException refused) {
            return false;
        }
    }

    // Degrading.

    @Test
    void fromDegradeAtOn_theCheaperModelIsAsked_andNothingElseChanges() {
        withBudget(
                        "0.001",
                        "guardedby.breakers.llm.budgets.daily.degrade-at=80",
                        "guardedby.breakers.llm.budgets.daily.degrade-to=gpt-4o-mini")
                .run(context -> {
                    remote.answers(
                            text("Because.", 200, 0, 40),
                            text("Because.", 20, 0, 7),
                            stream(List.of("Why not?"), 20, 0, 7));
                    Assistant assistant = context.getBean(Assistant.class);
                    assistant.ask(QUESTION);
                    assertThat(assistant.advice()).isEmpty();
                    assistant.ask(QUESTION);
                    assertThat(assistant.advice()).flatMap(Advice::model).contains("gpt-4o-mini");
                    all(assistant.stream(QUESTION));
                    assertThat(remote.models()).containsExactly("gpt-4o", "gpt-4o-mini", "gpt-4o-mini");
                    assertThat(remote.requests())
                            .allSatisfy(request -> assertThat(request)
                                    .containsEntry("max_tokens", LIMIT)
                                    .containsEntry("temperature", 0.3)
                                    .containsKey("messages"));
                    // 20 x 0.15 and 7 x 0.60 USD for a million, twice, on top of 0.0009.
                    assertThat(budget(context)).isEqualTo("0.0009144 spent, 0 held");
                });
    }

    // Streams that end early.

    @Test
    void issue20_aStreamThatIsCutShort_isChargedWhatWasSentAndSeen_byEstimate() {
        withBudget("1").run(context -> {
            remote.answers(stream(List.of("Because", " of", " Rayleigh", " and", " so", " on"), 20, 0, 7));
            assertThat(all(context.getBean(Assistant.class).stream(QUESTION).take(3)))
                    .containsExactly("Because", " of", " Rayleigh");
            // 3 tokens for 7 characters, 1 for 3, 3 for 9.
            assertThat(costs(context)).containsExactly(ofTokens(SENT, 7, "0.00013") + " ESTIMATED");
            assertThat(budget(context)).isEqualTo("0.00013 spent, 0 held");
            assertThat(bill(context)).isEqualTo("24 in, 7 out, 0.00013 usd");
        });
    }

    @Test
    void issue20_aStreamThatBreaksOff_isChargedWhatWasSentAndSeen_byEstimate() {
        withBudget("1").run(context -> {
            remote.answers(streamBrokenOff(List.of("Because", " of", " Rayleigh")));
            assertThatThrownBy(() -> all(context.getBean(Assistant.class).stream(QUESTION)))
                    .isNotInstanceOf(BudgetExceededException.class);
            assertThat(costs(context)).containsExactly(ofTokens(SENT, 7, "0.00013") + " ESTIMATED");
            assertThat(budget(context)).isEqualTo("0.00013 spent, 0 held");
        });
    }

    @Test
    void issue19_aStreamWithoutUsage_isChargedWhatItHeld() {
        withBudget("1").run(context -> {
            remote.answers(streamWithoutUsage(List.of("Because.")));
            all(context.getBean(Assistant.class).stream(QUESTION));
            assertThat(costs(context)).containsExactly(ofTokens(SENT, LIMIT, HELD) + " UNKNOWN");
            assertThat(budget(context)).isEqualTo(HELD + " spent, 0 held");
            assertThat(lost(context)).isEqualTo(Map.of("usage", 1L));
        });
    }

    @Test
    void aStreamThatFailsAtOnce_costsNothing() {
        withBudget("1").run(context -> {
            remote.answers(FAILURE);
            assertThatThrownBy(() -> all(context.getBean(Assistant.class).stream(QUESTION)))
                    .isNotNull();
            assertThatThrownBy(() -> context.getBean(Assistant.class).ask(QUESTION))
                    .isNotNull();
            assertThat(remote.requests()).hasSize(2);
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
            assertThat(breaker(context).stats().totalFailures()).isEqualTo(2);
        });
    }

    // Where it is in force.

    @Test
    void onAnotherScheduler_theStreamIsOfTheSameCall() {
        withBudget("1").run(context -> {
            remote.answers(toolStream("weather", "Bonn", 10, 5, 5), stream(List.of("Rain."), 20, 10, 7));
            all(context.getBean(Assistant.class).streamElsewhere(QUESTION));
            assertThat(bill(context)).isEqualTo("30 in, 12 out, 0.00017625 usd");
            assertThat(budget(context)).isEqualTo("0.00017625 spent, 0 held");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"bean", "ofBuilderBean", "byHand", "twice"})
    void everyClientHasIt_andCountsOnce(String client) {
        withBudget("1").run(context -> {
            remote.answers(text("Because.", 20, 0, 7), stream(List.of("Because."), 20, 0, 7));
            Clients clients = context.getBean(Clients.class);
            assertThat(clients.ask(client)).isEqualTo("Because.");
            assertThat(bill(context)).isEqualTo("20 in, 7 out, 0.00012 usd");
            all(clients.stream(client));
            assertThat(bill(context)).isEqualTo("40 in, 14 out, 0.00024 usd");
            assertThat(budget(context)).isEqualTo("0.00024 spent, 0 held");
        });
    }

    @Test
    void outsideGuardedCalls_nothingIsBooked_andNothingRefused() {
        withBudget("0").run(context -> {
            remote.answers(text("Because.", 20, 0, 7), stream(List.of("Because."), 20, 0, 7));
            ChatClient client = context.getBean(ChatClient.class);
            assertThat(client.prompt(QUESTION).call().content()).isEqualTo("Because.");
            assertThat(all(client.prompt(QUESTION).stream().content())).contains("Because.");
            assertThat(bill(context)).isEqualTo("0 in, 0 out, 0 usd");
        });
    }

    @Test
    void switchedOff_itDoesNothing() {
        withBudget("0", "guardedby.enabled=false").run(context -> {
            remote.answers(text("Because.", 20, 0, 7));
            assertThat(context).doesNotHaveBean(GuardedChatClients.class);
            assertThat(context.getBean(Assistant.class).ask(QUESTION)).isEqualTo("Because.");
            assertThat(context.getBean(Clients.class).ask("byHand")).isEqualTo("Because.");
        });
    }

    private static <T> List<T> all(Flux<T> items) {
        List<T> all = items.collectList().block(Duration.ofSeconds(20));
        return all == null ? List.of() : all;
    }

    private static CircuitBreaker breaker(ApplicationContext context) {
        return context.getBean(CircuitBreakerRegistry.class).find("llm").orElseThrow();
    }

    private static String bill(ApplicationContext context) {
        CircuitBreakerStats stats = breaker(context).stats();
        return stats.totalInputTokens() + " in, " + stats.totalOutputTokens() + " out, "
                + stats.totalEstimatedCost().toPlainString() + " usd";
    }

    private static String budget(ApplicationContext context) {
        BudgetStatus budget = breaker(context).budgets().get(0);
        return plain(budget.spent()) + " spent, " + plain(budget.held()) + " held";
    }

    private static String plain(BigDecimal usd) {
        return usd.signum() == 0 ? "0" : usd.stripTrailingZeros().toPlainString();
    }

    private static List<String> costs(ApplicationContext context) {
        return context.getBean(Costs.class).seen;
    }

    private static String ofTokens(int input, int output, String usd) {
        return Cost.of(input, output, new BigDecimal(usd)).toString();
    }

    /** What Spring AI's own auto-configuration makes, and what applications do. */
    @Configuration(proxyBeanMethods = false)
    static class Application {
        @Bean
        ChatModel model(OpenAIClient client, @Value("${client.retries:0}") int retries) {
            return OpenAiChatModel.builder()
                    .openAiClient(client.withOptions(options -> options.maxRetries(retries)))
                    .openAiClientAsync(client.async().withOptions(options -> options.maxRetries(retries)))
                    .options(OpenAiChatOptions.builder()
                            .model("gpt-4o")
                            .maxTokens(LIMIT)
                            .temperature(0.3)
                            .maxRetries(0)
                            .build())
                    .build();
        }

        @Bean
        @Scope("prototype")
        ChatClient.Builder builder(ChatModel model) {
            return ChatClient.builder(model);
        }

        @Bean
        ChatClient client(ChatModel model) {
            return ChatClient.create(model);
        }

        @Bean
        Maps maps() {
            return new Maps();
        }

        @Bean
        Assistant assistant(ChatClient.Builder builder, CostRecorder costs, Maps maps) {
            return new Assistant(builder.build(), costs, maps);
        }

        @Bean
        Clients clients(ChatModel model, ChatClient.Builder builder, ChatClient client, GuardedByChatAdvisor advisor) {
            return new Clients(Map.of(
                    "bean", client,
                    "ofBuilderBean", builder.build(),
                    "byHand", ChatClient.builder(model).defaultAdvisors(advisor).build(),
                    "twice", client.mutate().defaultAdvisors(advisor).build()));
        }

        @Bean
        Costs costs() {
            return new Costs();
        }
    }

    static class Costs implements CircuitBreakerListener {
        final List<String> seen = new CopyOnWriteArrayList<>();

        @Override
        public void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
            seen.add(cost + " " + confidence);
        }
    }

    static class Maps {
        @GuardedBy("maps") public String find(String city) {
            return city + " is on the Rhine.";
        }
    }

    static class Clients {
        private final Map<String, ChatClient> clients;

        Clients(Map<String, ChatClient> clients) {
            this.clients = clients;
        }

        @GuardedBy("llm") public @Nullable String ask(String client) {
            return clients.get(client).prompt(QUESTION).call().content();
        }

        @GuardedBy("llm") public Flux<String> stream(String client) {
            return clients.get(client).prompt(QUESTION).stream().content();
        }
    }

    static class Assistant {
        private final AtomicInteger looks = new AtomicInteger();
        private final ChatClient client;
        private final CostRecorder costs;
        private final ToolCallback weather = Tools.of(new Weather(looks), "weather");
        private final ToolCallback maps;
        private Optional<Advice> advice = Optional.empty();

        Assistant(ChatClient client, CostRecorder costs, Maps maps) {
            this.client = client;
            this.costs = costs;
            this.maps = Tools.of(maps, "find");
        }

        public int looks() {
            return looks.get();
        }

        public Optional<Advice> advice() {
            return advice;
        }

        @GuardedBy("llm") public String ask(String question) {
            advice = costs.current().advice();
            return String.valueOf(client.prompt(question).call().content());
        }

        @GuardedBy("llm") public String askOf(String model, String question) {
            return String.valueOf(client.prompt(question)
                    .options(OpenAiChatOptions.builder().model(model))
                    .call()
                    .content());
        }

        @GuardedBy("llm") public String askForThree(String question) {
            return String.valueOf(client.prompt(question)
                    .options(OpenAiChatOptions.builder().n(3))
                    .call()
                    .content());
        }

        @GuardedBy("llm") public String askWithTools(String question) {
            return String.valueOf(client.prompt(question).tools(weather).call().content());
        }

        @GuardedBy("llm") public String askWithMaps(String question) {
            return String.valueOf(client.prompt(question).tools(maps).call().content());
        }

        @GuardedBy("llm") public @Nullable ChatResponse response(String question) {
            return client.prompt(question).tools(weather).call().chatResponse();
        }

        @GuardedBy("llm") public ChatClientResponse clientResponse(String question) {
            return client.prompt(question).tools(weather).call().chatClientResponse();
        }

        @GuardedBy("llm") public Flux<String> stream(String question) {
            return client.prompt(question).stream().content();
        }

        @GuardedBy("llm") public Flux<String> streamOf(String model, String question) {
            return client.prompt(question).options(OpenAiChatOptions.builder().model(model)).stream()
                    .content();
        }

        @GuardedBy("llm") public Flux<String> streamWithTools(String question) {
            return client.prompt(question).tools(weather).stream().content();
        }

        @GuardedBy("llm") public Flux<String> streamElsewhere(String question) {
            return client.prompt(question).tools(weather).stream().content().subscribeOn(Schedulers.parallel());
        }

        @GuardedBy("llm") public Flux<ChatResponse> responses(String question) {
            return client.prompt(question).tools(weather).stream().chatResponse();
        }
    }

    static class Weather {
        private final AtomicInteger looks;

        Weather(AtomicInteger looks) {
            this.looks = looks;
        }

        public String weather(String city) {
            looks.incrementAndGet();
            return "Rain in " + city;
        }
    }
}
