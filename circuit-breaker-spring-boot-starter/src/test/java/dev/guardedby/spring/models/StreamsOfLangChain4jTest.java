package dev.guardedby.spring.models;

import static dev.guardedby.spring.models.Booked.bill;
import static dev.guardedby.spring.models.Booked.budget;
import static dev.guardedby.spring.models.Booked.confidences;
import static dev.guardedby.spring.models.ScriptedModel.streams;
import static dev.guardedby.spring.models.ScriptedModel.streamsTool;
import static dev.guardedby.spring.models.ScriptedModel.used;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import java.io.IOException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Streams of LangChain4j's models inside a guarded call, whichever way they end. */
class StreamsOfLangChain4jTest {
    /** What is sent was held as 18 tokens, and what comes back as 100. */
    private static final String HOLD = "0.001045";

    private ScriptedModel remote;
    private ApplicationContextRunner application;

    @BeforeEach
    void serve() throws IOException {
        remote = new ScriptedModel();
        application = Booked.application()
                .withBean(
                        OpenAiStreamingChatModel.class,
                        () -> remote.streaming("gpt-4o").build())
                .withBean(Desk.class);
    }

    @AfterEach
    void stop() {
        remote.close();
    }

    interface Assistant {
        TokenStream help(String question);
    }

    static final class Weather {
        @Tool("The weather in a city")
        String weather(@P("the city") String city) {
            return city + ": rain";
        }
    }

    static class Desk {
        private final StreamingChatModel model;
        private final Assistant assistant;

        Desk(StreamingChatModel model) {
            this.model = model;
            this.assistant = AiServices.builder(Assistant.class)
                    .streamingChatModel(model)
                    .tools(new Weather())
                    .build();
        }

        @GuardedBy("llm") public String ask(Reading reading) {
            model.chat("Why?", reading);
            return reading.text.orTimeout(10, TimeUnit.SECONDS).join();
        }

        @GuardedBy("llm") public Reading askAndGoAway(Reading reading) {
            model.chat(List.of(UserMessage.from("Why?")), reading);
            return reading;
        }

        @GuardedBy("llm") public void during(Runnable work) {
            work.run();
        }

        @GuardedBy("llm") public String help(String question) {
            CompletableFuture<String> text = new CompletableFuture<>();
            assistant
                    .help(question)
                    .onPartialResponse(word -> {})
                    .onCompleteResponse(
                            response -> text.complete(response.aiMessage().text()))
                    .onError(text::completeExceptionally)
                    .start();
            return text.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    /** Reads a stream to its end. */
    static class Reading implements StreamingChatResponseHandler {
        final CompletableFuture<String> text = new CompletableFuture<>();
        final List<String> told = new CopyOnWriteArrayList<>();
        private final BiConsumer<Integer, PartialResponseContext> afterEach;

        Reading() {
            this((count, context) -> {});
        }

        /** Does something after each word, whose number it is told. */
        Reading(BiConsumer<Integer, PartialResponseContext> afterEach) {
            this.afterEach = afterEach;
        }

        @Override
        public void onPartialResponse(PartialResponse partialResponse, PartialResponseContext context) {
            told.add(partialResponse.text());
            afterEach.accept(told.size(), context);
        }

        @Override
        public void onCompleteResponse(ChatResponse completeResponse) {
            text.complete(completeResponse.aiMessage().text());
        }

        @Override
        public void onError(Throwable error) {
            text.completeExceptionally(error);
        }
    }

    @Test
    void usageAtTheEnd_isBookedOnce() {
        remote.answers(streams(used(10, 4, 5), "Because ", "of ", "Rayleigh."));
        application.run(context -> {
            assertThat(context.getBean(Desk.class).ask(new Reading())).isEqualTo("Because of Rayleigh.");
            assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.00007 usd");
            assertThat(budget(context)).isEqualTo("0.00007 spent, 0 held");
            assertThat(confidences(context)).containsExactly(Confidence.REPORTED);
        });
    }

    /** What was seen, "Because of Rayleigh", has 19 characters, some 7 tokens. */
    @Test
    void issue20_streamThatIsCancelled_costsWhatWasSentAndSeen_byEstimate() {
        remote.answers(streams(used(10, 4, 50), "Because ", "of ", "Rayleigh", " scattering", " and", " so on"));
        application.run(context -> {
            Reading reading = new Reading() {
                @Override
                public void onPartialResponse(PartialResponse partialResponse, PartialResponseContext context) {
                    super.onPartialResponse(partialResponse, context);
                    if (told.size() == 3) {
                        context.streamingHandle().cancel();
                        assertThat(context.streamingHandle().isCancelled()).isTrue();
                        text.complete(String.join("", told));
                    }
                }
            };
            assertThat(context.getBean(Desk.class).ask(reading)).isEqualTo("Because of Rayleigh");
            assertThat(bill(context)).isEqualTo("18 in, 7 out, 0.000115 usd");
            assertThat(budget(context)).isEqualTo("0.000115 spent, 0 held");
            assertThat(confidences(context)).containsExactly(Confidence.ESTIMATED);
        });
    }

    @Test
    void issue19_streamWithoutUsage_costsWhatWasHeld() {
        remote.answers(streams(null, "Because."));
        application.run(context -> {
            assertThat(context.getBean(Desk.class).ask(new Reading())).isEqualTo("Because.");
            assertThat(budget(context)).isEqualTo(HOLD + " spent, 0 held");
            assertThat(confidences(context)).containsExactly(Confidence.UNKNOWN);
        });
    }

    @Test
    void streamThatNeverBegins_costsNothing() {
        application.run(context -> {
            assertThatThrownBy(() -> context.getBean(Desk.class).ask(new Reading()))
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(InternalServerException.class);
            assertThat(budget(context)).isEqualTo("0 spent, 0 held");
        });
    }

    /** The client tells the handler of its own exception, and goes on. */
    @Test
    void handlerThatThrows_isTreatedAsBefore_andTheUsageIsBooked() {
        remote.answers(streams(used(10, 4, 5), "Because ", "of ", "Rayleigh."));
        application.run(context -> {
            IllegalStateException mistake = new IllegalStateException("mistake of the handler");
            Reading reading = new Reading((count, stream) -> {
                if (count == 1) {
                    throw mistake;
                }
            });
            CompletableFuture<ChatResponse> complete = new CompletableFuture<>();
            StreamingChatResponseHandler patient = new StreamingChatResponseHandler() {
                @Override
                public void onPartialResponse(PartialResponse partialResponse, PartialResponseContext stream) {
                    reading.onPartialResponse(partialResponse, stream);
                }

                @Override
                public void onCompleteResponse(ChatResponse completeResponse) {
                    complete.complete(completeResponse);
                }

                @Override
                public void onError(Throwable error) {
                    reading.onError(error);
                }
            };
            context.getBean(Desk.class).during(() -> {
                context.getBean(StreamingChatModel.class).chat("Why?", patient);
                complete.orTimeout(10, TimeUnit.SECONDS).join();
            });
            assertThat(reading.told).containsExactly("Because ", "of ", "Rayleigh.");
            assertThat(reading.text).isCompletedExceptionally();
            assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.00007 usd");
        });
    }

    @Test
    void streamThatGoesOnAfterTheCall_isChargedToIt() {
        remote.answers(streams(used(10, 4, 5), "Because."));
        application.run(context -> {
            Reading reading = context.getBean(Desk.class).askAndGoAway(new Reading());
            assertThat(reading.text.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo("Because.");
            assertThat(budget(context)).isEqualTo("0.00007 spent, 0 held");
        });
    }

    /** The second round is started by a thread of the client. */
    @Test
    void roundsOfTools_areBookedOnceEach() {
        remote.answers(streamsTool(used(10, 4, 5)), streams(used(20, 12, 7), "Take an umbrella."));
        application.run(context -> {
            assertThat(context.getBean(Desk.class).help("Weather in Oslo?")).isEqualTo("Take an umbrella.");
            assertThat(bill(context)).isEqualTo("30 in, 12 out, 0.000175 usd");
            assertThat(budget(context)).isEqualTo("0.000175 spent, 0 held");
        });
    }

    @Test
    void refusalInTheMiddle_endsTheLoop_andReachesTheHandler() {
        remote.answers(streamsTool(used(10, 4, 5)), streams(used(20, 12, 7), "Never asked for."));
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=0.00142")
                .run(context -> {
                    assertThatThrownBy(() -> context.getBean(Desk.class).help("Weather in Oslo?"))
                            .hasRootCauseInstanceOf(BudgetExceededException.class);
                    assertThat(remote.requests()).hasSize(1);
                    assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.00007 usd");
                    assertThat(budget(context)).isEqualTo("0.00007 spent, 0 held");
                });
    }

    @Test
    void spentBudget_refusesTheStart() {
        application
                .withPropertyValues("guardedby.breakers.llm.budgets.all.usd=0.001")
                .run(context -> {
                    BudgetExceededException refusal = catchThrowableOfType(
                            BudgetExceededException.class,
                            () -> context.getBean(Desk.class).ask(new Reading()));
                    assertThat(refusal.kind()).isEqualTo(BudgetExceededException.Kind.TOO_LARGE);
                    assertThat(remote.requests()).isEmpty();
                });
    }

    @Test
    void modelsBuiltInCode_areGuardedTheSame() {
        remote.answers(streams(used(10, 4, 5), "Because."));
        application.run(context -> {
            StreamingChatModel model = context.getBean(GuardedModels.class)
                    .guarded((StreamingChatModel) remote.streaming("gpt-4o").build());
            ChatRequest request =
                    ChatRequest.builder().messages(UserMessage.from("Why?")).build();
            Reading reading = new Reading();
            context.getBean(Desk.class).during(() -> {
                model.chat(request, reading);
                reading.text.orTimeout(10, TimeUnit.SECONDS).join();
            });
            assertThat(bill(context)).isEqualTo("10 in, 5 out, 0.00007 usd");
        });
    }

    /** A callback that is not passed on would be lost in silence, because they all have a default. */
    @Test
    void everyCallback_isPassedOn() {
        Method[] passedOn = GuardedStream.class.getDeclaredMethods();
        for (Method callback : StreamingChatResponseHandler.class.getMethods()) {
            assertThat(passedOn)
                    .as("%s", callback)
                    .anyMatch(method -> method.getName().equals(callback.getName())
                            && Arrays.equals(method.getParameterTypes(), callback.getParameterTypes()));
        }
    }
}
