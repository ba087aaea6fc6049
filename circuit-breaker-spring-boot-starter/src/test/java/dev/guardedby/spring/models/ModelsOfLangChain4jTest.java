package dev.guardedby.spring.models;

import static dev.guardedby.spring.models.Booked.bill;
import static dev.guardedby.spring.models.Booked.breaker;
import static dev.guardedby.spring.models.Booked.budget;
import static dev.guardedby.spring.models.Booked.confidences;
import static dev.guardedby.spring.models.ScriptedModel.asksForTool;
import static dev.guardedby.spring.models.ScriptedModel.says;
import static dev.guardedby.spring.models.ScriptedModel.used;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Calls of LangChain4j's models inside a guarded call: each is asked for, and priced, once. */
class ModelsOfLangChain4jTest {
    private static final String TWO_ROUNDS = "30 in, 12 out, 0.000175 usd";
    private static final String FIRST_ROUND = used(10, 4, 5);
    private static final String SECOND_ROUND = used(20, 12, 7);

    private final List<String> seenByListener = new ArrayList<>();
    private ScriptedModel remote;
    private ApplicationContextRunner application;

    @BeforeEach
    void serve() throws IOException {
        remote = new ScriptedModel();
        application = Booked.application()
                .withBean(OpenAiChatModel.class, () -> model("gpt-4o"))
                .withBean(Desk.class);
    }

    @AfterEach
    void stop() {
        remote.close();
    }

    private OpenAiChatModel model(String name) {
        ChatModelListener listener = new ChatModelListener() {
            @Override
            public void onRequest(ChatModelRequestContext context) {
                seenByListener.add(context.chatRequest().modelName());
            }
        };
        return remote.model(name).listeners(List.of(listener)).build();
    }

    interface Assistant {
        String help(String question);

        Result<String> explain(String question);
    }

    /** Says what the weather is like, at such length as a test wants. */
    static final class Weather {
        private String report = "rain";

        @Tool("The weather in a city")
        String weather(@P("the city") String city) {
            return city + ": " + report;
        }
    }

    static class Desk {
        private final OpenAiChatModel model;
        private final Weather weather = new Weather();
        private final Assistant assistant;

        Desk(OpenAiChatModel model) {
            this.model = model;
            this.assistant = AiServices.builder(Assistant.class)
                    .chatModel(model)
                    .tools(weather)
                    .build();
        }

        @GuardedBy("llm") public String help(String question) {
            return assistant.help(question);
        }

        @GuardedBy("llm") public Result<String> explain(String question) {
            return assistant.explain(question);
        }

        @GuardedBy("llm") public String ask(Function<ChatModel, String> question) {
            return question.apply(model);
        }

        @GuardedBy("llm") public String ask(ChatModel other) {
            return other.chat("Why?");
        }

        public Weather weather() {
            return weather;
        }
    }

    @Test
    void issue18_roundsOfTools_areBookedOnceEach_whereOnlyTextIsReturned() {
        remote.answers(asksForTool(FIRST_ROUND), says("Take an umbrella.", SECOND_ROUND));
        application.run(context -> {
            assertThat(context.getBean(Desk.class).help("Weather in Oslo?")).isEqualTo("Take an umbrella.");
            assertThat(bill(context)).isEqualTo(TWO_ROUNDS);
            assertThat(budget(context)).isEqualTo("0.000175 spent, 0 held");
            assertThat(seenByListener).containsExactly("gpt-4o", "gpt-4o");
        });
    }

    @Test
    void resultThatTellsTheSumOfAllRounds_isNotBookedOnTop() {
        remote.answers(asksForTool(FIRST_ROUND), says("Take an umbrella.", SECOND_ROUND));
        application.run(context -> {
            Result<String> result = context.getBean(Desk.class).explain("Weather in Oslo?");
            assertThat(result.tokenUsage().inputTokenCount()).isEqualTo(30);
            assertThat(bill(context)).isEqualTo(TWO_ROUNDS);
        });
    }

    @Test
    void refusalInTheMiddle_endsTheLoop_andTheFirstRoundIsCharged() {
        remote.answers(asksForTool(FIRST_ROUND), says("Never asked for.", SECOND_ROUND));
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=0.005")
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    // The second round would send it: some 3400 tokens for some 0.0085 USD.
                    desk.weather().report = "rain ".repeat(2000);
                    BudgetExceededException refusal =
                            catchThrowableOfType(BudgetExceededException.class, () -> desk.help("Weather in Oslo?"));
                    assertThat(refusal.kind()).isEqualTo(Kind.TOO_LARGE);
                    assertThat(remote.requests()).hasSize(1);
                    assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.00007 usd");
                    assertThat(budget(context)).isEqualTo("0.00007 spent, 0 held");
                    assertThat(breaker(context).state()).isEqualTo(CircuitState.CLOSED);
                    assertThat(breaker(context).stats().totalFailures()).isZero();
                });
    }

    /** Every way in passes once: what is sent, 1 message of 4 characters, was held as 18 tokens, and what comes back as 100. */
    @ParameterizedTest
    @CsvSource({"text", "messages", "list", "request", "inside"})
    void everyWayIn_passesOnce(String way) {
        remote.answers(says("Because.", used(10, 0, 5)));
        UserMessage why = UserMessage.from("Why?");
        ChatRequest request = ChatRequest.builder().messages(why).build();
        application.run(context -> {
            String answer = context.getBean(Desk.class).ask(model -> {
                String said = switch (way) {
                    case "text" -> model.chat("Why?");
                    case "messages" -> text(model.chat(why));
                    case "list" -> text(model.chat(List.of(why)));
                    case "request" -> text(model.chat(request));
                    default ->
                        text(model.doChat(ChatRequest.builder()
                                .messages(why)
                                .parameters(model.defaultRequestParameters())
                                .build()));
                };
                assertThat(budget(context)).as("until the call has ended").endsWith(" 0.001045 held");
                return said;
            });
            assertThat(answer).isEqualTo("Because.");
            assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.000075 usd");
            assertThat(budget(context)).isEqualTo("0.000075 spent, 0 held");
        });
    }

    private static String text(ChatResponse response) {
        return response.aiMessage().text();
    }

    @Test
    void issue15_modelWithoutPrice_isRefusedBeforeAnythingIsSent() {
        application.run(context -> {
            ChatModel mystery = context.getBean(GuardedModels.class).guarded(model("mystery"));
            BudgetExceededException refusal = catchThrowableOfType(
                    BudgetExceededException.class,
                    () -> context.getBean(Desk.class).ask(mystery));
            assertThat(refusal.kind()).isEqualTo(Kind.UNPRICED);
            assertThat(remote.requests()).isEmpty();
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
        });
    }

    @ParameterizedTest
    @CsvSource({"estimate, 0.02, ESTIMATED", "allow-and-flag, 0, REPORTED"})
    void modelWithoutPrice_isCalled_whereThatIsWanted(String unknown, String usd, Confidence confidence) {
        remote.answers(says("Because.", used(10, 0, 5)).replace("gpt-4o-2024-08-06", "mystery"));
        application
                .withPropertyValues(
                        "guardedby.prices.unknown=" + unknown, "guardedby.breakers.llm.estimate-per-call.usd=0.02")
                .run(context -> {
                    ChatModel mystery = context.getBean(GuardedModels.class).guarded(model("mystery"));
                    assertThat(context.getBean(Desk.class).ask(mystery)).isEqualTo("Because.");
                    assertThat(bill(context)).isEqualTo("10 in, 5 out, " + usd + " usd");
                    assertThat(budget(context)).isEqualTo(usd + " spent, 0 held");
                    assertThat(confidences(context)).containsExactly(confidence);
                });
    }

    @Test
    void budgetThatRunsLow_switchesToTheCheaperModel_andKeepsAllElse() {
        remote.answers(says("Dear.", used(10, 0, 60)), says("Cheap.", used(10, 0, 5)));
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.all.usd=0.01",
                        "guardedby.breakers.llm.budgets.all.degrade-at=5",
                        "guardedby.breakers.llm.budgets.all.degrade-to=gpt-4o-mini")
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    ChatRequest request = ChatRequest.builder()
                            .messages(UserMessage.from("Why?"))
                            .parameters(OpenAiChatRequestParameters.builder()
                                    .seed(7)
                                    .build())
                            .build();
                    assertThat(desk.ask(model -> text(model.chat(request)))).isEqualTo("Dear.");
                    assertThat(desk.ask(model -> text(model.chat(request)))).isEqualTo("Cheap.");
                    assertThat(remote.models()).containsExactly("gpt-4o", "gpt-4o-mini");
                    assertThat(remote.requests().get(1)).containsPattern("\"seed\"\\s*:\\s*7");
                    assertThat(seenByListener).containsExactly("gpt-4o", "gpt-4o-mini");
                });
    }

    @Test
    void failedCall_costsNothing_andIsThrownAsItIs() {
        application.run(context -> {
            assertThatThrownBy(() -> context.getBean(Desk.class).ask(model -> model.chat("Why?")))
                    .isInstanceOf(InternalServerException.class);
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
            assertThat(breaker(context).stats().totalFailures()).isOne();
        });
    }

    @Test
    void issue29_missingUsage_isUnknown_andNeverFailsTheCall() {
        remote.answers(says("Because.", ""));
        application.run(context -> {
            assertThat(context.getBean(Desk.class).ask(model -> model.chat("Why?")))
                    .isEqualTo("Because.");
            assertThat(budget(context)).isEqualTo("0.001045 spent, 0 held");
            assertThat(confidences(context)).containsExactly(Confidence.UNKNOWN);
        });
    }

    @Test
    void usageThatNobodyCanPay_isUnknown_andNeverFailsTheCall() {
        remote.answers(says("Because.", used(2_000_000_000, 0, 5)));
        application.withPropertyValues("guardedby.prices.models[0].input=1000").run(context -> {
            assertThat(context.getBean(Desk.class).ask(model -> model.chat("Why?")))
                    .isEqualTo("Because.");
            assertThat(budget(context)).isEqualTo("0.019 spent, 0 held");
        });
    }

    /** One attempt may cost 0.001045 USD. */
    @ParameterizedTest
    @CsvSource({"0, 0.001, TOO_LARGE", "0, 0.0011,", "2, 0.003, TOO_LARGE", "2, 0.0032,"})
    void modelThatTriesAgainByItself_holdsWhatAllAttemptsMayCost(int retries, String usd, @Nullable Kind refused) {
        remote.answers(says("Because.", FIRST_ROUND));
        Booked.application()
                .withBean(
                        OpenAiChatModel.class,
                        () -> remote.model("gpt-4o").maxRetries(retries).build())
                .withBean(Desk.class)
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=" + usd)
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    BudgetExceededException refusal = catchThrowableOfType(
                            BudgetExceededException.class, () -> desk.ask(model -> model.chat("Why?")));
                    assertThat(refusal == null ? null : refusal.kind()).isEqualTo(refused);
                });
    }

    /** Nobody knows how many tokens they are, so the text is what is likely to be sent, and a budget that must know refuses. */
    @Test
    void images_haveNoBound() {
        ImageContent image = ImageContent.from("https://acme.example/image.png");
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.require-estimate=true")
                .run(context -> {
                    Desk desk = context.getBean(Desk.class);
                    BudgetExceededException refusal = catchThrowableOfType(
                            BudgetExceededException.class,
                            () -> desk.ask(
                                    model -> text(model.chat(UserMessage.from(TextContent.from("What?"), image)))));
                    assertThat(refusal.kind()).isEqualTo(Kind.UNPRICED);
                });
    }

    @Test
    void outsideGuardedMethods_callsPass_andNothingIsBooked() {
        remote.answers(says("Because.", used(10, 0, 5)));
        application.run(context -> {
            assertThat(context.getBean(OpenAiChatModel.class).chat("Why?")).isEqualTo("Because.");
            assertThat(bill(context)).isEqualTo("0 in, 0 out, 0 usd");
        });
    }

    @Test
    void switchedOff_beansStayAsTheyAre_andWhatIsGuardedInCodePasses() {
        remote.answers(says("Because.", used(10, 0, 5)));
        application.withPropertyValues("guardedby.enabled=false").run(context -> {
            OpenAiChatModel model = context.getBean(OpenAiChatModel.class);
            assertThat(AopUtils.isAopProxy(model)).isFalse();
            assertThat(context.getBean(GuardedModels.class).guarded(model).chat("Why?"))
                    .isEqualTo("Because.");
        });
    }
}
