package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.told;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.GuardedBy;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiImageModel;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is booked when LangChain4j reads what the remotes of its models are documented to answer. */
class UsageOfLangChain4jTest extends UsageOfClient<UsageOfLangChain4jTest.Assistant> {

    UsageOfLangChain4jTest() {
        super(
                Assistant.class,
                Map.of(
                        "chat", Assistant::chat,
                        "service", Assistant::service,
                        "embed", Assistant::embed,
                        "paint", Assistant::paint,
                        "paintSeveral", Assistant::paintSeveral,
                        "message", Assistant::message));
    }

    /**
     * The responses for embeddings and images do not name their model, and LangChain4j does not tell for how long Anthropic's
     * cache was written.
     */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            chat         | openai-chat.json       | 2006 in, 300 out, 0.005615 usd | {}
            service      | openai-chat.json       | 2006 in, 300 out, 0.005615 usd | {}
            embed        | openai-embeddings.json | 8 in, 0 out, 0 usd             | {price=1}
            paint        | openai-images.json     | 0 in, 0 out, 0 usd             | {price=1}
            paintSeveral | openai-images.json     | 0 in, 0 out, 0 usd             | {price=1}
            message      | anthropic-message.json | 4096 in, 503 out, 0.015159 usd | {}
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill, String lost) {
        assertBooked(method, payload, bill, lost);
    }

    @Test
    void imagesAreCounted() {
        application().run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            provider.answers("openai-images.json");
            assertThat(told(context, assistant.paint()).usage())
                    .isEqualTo(Usage.builder().units("image", 1).build());
            assertThat(told(context, assistant.paintSeveral()).usage())
                    .isEqualTo(Usage.builder().units("image", 2).build());
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
        private final ImageModel images = OpenAiImageModel.builder()
                .baseUrl(provider.url() + "/v1")
                .apiKey("key")
                .modelName("dall-e-2")
                .maxRetries(0)
                .build();
        private final Service service = AiServices.create(Service.class, openAi);

        @GuardedBy("llm") public ChatResponse chat() {
            return openAi.chat(UserMessage.from("Why?"));
        }

        @GuardedBy("llm") public Result<String> service() {
            return service.answer("Why?");
        }

        @GuardedBy("llm") public Response<List<Embedding>> embed() {
            return embeddings.embedAll(List.of(TextSegment.from("food")));
        }

        @GuardedBy("llm") public Response<Image> paint() {
            return images.generate("an otter");
        }

        @GuardedBy("llm") public Response<List<Image>> paintSeveral() {
            return images.generate("an otter", 2);
        }

        @GuardedBy("llm") public ChatResponse message() {
            return anthropic.chat(UserMessage.from("Who?"));
        }
    }
}
