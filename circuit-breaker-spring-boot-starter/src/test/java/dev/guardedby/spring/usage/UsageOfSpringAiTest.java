package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.GuardedBy;
import java.util.List;
import java.util.Map;
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
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.ai.openai.OpenAiImageModel;
import reactor.core.publisher.Flux;

/** What is booked when Spring AI reads what the remotes of its models are documented to answer. */
class UsageOfSpringAiTest extends UsageOfClient<UsageOfSpringAiTest.Assistant> {

    UsageOfSpringAiTest() {
        super(
                Assistant.class,
                Map.of(
                        "chat", Assistant::chat,
                        "stream", assistant -> assistant.stream().blockLast(),
                        "embed", Assistant::embed,
                        "paint", Assistant::paint,
                        "clientResponse", Assistant::clientResponse,
                        "entity", Assistant::entity,
                        "message", Assistant::message,
                        "messageStream", assistant -> assistant.messageStream().blockLast()));
    }

    /** Responses for images do not name their model; those for streams do not tell for how long Anthropic's cache was written: the dearer. */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            chat           | openai-chat.json                           | 2006 in, 300 out, 0.005615 usd | {}
            stream         | openai-chat-stream.txt                     | 19 in, 10 out, 0.00000885 usd  | {}
            embed          | openai-embeddings.json                     | 8 in, 0 out, 0.0000008 usd     | {}
            paint          | openai-images.json                         | 0 in, 0 out, 0 usd             | {price=1}
            clientResponse | openai-chat.json                           | 2006 in, 300 out, 0.005615 usd | {}
            entity         | openai-chat.json                           | 2006 in, 300 out, 0.005615 usd | {}
            message        | anthropic-message.json                     | 4096 in, 503 out, 0.015384 usd | {}
            messageStream  | anthropic-stream.txt                       | 1025 in, 15 out, 0.0006 usd    | {}
            messageStream  | anthropic-stream-that-ends-with-output.txt | 25 in, 15 out, 0.0003 usd      | {}
            messageStream  | anthropic-stream-cached-for-an-hour.txt    | 4096 in, 503 out, 0.015717 usd | {}
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill, String lost) {
        assertBooked(method, payload, bill, lost);
    }

    @Test
    void issue19_aStreamWithoutUsage_isUnknown_notZero() {
        assertBooked("stream", "openai-chat-stream-without-usage.txt", "0 in, 0 out, 0 usd", "{usage=1}");
    }

    @Test
    void imagesAreCounted_whereTokensAreNot() {
        application().run(context -> {
            provider.answers("openai-images.json");
            ImageResponse images = context.getBean(Assistant.class).paint();
            assertThat(told(context, images).usage())
                    .isEqualTo(dev.guardedby.circuitbreaker.Usage.builder()
                            .units("image", 2)
                            .build());
            images.getMetadata().setUsage(new DefaultUsage(50, 60));
            assertThat(told(context, images).usage()).isEqualTo(dev.guardedby.circuitbreaker.Usage.of(50, 60));
        });
    }

    /** The rounds of a tool loop are added up without what the provider's client has counted. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gpt-4o            | 1000 in, 100 out, 0.003 usd
            claude-sonnet-4-5 | 1400 in, 100 out, 0.00462 usd
            """)
    void issue16_sumsOfRounds_countTheCacheAsTheirModelDoes(String model, String bill) {
        application().run(context -> {
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
        private final ImageModel images =
                OpenAiImageModel.builder().openAiClient(provider.openAi()).build();
        private final ChatClient client = ChatClient.create(openAi);

        @GuardedBy("llm") public ChatResponse chat() {
            return openAi.call(new Prompt("Why?"));
        }

        @GuardedBy("llm") public Flux<ChatResponse> stream() {
            return openAi.stream(new Prompt("Why?"));
        }

        @GuardedBy("llm") public EmbeddingResponse embed() {
            return embeddings.embedForResponse(List.of("food"));
        }

        @GuardedBy("llm") public ImageResponse paint() {
            return images.call(new ImagePrompt("an otter"));
        }

        @GuardedBy("llm") public ChatClientResponse clientResponse() {
            return client.prompt("Why?").call().chatClientResponse();
        }

        @GuardedBy("llm") public ResponseEntity<ChatResponse, List<String>> entity() {
            return client.prompt("Why?").call().responseEntity(new ListOutputConverter());
        }

        @GuardedBy("llm") public ChatResponse message() {
            return anthropic.call(new Prompt("Who?"));
        }

        @GuardedBy("llm") public Flux<ChatResponse> messageStream() {
            return anthropic.stream(new Prompt("Who?"));
        }

        @GuardedBy("llm") public ChatResponse summed(String model, Usage usage) {
            return new ChatResponse(
                    List.of(),
                    ChatResponseMetadata.builder().model(model).usage(usage).build());
        }
    }
}
