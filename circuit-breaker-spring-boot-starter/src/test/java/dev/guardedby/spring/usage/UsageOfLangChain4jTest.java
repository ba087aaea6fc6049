package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.application;
import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** What is booked when LangChain4j reads what the remotes of its models are documented to answer. */
class UsageOfLangChain4jTest {
    private static final Map<String, Consumer<Assistant>> CALLS = Map.of(
            "openAi", Assistant::openAi,
            "service", Assistant::service,
            "embed", Assistant::embed,
            "anthropic", Assistant::anthropic);

    private static Provider provider;

    private final ApplicationContextRunner application = application(Assistant.class);

    @BeforeAll
    static void serve() throws IOException {
        provider = new Provider();
    }

    @AfterAll
    static void stop() {
        provider.close();
    }

    /** An embedding's response does not name its model, and LangChain4j does not tell for how long Anthropic's cache was written. */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            openAi    | openai-chat.json       | 2006 in, 300 out, 0.005615 usd | {}
            service   | openai-chat.json       | 2006 in, 300 out, 0.005615 usd | {}
            embed     | openai-embeddings.json | 8 in, 0 out, 0 usd             | {price=1}
            anthropic | anthropic-message.json | 4096 in, 503 out, 0.015159 usd | {}
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill, String lost) {
        application.run(context -> {
            provider.answers(payload);
            CALLS.get(method).accept(context.getBean(Assistant.class));
            assertThat(bill(context, "llm")).isEqualTo(bill);
            assertThat(lost(context, "llm")).hasToString(lost);
        });
    }

    @Test
    void issue16_providersThatCountTheCacheIn_andThoseThatDoNot_costTheSame() {
        application.run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            provider.answers("openai-chat-cached.json");
            assistant.openAi();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.00342 usd");
            provider.answers("anthropic-message-cached.json");
            assistant.anthropic();
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.00684 usd");
        });
    }

    @Test
    void issue29_missingUsage_isUnknown_andNeverFailsTheCall() {
        application.run(context -> {
            provider.answers("openai-chat-without-usage.json");
            assertThat(context.getBean(Assistant.class).openAi().aiMessage().text())
                    .isEqualTo("Because of Rayleigh scattering.");
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("usage", 1L));
        });
    }

    interface Service {
        Result<String> answer(String question);
    }

    static class Assistant {
        private final ChatModel openAi = OpenAiChatModel.builder()
                .baseUrl(provider.url() + "/v1")
                .apiKey("key")
                .modelName("gpt-4o")
                .maxRetries(0)
                .build();
        private final ChatModel anthropic = AnthropicChatModel.builder()
                .baseUrl(provider.url() + "/v1")
                .apiKey("key")
                .modelName("claude-sonnet-4-5")
                .maxRetries(0)
                .build();
        private final EmbeddingModel embeddings = OpenAiEmbeddingModel.builder()
                .baseUrl(provider.url() + "/v1")
                .apiKey("key")
                .modelName("text-embedding-ada-002")
                .maxRetries(0)
                .build();
        private final Service service = AiServices.create(Service.class, openAi);

        @GuardedBy("llm") public ChatResponse openAi() {
            return openAi.chat(UserMessage.from("Why?"));
        }

        @GuardedBy("llm") public Result<String> service() {
            return service.answer("Why?");
        }

        @GuardedBy("llm") public Response<List<Embedding>> embed() {
            return embeddings.embedAll(List.of(TextSegment.from("food")));
        }

        @GuardedBy("llm") public ChatResponse anthropic() {
            return anthropic.chat(UserMessage.from("Who?"));
        }
    }
}
