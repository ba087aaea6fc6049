package dev.guardedby.consumers.ai;

import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.models.GuardedByChatAdvisor;
import java.util.List;
import org.springframework.ai.anthropic.AnthropicChatModel;
import org.springframework.ai.anthropic.AnthropicChatOptions;
import org.springframework.ai.anthropic.api.AnthropicApi;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.ResponseEntity;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.converter.ListOutputConverter;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.ai.openai.OpenAiImageModel;
import org.springframework.ai.openai.api.OpenAiApi;
import org.springframework.ai.openai.api.OpenAiImageApi;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Flux;

/** Calls of Spring AI's models and of its {@code ChatClient}, guarded. */
@Service
class Assistant {
    private final ChatModel openAi;
    private final ChatModel anthropic;
    private final EmbeddingModel embeddings;
    private final ImageModel images;
    private final ChatClient client;
    /** Each of its calls asks the budgets before. */
    private final ChatClient metered;

    Assistant(@Value("${remote}") String url, GuardedByChatAdvisor guardedBy) {
        OpenAiApi api = OpenAiApi.builder().baseUrl(url).apiKey("key").build();
        openAi = OpenAiChatModel.builder()
                .openAiApi(api)
                .defaultOptions(OpenAiChatOptions.builder()
                        .model("gpt-4o")
                        .streamUsage(true)
                        .build())
                .build();
        anthropic = AnthropicChatModel.builder()
                .anthropicApi(AnthropicApi.builder().baseUrl(url).apiKey("key").build())
                .defaultOptions(AnthropicChatOptions.builder()
                        .model("claude-sonnet-4-5")
                        .maxTokens(1024)
                        .build())
                .build();
        embeddings = new OpenAiEmbeddingModel(api);
        images = new OpenAiImageModel(
                OpenAiImageApi.builder().baseUrl(url).apiKey("key").build());
        client = ChatClient.create(openAi);
        metered = ChatClient.builder(openAi).defaultAdvisors(guardedBy).build();
    }

    @GuardedBy("llm")
    ChatResponse chat() {
        return openAi.call(new Prompt("Why?"));
    }

    @GuardedBy("llm")
    Flux<ChatResponse> stream() {
        return openAi.stream(new Prompt("Why?"));
    }

    @GuardedBy("llm")
    ChatResponse ask() {
        return client.prompt("Why?").call().chatResponse();
    }

    @GuardedBy("llm")
    String askBriefly() {
        return metered.prompt("Why?")
                // In 1.1 nothing of the model's own options is added before the call.
                .options(OpenAiChatOptions.builder().model("gpt-4o").maxTokens(100).build())
                .call()
                .content();
    }

    @GuardedBy("llm")
    ChatClientResponse clientResponse() {
        return client.prompt("Why?").call().chatClientResponse();
    }

    @GuardedBy("llm")
    ResponseEntity<ChatResponse, List<String>> entity() {
        return client.prompt("Why?").call().responseEntity(new ListOutputConverter());
    }

    @GuardedBy("llm")
    EmbeddingResponse embed() {
        return embeddings.embedForResponse(List.of("food"));
    }

    @GuardedBy("llm")
    ImageResponse paint() {
        return images.call(new ImagePrompt("an otter"));
    }

    @GuardedBy("llm")
    ChatResponse message() {
        return anthropic.call(new Prompt("Who?"));
    }

    @GuardedBy("llm")
    Flux<ChatResponse> messageStream() {
        return anthropic.stream(new Prompt("Who?"));
    }
}
