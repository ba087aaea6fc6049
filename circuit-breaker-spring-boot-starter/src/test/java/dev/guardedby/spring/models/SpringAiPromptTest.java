package dev.guardedby.spring.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.spring.usage.TokenCount;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.ai.anthropic.AnthropicChatOptions;
import org.springframework.ai.chat.client.ChatClientAttributes;
import org.springframework.ai.chat.client.ChatClientRequest;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.AssistantMessage.ToolCall;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage.ToolResponse;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeTypeUtils;

/** How many tokens are sent and received at most, by what a request of Spring AI says. */
final class SpringAiPromptTest {
    private static final ChatOptions LIMITED =
            ChatOptions.builder().model("gpt-4o").maxTokens(100).build();

    @Test
    void textsOfAllMessages_areCounted() {
        assertThat(read(LIMITED, new SystemMessage("Be brief."), new UserMessage("日本語")))
                .isEqualTo(ModelRequest.of("gpt-4o")
                        .withTokens(16 + 4 + 16 + 6, 100L)
                        .triedAtMost(7));
    }

    @Test
    void callsOfTools_theirResults_andWhatWasThought_areCounted() {
        AssistantMessage answer = AssistantMessage.builder()
                .content("Let me see.")
                .properties(Map.of("reasoningContent", "Bonn?"))
                .toolCalls(List.of(new ToolCall("call_1", "function", "weather", "{}")))
                .build();
        ToolResponseMessage result = ToolResponseMessage.builder()
                .responses(List.of(new ToolResponse("call_1", "weather", "Rain")))
                .build();
        assertThat(read(LIMITED, answer, result).inputTokens())
                .isEqualTo((16 + 5 + tokensKept(answer)) + (16 + 4 + 3 + 2) + 16 + (16 + 4 + 3 + 2));
    }

    private static long tokensKept(AssistantMessage answer) {
        return answer.getMetadata().values().stream()
                .filter(String.class::isInstance)
                .mapToLong(kept -> TokenCount.of(kept.toString()))
                .sum();
    }

    @Test
    void descriptionsOfToolsAndFormats_areCounted() {
        long plain = read(LIMITED, new UserMessage("Why?")).inputTokens();
        ChatOptions withTools = ToolCallingChatOptions.builder()
                .toolCallbacks(Tools.of("", "concat"))
                .maxTokens(100)
                .build();
        assertThat(read(withTools, new UserMessage("Why?")).inputTokens())
                .isEqualTo(plain + 16 + 2 + TokenCount.of(Tools.DESCRIPTION) + TokenCount.of(Tools.SCHEMA) + 1_000);
        ChatClientRequest formatted = new ChatClientRequest(
                new Prompt(new UserMessage("Why?"), LIMITED),
                Map.of(ChatClientAttributes.OUTPUT_FORMAT.getKey(), "As JSON."));
        assertThat(SpringAiPrompt.read(formatted, 1).inputTokens()).isEqualTo(plain + 4 + 1_000);
    }

    /** Bedrock and Vertex AI serve Claude, too, and nothing in their options says so. */
    @Test
    void whatMayBeClaude_isToldOfTools_inMoreThanTheirDescriptions() {
        UserMessage message = new UserMessage("Why?");
        long anthropic = read(
                        AnthropicChatOptions.builder()
                                .toolCallbacks(Tools.of("", "concat"))
                                .build(),
                        message)
                .inputTokens();
        long openAi = read(
                        OpenAiChatOptions.builder()
                                .toolCallbacks(Tools.of("", "concat"))
                                .build(),
                        message)
                .inputTokens();
        long unknown = read(
                        ToolCallingChatOptions.builder()
                                .toolCallbacks(Tools.of("", "concat"))
                                .build(),
                        message)
                .inputTokens();
        assertThat(List.of(anthropic, unknown)).containsOnly(openAi + 1_000);
    }

    @Test
    void withAnImage_thereIsNoBound() {
        UserMessage message = UserMessage.builder()
                .text("What is it?")
                .media(new Media(MimeTypeUtils.IMAGE_PNG, new ByteArrayResource(new byte[3])))
                .build();
        assertThat(read(LIMITED, message).maxOutputTokens()).isNull();
    }

    @Test
    void withoutALimit_orWithOneBelow0_thereIsNoBound() {
        UserMessage message = new UserMessage("Why?");
        assertThat(read(ChatOptions.builder().build(), message).maxOutputTokens())
                .isNull();
        assertThat(read(ChatOptions.builder().maxTokens(-1).build(), message).maxOutputTokens())
                .isNull();
        assertThat(read(null, message))
                .isEqualTo(ModelRequest.of(null).withTokens(18, null).withFixedModel());
    }

    @Test
    void openAisOwnLimit_counts_onceForEachAnswer() {
        UserMessage message = new UserMessage("Why?");
        assertThat(read(OpenAiChatOptions.builder().maxCompletionTokens(70).build(), message)
                        .maxOutputTokens())
                .isEqualTo(70);
        assertThat(read(OpenAiChatOptions.builder().maxTokens(70).n(3).build(), message)
                        .maxOutputTokens())
                .isEqualTo(210);
    }

    @Test
    void attempts_areThoseOfTheOptions_orAsConfigured() {
        UserMessage question = new UserMessage("Why?");
        assertThat(read(OpenAiChatOptions.builder().maxRetries(2).build(), question)
                        .attempts())
                .isEqualTo(3);
        assertThat(read(OpenAiChatOptions.builder().maxRetries(0).build(), question)
                        .attempts())
                .isEqualTo(1);
        assertThat(read(OpenAiChatOptions.builder().maxRetries(5_000).build(), question)
                        .attempts())
                .isEqualTo(1_000);
        // Of whichever client that is.
        assertThat(read(ChatOptions.builder().build(), question).attempts()).isEqualTo(7);
        assertThat(SpringAiPrompt.attempts(10)).isEqualTo(11);
        assertThat(SpringAiPrompt.attempts(-1)).isEqualTo(1);
    }

    @Test
    void theirOwnClients_tellWhoServesTheModel() {
        UserMessage message = new UserMessage("Why?");
        assertThat(read(OpenAiChatOptions.builder().build(), message).provider())
                .isEqualTo("openai");
        assertThat(read(AnthropicChatOptions.builder().build(), message).provider())
                .isEqualTo("anthropic");
        assertThat(read(LIMITED, message).provider()).isNull();
    }

    @Test
    void nativeImages_areToldWhatIsReadByName() {
        RuntimeHints hints = new RuntimeHints();
        new ChatOptionsHints().registerHints(hints, getClass().getClassLoader());
        assertThat(RuntimeHintsPredicates.reflection()
                        .onType(OpenAiChatOptions.class)
                        .withMemberCategory(MemberCategory.INVOKE_PUBLIC_METHODS))
                .accepts(hints);
    }

    @Test
    void optionsThatCannotBeRead_leaveTheModel() {
        ChatOptions broken = (ChatOptions) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ChatOptions.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getModel")) {
                        return "house";
                    }
                    throw new IllegalStateException(method.getName());
                });
        assertThat(read(broken, new UserMessage("Why?"))).isEqualTo(ModelRequest.of("house"));
        ChatClientRequest asked = new ChatClientRequest(new Prompt("Why?", broken), Map.of());
        assertThat(SpringAiPrompt.to("gpt-4o-mini", asked)).isSameAs(asked);
    }

    @Test
    void anotherModel_keepsAllElse() {
        ChatClientRequest asked = new ChatClientRequest(
                new Prompt(
                        new UserMessage("Why?"),
                        OpenAiChatOptions.builder()
                                .model("gpt-4o")
                                .maxCompletionTokens(70)
                                .reasoningEffort("low")
                                .build()),
                Map.of("key", "value"));
        assertThat(SpringAiPrompt.to("gpt-4o-mini", asked))
                .isEqualTo(new ChatClientRequest(
                        new Prompt(
                                new UserMessage("Why?"),
                                OpenAiChatOptions.builder()
                                        .model("gpt-4o-mini")
                                        .maxCompletionTokens(70)
                                        .reasoningEffort("low")
                                        .build()),
                        Map.of("key", "value")));
    }

    @Test
    void anotherModel_withoutOptions_isNotAsked() {
        ChatClientRequest asked = new ChatClientRequest(new Prompt("Why?"), Map.of());
        assertThat(SpringAiPrompt.to("gpt-4o-mini", asked)).isSameAs(asked);
    }

    private static ModelRequest read(@Nullable ChatOptions options, Message... messages) {
        return SpringAiPrompt.read(new ChatClientRequest(new Prompt(List.of(messages), options), Map.of()), 7);
    }
}
