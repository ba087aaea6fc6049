package dev.guardedby.spring.models;

import static dev.guardedby.spring.models.Booked.bill;
import static dev.guardedby.spring.models.Booked.breaker;
import static dev.guardedby.spring.models.Booked.budget;
import static dev.guardedby.spring.models.Booked.lost;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.OpenAIClient;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Mono;

/** Methods that are given the request of a client: what it may cost is held before it is sent. */
@ExtendWith(OutputCaptureExtension.class)
final class HoldsByArgumentTest {
    private static final String BECAUSE = OpenAiScript.text("Because.", 10, 0, 5);
    /** 30 tokens sent for 2.50 USD a million, and 100 received for 10 USD, three times. */
    private static final String HELD = "0 spent, 0.003225 held";

    /** What a success costs that tells nothing. */
    private static final String ONCE = "0.001075 spent, 0 held";

    private static final String SETTLED = "0.000075 spent, 0 held";

    private final List<String> held = new CopyOnWriteArrayList<>();
    private OpenAiScript remote;
    private ApplicationContextRunner application;

    @BeforeEach
    void serve() throws IOException {
        remote = new OpenAiScript().answers(BECAUSE);
        application = Booked.application()
                .withConfiguration(AutoConfigurations.of(GuardedByModelsAutoConfiguration.class))
                .withBean(OpenAIClient.class, remote::client)
                .withBean(
                        AnthropicClient.class,
                        () -> AnthropicOkHttpClient.builder()
                                .baseUrl(remote.url())
                                .apiKey("key")
                                .maxRetries(0)
                                .build())
                .withBean(Desk.class);
    }

    @AfterEach
    void stop() {
        remote.close();
    }

    static class Desk {
        private final OpenAIClient openAi;
        private final AnthropicClient anthropic;
        private final CostRecorder costs;
        private int asked;

        Desk(OpenAIClient openAi, AnthropicClient anthropic, CostRecorder costs) {
            this.openAi = openAi;
            this.anthropic = anthropic;
            this.costs = costs;
        }

        int asked() {
            return asked;
        }

        @GuardedBy("llm") public ChatCompletion complete(ChatCompletionCreateParams params) {
            return openAi.chat().completions().create(params);
        }

        @GuardedBy("llm") public CompletableFuture<ChatCompletion> later(ChatCompletionCreateParams params) {
            return openAi.async().chat().completions().create(params);
        }

        @GuardedBy("llm") public Mono<ChatCompletion> mono(ChatCompletionCreateParams params) {
            return Mono.fromCallable(() -> openAi.chat().completions().create(params));
        }

        @GuardedBy("llm") public Object anything(String purpose, ChatCompletionCreateParams params) {
            return purpose + openAi.chat().completions().create(params).id();
        }

        @GuardedBy(name = "llm", cost = "0.25") public String forAFixedPrice(ChatCompletionCreateParams params) {
            return openAi.chat().completions().create(params).id();
        }

        @GuardedBy("free") public ChatCompletion free(ChatCompletionCreateParams params) {
            return openAi.chat().completions().create(params);
        }

        @GuardedBy("llm") public CreateEmbeddingResponse embed(EmbeddingCreateParams params) {
            return openAi.embeddings().create(params);
        }

        @GuardedBy("llm") public Message message(MessageCreateParams params) {
            return anthropic.messages().create(params);
        }

        @GuardedBy("llm") public String prompt(Prompt prompt, Runnable work) {
            return worked(work);
        }

        @GuardedBy("llm") public String request(ChatRequest request, Runnable work) {
            return worked(work);
        }

        @GuardedBy("llm") public String acme(@Nullable AcmeRequest request, Runnable work) {
            return worked(work);
        }

        private String worked(Runnable work) {
            asked++;
            work.run();
            costs.record(1, 1, BigDecimal.ZERO);
            return "Because.";
        }
    }

    public record AcmeRequest(String model, long sent, long received) {}

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model("gpt-4o")
                .addUserMessage("Why?")
                .maxCompletionTokens(100);
    }

    private static ChatCompletionCreateParams withImage() {
        return chat().addUserMessageOfArrayOfContentParts(
                        List.of(ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                                .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                        .url("https://example.com/a.png")
                                        .build())
                                .build())))
                .build();
    }

    private static Object call(Desk desk, String shape, ChatCompletionCreateParams params) {
        try {
            return switch (shape) {
                case "later" -> desk.later(params).join();
                case "mono" -> desk.mono(params).block();
                case "anything" -> desk.anything("for ", params);
                default -> desk.complete(params);
            };
        } catch (CompletionException failed) {
            throw (RuntimeException) failed.getCause();
        }
    }

    private static BudgetExceededException refusal(Runnable call) {
        return catchThrowableOfType(BudgetExceededException.class, call::run);
    }

    @ParameterizedTest
    @ValueSource(strings = {"complete", "later", "mono", "anything"})
    void whateverTheMethodReturns_whatItMayCostIsHeld_untilItHasEnded(String shape) {
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            call(context.getBean(Desk.class), shape, chat().build());
            assertThat(held).containsExactly(HELD);
            assertThat(budget(context)).isEqualTo(shape.equals("anything") ? ONCE : SETTLED);
            assertThat(breaker(context).budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.EXACT);
            assertThat(lost(context)).isEmpty();
        });
    }

    @Test
    void eachSubscription_holdsForItself() {
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            Mono<ChatCompletion> answer = context.getBean(Desk.class).mono(chat().build());
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
            answer.block();
            answer.block();
            assertThat(held).containsExactly(HELD, "0.000075 spent, 0.003225 held");
            assertThat(bill(context)).isEqualTo("20 in, 10 out, 0.00015 usd");
        });
    }

    @Test
    void publisherMadeWhileOpen_holdsWhatItMayCost_whenItIsSubscribedToLater() {
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            breaker(context).forceOpen();
            Desk desk = context.getBean(Desk.class);
            Mono<ChatCompletion> answer = desk.mono(chat().build());
            Mono<ChatCompletion> unpriced = desk.mono(chat().model("mystery").build());
            breaker(context).reset();
            answer.block();
            assertThat(held).containsExactly(HELD);
            assertThat(refusal(unpriced::block).kind()).isEqualTo(Kind.UNPRICED);
        });
    }

    @Test
    void answerOfAModelWithoutPrice_costsOneAttempt() {
        remote.answers(BECAUSE.replace("$model", "mystery"));
        application.run(context -> {
            context.getBean(Desk.class).complete(chat().build());
            assertThat(budget(context)).isEqualTo(ONCE);
        });
    }

    @Test
    void observedWhileOpen_holdsWhatItMayCost_andCountsEachCallOnce() {
        application.withPropertyValues("guardedby.breakers.llm.mode=observe").run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            breaker(context).forceOpen();
            Desk desk = context.getBean(Desk.class);
            desk.complete(chat().build());
            assertThat(held).containsExactly(HELD);
            breaker(context).reset();
            desk.complete(chat().model("mystery").build());
            desk.complete(chat().model("mystery").build());
            assertThat(breaker(context).stats().wouldReject()).isEqualTo(3);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"complete", "later", "mono", "anything"})
    void requestThatCanNeverFit_isRefused_beforeAnythingIsSent(String shape) {
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=0.003")
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    assertThat(refusal(() -> call(desk, shape, chat().build())).kind())
                            .isEqualTo(Kind.TOO_LARGE);
                    assertThat(remote.requests()).isEmpty();
                    assertThat(budget(context)).isEqualTo("0 spent, 0 held");
                    call(desk, shape, chat().maxCompletionTokens(50).build());
                    assertThat(remote.requests()).hasSize(1);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"complete", "later", "mono", "anything"})
    void issue15_modelWithoutPrice_isRefused_beforeAnythingIsSent(String shape) {
        application.run(context -> {
            Desk desk = context.getBean(Desk.class);
            BudgetExceededException refused =
                    refusal(() -> call(desk, shape, chat().model("mystery").build()));
            assertThat(refused.kind()).isEqualTo(Kind.UNPRICED);
            assertThat(refused).hasMessageContaining("mystery");
            assertThat(remote.requests()).isEmpty();
            assertThat(breaker(context).stats().totalRejected()).isEqualTo(1);
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
        });
    }

    @Test
    void modelWithoutPrice_isCalled_whereThatIsWanted_andHoldsWhatIsLearnt() {
        application.withPropertyValues("guardedby.prices.unknown=estimate").run(context -> {
            Desk desk = context.getBean(Desk.class);
            for (int i = 0; i < 10; i++) {
                desk.complete(chat().build());
            }
            remote.atEach(() -> held.add(budget(context)));
            desk.complete(chat().model("mystery").build());
            assertThat(held).containsExactly("0.00075 spent, 0.000075 held");
        });
    }

    @Test
    void withoutAnyPrice_theMethodSaysItself_whatItCosts() {
        application
                .withBean(Prices.class, () -> Prices.from(() -> PriceBook.EMPTY))
                .run(context -> {
                    ChatRequest request = ChatRequest.builder()
                            .messages(UserMessage.from("Why?"))
                            .modelName("gpt-4o")
                            .build();
                    assertThat(context.getBean(Desk.class).request(request, () -> {}))
                            .isEqualTo("Because.");
                    assertThat(bill(context)).isEqualTo("1 in, 1 out, 0 usd");
                });
    }

    @Test
    void modelWithoutPrice_isCalled_whereNoBudgetCountsDollars() {
        application
                .withPropertyValues(
                        "guardedby.breakers.free.budgets.tokens.tokens=1000",
                        "guardedby.breakers.free.budgets.tokens.window=lifetime")
                .run(context -> {
                    context.getBean(Desk.class).free(chat().model("mystery").build());
                    assertThat(remote.requests()).hasSize(1);
                });
    }

    @Test
    void image_hasNoBound_soOnlyWhatIsLikelyIsHeld() {
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            context.getBean(Desk.class).complete(withImage());
            assertThat(held).hasSize(1).first().asString().startsWith("0 spent, 0.000");
            assertThat(breaker(context).budgets().get(0).kind()).isEqualTo(BudgetStatus.Kind.SOFT);
        });
    }

    @Test
    void image_isRefused_whereAnEstimateIsRequired_andTextIsNot() {
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.require-estimate=true")
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    desk.complete(chat().build());
                    assertThat(refusal(() -> desk.complete(withImage())).kind()).isEqualTo(Kind.UNPRICED);
                    assertThat(remote.requests()).hasSize(1);
                });
    }

    /** The call of the model that is made inside is what the call holds for. */
    @Test
    void stepOfTheCall_holdsNothingOnTop() {
        application.run(context -> {
            Prompt prompt = new Prompt(
                    "Why?",
                    OpenAiChatOptions.builder()
                            .model("gpt-4o")
                            .maxCompletionTokens(100)
                            .maxRetries(0)
                            .build());
            context.getBean(Desk.class).prompt(prompt, () -> {
                held.add(budget(context));
                ModelCall step = context.getBean(ModelCalls.class)
                        .begin(ModelRequest.of("gpt-4o").withTokens(18, 100L));
                held.add(budget(context));
                step.end(ModelUsage.of("gpt-4o", Usage.of(10, 5)));
            });
            assertThat(held).containsExactly("0 spent, 0.001045 held", "0 spent, 0.001045 held");
        });
    }

    @Test
    void parameterOfATypeVariable_isReadAsTheBeansClassHasIt() {
        application
                .withUserConfiguration(Readers.class)
                .withBean(AcmeClient.class)
                .run(context -> {
                    AcmeClient client = context.getBean(AcmeClient.class);
                    client.ask(new AcmeRequest("gpt-4o", 200, 100), () -> held.add(budget(context)));
                    assertThat(held).containsExactly("0 spent, 0.0015 held");
                });
    }

    abstract static class Client<R> {
        @GuardedBy("llm") public String ask(R request, Runnable work) {
            work.run();
            return "Because of " + request;
        }
    }

    static class AcmeClient extends Client<AcmeRequest> {}

    @Test
    void embeddings_areBounded_byWhatIsSent() {
        remote.answers("{\"object\":\"list\",\"model\":\"$model\",\"data\":[],"
                + "\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}");
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.require-estimate=true")
                .run(context -> {
                    remote.atEach(() -> held.add(budget(context)));
                    context.getBean(Desk.class)
                            .embed(EmbeddingCreateParams.builder()
                                    .model("gpt-4o")
                                    .input("Why?")
                                    .build());
                    assertThat(held).containsExactly("0 spent, 0.0001425 held");
                    assertThat(budget(context)).isEqualTo("0.0000075 spent, 0 held");
                });
    }

    @Test
    void messagesOfAnthropic_areBounded_byTheirMaxTokens() {
        remote.answers("{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"$model\",\"content\":"
                + "[{\"type\":\"text\",\"text\":\"Because.\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
                + "\"usage\":{\"input_tokens\":10,\"output_tokens\":5}}");
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            context.getBean(Desk.class)
                    .message(MessageCreateParams.builder()
                            .model("gpt-4o")
                            .addUserMessage("Why?")
                            .maxTokens(100)
                            .build());
            assertThat(held).containsExactly(HELD);
            assertThat(budget(context)).isEqualTo(SETTLED);
        });
    }

    @Test
    void promptsOfSpringAi_holdWhatTheirOptionsLimit_asOftenAsTheyTry() {
        application.run(context -> {
            OpenAiChatOptions options = OpenAiChatOptions.builder()
                    .model("gpt-4o")
                    .maxCompletionTokens(100)
                    .maxRetries(1)
                    .build();
            context.getBean(Desk.class).prompt(new Prompt("Why?", options), () -> held.add(budget(context)));
            // 18 tokens and 100, twice.
            assertThat(held).containsExactly("0 spent, 0.00209 held");
        });
    }

    @Test
    void promptsOfSpringAi_areTriedAsOften_asTheClientWasMadeTo() {
        application
                .withBean(
                        ChatModel.class,
                        () -> OpenAiChatModel.builder()
                                .openAiClient(remote.client())
                                .openAiClientAsync(remote.client().async())
                                .build())
                .run(context -> {
                    OpenAiChatOptions options = OpenAiChatOptions.builder()
                            .model("gpt-4o")
                            .maxCompletionTokens(100)
                            .maxRetries(1)
                            .build();
                    context.getBean(Desk.class).prompt(new Prompt("Why?", options), () -> held.add(budget(context)));
                    assertThat(held).containsExactly("0 spent, 0.001045 held");
                });
    }

    @Test
    void requestsOfLangChain4j_holdWhatTheyLimit_threeTimes() {
        application.run(context -> {
            ChatRequest request = ChatRequest.builder()
                    .messages(UserMessage.from("Why?"))
                    .modelName("gpt-4o")
                    .maxOutputTokens(100)
                    .build();
            context.getBean(Desk.class).request(request, () -> held.add(budget(context)));
            // 18 tokens and 100.
            assertThat(held).containsExactly("0 spent, 0.003135 held");
        });
    }

    @Test
    void methodThatSaysItsCost_holdsWhatThatWasAsARule_andNeedsNoPrice() {
        application.run(context -> {
            remote.atEach(() -> held.add(budget(context)));
            context.getBean(Desk.class).forAFixedPrice(chat().model("mystery").build());
            assertThat(held).containsExactly("0 spent, 0 held");
            assertThat(budget(context)).isEqualTo("0.25 spent, 0 held");
        });
    }

    @Test
    void readersOfTheApplication_readTheirOwn_andComeBeforeOurs() {
        application.withUserConfiguration(Readers.class).run(context -> {
            Desk desk = context.getBean(Desk.class);
            desk.acme(new AcmeRequest("gpt-4o", 200, 100), () -> held.add(budget(context)));
            remote.atEach(() -> held.add(budget(context)));
            desk.complete(chat().build());
            assertThat(held).containsExactly("0 spent, 0.0015 held", "0 spent, 0.001075 held");
            assertThat(lost(context)).isEmpty();
        });
    }

    @Test
    void argumentThatIsNull_isNotRead() {
        application.withUserConfiguration(Readers.class).run(context -> {
            context.getBean(Desk.class).acme(null, () -> held.add(budget(context)));
            assertThat(held).containsExactly("0 spent, 0 held");
            assertThat(lost(context)).isEmpty();
        });
    }

    @Test
    void readerThatThrows_leavesTheCallAlone_isCountedAndLoggedOnce(CapturedOutput output) {
        application.withUserConfiguration(Readers.class).run(context -> {
            Desk desk = context.getBean(Desk.class);
            for (int i = 0; i < 3; i++) {
                desk.acme(new AcmeRequest("gpt-4o", -1, 100), () -> held.add(budget(context)));
            }
            assertThat(desk.asked()).isEqualTo(3);
            assertThat(held).containsOnly("0 spent, 0 held");
            assertThat(lost(context)).isEqualTo(Map.of("request", 3L));
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "ask a model for could not be read"))
                    .isEqualTo(1);
        });
    }

    @Test
    void withoutBudgets_nothingIsRead() {
        List<Object> read = new ArrayList<>();
        application
                .withBean(
                        "spy",
                        ModelRequestReader.class,
                        () -> ModelRequestReader.of(ChatCompletionCreateParams.class, params -> {
                            read.add(params);
                            return ModelRequest.of("mystery");
                        }))
                .run(context -> {
                    context.getBean(Desk.class).free(chat().build());
                    assertThat(remote.requests()).hasSize(1);
                    assertThat(read).isEmpty();
                });
    }

    @Test
    void switchedOff_orWithoutTheirClients_thereAreNoReaders() {
        ApplicationContextRunner bare =
                Booked.application().withConfiguration(AutoConfigurations.of(GuardedByModelsAutoConfiguration.class));
        bare.run(context -> assertThat(context.getBeanNamesForType(ModelRequestReader.class))
                .containsExactlyInAnyOrder(
                        "guardedByOpenAiRequests",
                        "guardedByAnthropicRequests",
                        "guardedBySpringAiRequests",
                        "guardedByLangChain4jRequests"));
        bare.withPropertyValues("guardedby.enabled=false")
                .run(context -> assertThat(context.getBeanNamesForType(ModelRequestReader.class))
                        .isEmpty());
        bare.withClassLoader(new FilteredClassLoader(
                        "com.openai", "com.anthropic", "org.springframework.ai", "dev.langchain4j"))
                .run(context -> assertThat(context.getBeanNamesForType(ModelRequestReader.class))
                        .isEmpty());
    }

    static class Readers {
        @Bean
        ModelRequestReader acmeRequests() {
            return ModelRequestReader.of(
                    AcmeRequest.class,
                    request -> ModelRequest.of(request.model()).withTokens(request.sent(), request.received()));
        }

        @Bean
        ModelRequestReader triedOnce(@Qualifier("guardedByOpenAiRequests") ModelRequestReader openAi) {
            return ModelRequestReader.of(
                    ChatCompletionCreateParams.class,
                    params -> openAi.read(params).triedAtMost(1));
        }
    }
}
