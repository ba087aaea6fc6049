package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.application;
import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.ai.anthropic.AnthropicChatModel;
import org.springframework.ai.anthropic.AnthropicChatOptions;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.ResponseEntity;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.converter.ListOutputConverter;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Flux;

/** What is booked when Spring AI reads what the remotes of its models are documented to answer. */
class UsageOfSpringAiTest {
    private static final Map<String, Consumer<Assistant>> CALLS = Map.of(
            "openAi", Assistant::openAi,
            "openAiStream", assistant -> assistant.openAiStream().blockLast(),
            "embed", Assistant::embed,
            "clientResponse", Assistant::clientResponse,
            "entity", Assistant::entity,
            "anthropic", Assistant::anthropic,
            "anthropicStream", assistant -> assistant.anthropicStream().blockLast());

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

    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            openAi          | openai-chat.json           | 2006 in, 300 out, 0.005615 usd
            openAiStream    | openai-chat-stream.txt     | 19 in, 10 out, 0.00000885 usd
            embed           | openai-embeddings.json     | 8 in, 0 out, 0.0000008 usd
            clientResponse  | openai-chat.json           | 2006 in, 300 out, 0.005615 usd
            entity          | openai-chat.json | 2006 in, 300 out, 0.005615 usd
            anthropic       | anthropic-message.json     | 4096 in, 503 out, 0.015384 usd
            anthropicStream | anthropic-stream.txt       | 1025 in, 15 out, 0.0006 usd
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill) {
        application.run(context -> {
            provider.answers(payload);
            CALLS.get(method).accept(context.getBean(Assistant.class));
            assertThat(bill(context, "llm")).isEqualTo(bill);
            assertThat(lost(context, "llm")).isEmpty();
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
    void issue19_aStreamWithoutUsage_isUnknown_notZero() {
        application.run(context -> {
            provider.answers("openai-chat-stream-without-usage.txt");
            context.getBean(Assistant.class).openAiStream().blockLast();
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("usage", 1L));
        });
    }

    /** The rounds of a tool loop are added up without what the provider's client has counted. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gpt-4o            | 1000 in, 100 out, 0.003 usd
            claude-sonnet-4-5 | 1400 in, 100 out, 0.00462 usd
            """)
    void issue16_sumsOfRounds_countTheCacheAsTheirModelDoes(String model, String bill) {
        application.run(context -> {
            context.getBean(Assistant.class).summed(model, new DefaultUsage(1000, 100, 1100, null, 400L, null));
            assertThat(bill(context, "llm")).isEqualTo(bill);
        });
    }

    static class Assistant {
        private final ChatModel openAi = OpenAiChatModel.builder()
                .openAiClient(provider.openAi())
                .openAiClientAsync(provider.openAi().async())
                .options(OpenAiChatOptions.builder().model("gpt-4o").build())
                .build();
        private final OpenAiEmbeddingModel embeddings =
                OpenAiEmbeddingModel.builder().openAiClient(provider.openAi()).build();
        private final ChatModel anthropic = AnthropicChatModel.builder()
                .anthropicClient(provider.anthropic())
                .anthropicClientAsync(provider.anthropic().async())
                .options(AnthropicChatOptions.builder().build())
                .build();
        private final ChatClient client = ChatClient.create(openAi);

        @GuardedBy("llm") public ChatResponse openAi() {
            return openAi.call(new Prompt("Why?"));
        }

        @GuardedBy("llm") public Flux<ChatResponse> openAiStream() {
            return openAi.stream(new Prompt("Why?"));
        }

        @GuardedBy("llm") public EmbeddingResponse embed() {
            return embeddings.embedForResponse(List.of("food"));
        }

        @GuardedBy("llm") public ChatClientResponse clientResponse() {
            return client.prompt("Why?").call().chatClientResponse();
        }

        @GuardedBy("llm") public ResponseEntity<ChatResponse, List<String>> entity() {
            return client.prompt("Why?").call().responseEntity(new ListOutputConverter());
        }

        @GuardedBy("llm") public ChatResponse anthropic() {
            return anthropic.call(new Prompt("Who?"));
        }

        @GuardedBy("llm") public Flux<ChatResponse> anthropicStream() {
            return anthropic.stream(new Prompt("Who?"));
        }

        @GuardedBy("llm") public ChatResponse summed(String model, Usage usage) {
            return new ChatResponse(
                    List.of(),
                    ChatResponseMetadata.builder().model(model).usage(usage).build());
        }
    }
}
