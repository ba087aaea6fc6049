package dev.guardedby.spring.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.core.JsonValue;
import com.anthropic.models.messages.Base64ImageSource;
import com.anthropic.models.messages.ContentBlockParam;
import com.anthropic.models.messages.ImageBlockParam;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.TextBlockParam;
import com.anthropic.models.messages.Tool;
import com.anthropic.models.messages.ToolResultBlockParam;
import com.anthropic.models.messages.ToolUseBlockParam;
import com.anthropic.models.messages.WebSearchTool20250305;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionPredictionContent;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.WebSearchTool;
import dev.guardedby.spring.usage.TokenCount;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** How many tokens are sent and received at most, by what requests of the SDKs say. */
final class RequestsOfSdksTest {
    /** A message of 4 characters: 16, its two names, its role and its text, each with what stands around it. */
    private static final long WHY = 16 + 1 + (3 + 3) + (4 + 3);

    private static final OpenAiRequests OPEN_AI = new OpenAiRequests();
    private static final AnthropicRequests ANTHROPIC = new AnthropicRequests();

    public record Verdict(String text) {}

    private static ChatCompletionCreateParams.Builder chat() {
        return ChatCompletionCreateParams.builder()
                .model("gpt-4o")
                .addUserMessage("Why?")
                .maxCompletionTokens(100);
    }

    private static ResponseCreateParams.Builder response() {
        return ResponseCreateParams.builder().model("gpt-4o").input("Why?").maxOutputTokens(100);
    }

    private static MessageCreateParams.Builder message() {
        return MessageCreateParams.builder()
                .model("claude-sonnet-4-5")
                .addUserMessage("Why?")
                .maxTokens(100);
    }

    private static ModelRequest of(String provider, String model, long sent, long received) {
        return ModelRequest.of(model)
                .servedBy(provider)
                .withTokens(sent, received)
                .triedAtMost(3);
    }

    @Test
    void textIsCounted_whatIsReceivedIsLimited_andTheSdkTriesThreeTimes() {
        assertThat(OPEN_AI.read(chat().temperature(0.2).build())).isEqualTo(of("openai", "gpt-4o", WHY, 100L));
        assertThat(OPEN_AI.read(response().build())).isEqualTo(of("openai", "gpt-4o", 16 + 3, 100L));
        assertThat(ANTHROPIC.read(message().build())).isEqualTo(of("anthropic", "claude-sonnet-4-5", WHY, 100L));
    }

    @Test
    void ofEachAnswer_asManyTokensAreReceived() {
        assertThat(OPEN_AI.read(chat().n(3).build()).maxOutputTokens()).isEqualTo(300);
        assertThat(OPEN_AI.read(chat().putAdditionalBodyProperty("max_tokens", com.openai.core.JsonValue.from(200))
                                .build())
                        .maxOutputTokens())
                .isEqualTo(200);
    }

    @Test
    void ofEmbeddings_nothingIsReceived() {
        EmbeddingCreateParams.Builder embedding =
                EmbeddingCreateParams.builder().model("text-embedding-3-small");
        assertThat(OPEN_AI.read(embedding.input("Why?").build()))
                .isEqualTo(of("openai", "text-embedding-3-small", 16 + 3, 0L));
        assertThat(OPEN_AI.read(embedding
                                .inputOfArrayOfStrings(List.of("Why?", "How?"))
                                .build())
                        .inputTokens())
                .isEqualTo(2 * (16 + 3));
        assertThat(OPEN_AI.read(embedding
                                .inputOfArrayOfTokens(List.of(10445L, 30L))
                                .build())
                        .inputTokens())
                .isBetween(2L, 6L);
    }

    @Test
    void whatModelsAreTold_isCounted_andWhatIsOnlySetIsNot() {
        long plain = OPEN_AI.read(response().build()).inputTokens();
        assertThat(OPEN_AI.read(response()
                                .temperature(0.2)
                                .safetyIdentifier("somebody whose name is long")
                                .build())
                        .inputTokens())
                .isEqualTo(plain);
        assertThat(OPEN_AI.read(response().instructions("Be brief.").build()).inputTokens())
                .isEqualTo(plain + 16 + 5);
        assertThat(ANTHROPIC.read(message().system("Be brief.").build()).inputTokens())
                .isEqualTo(WHY + 16 + 5);
    }

    @Test
    void structuredOutput_isCounted_withItsSchema() {
        ModelRequest chat = OPEN_AI.read(chat().responseFormat(Verdict.class).build());
        assertThat(chat.maxOutputTokens()).isEqualTo(100);
        assertThat(chat.inputTokens()).isGreaterThan(WHY + 20);
        ModelRequest response = OPEN_AI.read(response().text(Verdict.class).build());
        assertThat(response.maxOutputTokens()).isEqualTo(100);
        assertThat(response.inputTokens()).isGreaterThan(16 + 3 + 20);
        ModelRequest message =
                ANTHROPIC.read(message().outputConfig(Verdict.class).build());
        assertThat(message.maxOutputTokens()).isEqualTo(100);
        assertThat(message.inputTokens()).isGreaterThan(WHY + 1_000 + 20);
    }

    @Test
    void toolsOfTheApplication_theirCallsAndResults_areCounted() {
        ModelRequest asked = ANTHROPIC.read(message()
                .addTool(Tool.builder()
                        .name("weather")
                        .description("The weather in a city")
                        .inputSchema(Tool.InputSchema.builder().build())
                        .build())
                .addAssistantMessageOfBlockParams(List.of(ContentBlockParam.ofToolUse(ToolUseBlockParam.builder()
                        .id("call_1")
                        .name("weather")
                        // What an application calls an image is its own affair.
                        .input(ToolUseBlockParam.Input.builder()
                                .putAdditionalProperty("type", JsonValue.from("image"))
                                .build())
                        .build())))
                .addUserMessageOfBlockParams(List.of(ContentBlockParam.ofToolResult(ToolResultBlockParam.builder()
                        .toolUseId("call_1")
                        .content("rain ".repeat(600))
                        .build())))
                .build());
        assertThat(asked.maxOutputTokens()).isEqualTo(100);
        assertThat(asked.inputTokens()).isBetween(WHY + 1_000 + 1_000, WHY + 1_000 + 1_200);
    }

    static Stream<Arguments> withoutBound() {
        return Stream.of(
                Arguments.of(
                        "chat without a limit",
                        ChatCompletionCreateParams.builder().model("gpt-4o").addUserMessage("Why?")),
                Arguments.of("chat with an image", chat().addUserMessageOfArrayOfContentParts(image())),
                Arguments.of("chat with a prediction", chat().prediction(prediction())),
                Arguments.of(
                        "chat with a search",
                        chat().webSearchOptions(ChatCompletionCreateParams.WebSearchOptions.builder()
                                .build())),
                Arguments.of(
                        "chat at a dearer tier", chat().serviceTier(ChatCompletionCreateParams.ServiceTier.PRIORITY)),
                Arguments.of(
                        "chat with something new",
                        chat().putAdditionalBodyProperty("deep", com.openai.core.JsonValue.from(true))),
                Arguments.of("chat with more answers than anybody can ask for", chat().n(Long.MAX_VALUE)),
                Arguments.of("chat with a negative limit", chat().maxCompletionTokens(-1)),
                Arguments.of(
                        "response without a limit",
                        ResponseCreateParams.builder().model("gpt-4o").input("Why?")),
                Arguments.of("response after another", response().previousResponseId("resp_1")),
                Arguments.of("response in a conversation", response().conversation("conv_1")),
                Arguments.of("response that refers to an item", response().inputOfResponse(List.of(reference()))),
                Arguments.of(
                        "response with a search",
                        response()
                                .addTool(WebSearchTool.builder()
                                        .type(WebSearchTool.Type.WEB_SEARCH)
                                        .build())),
                Arguments.of("message with an image", message().addUserMessageOfBlockParams(anthropicImage())),
                Arguments.of(
                        "message with a search",
                        message().addTool(WebSearchTool20250305.builder().build())),
                Arguments.of("message in a container", message().container("container_1")),
                Arguments.of("message in one region", message().inferenceGeo("us")));
    }

    private static List<ChatCompletionContentPart> image() {
        return List.of(
                ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder()
                        .text("What is it?")
                        .build()),
                ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                        .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                                .url("https://example.com/a.png")
                                .build())
                        .build()));
    }

    private static ChatCompletionPredictionContent prediction() {
        return ChatCompletionPredictionContent.builder().content("Because.").build();
    }

    private static ResponseInputItem reference() {
        return ResponseInputItem.ofItemReference(
                ResponseInputItem.ItemReference.builder().id("msg_1").build());
    }

    private static List<ContentBlockParam> anthropicImage() {
        return List.of(
                ContentBlockParam.ofText(
                        TextBlockParam.builder().text("What is it?").build()),
                ContentBlockParam.ofImage(ImageBlockParam.builder()
                        .source(Base64ImageSource.builder()
                                .mediaType(Base64ImageSource.MediaType.IMAGE_PNG)
                                .data("AAAA")
                                .build())
                        .build()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("withoutBound")
    void whatCannotBeCounted_hasNoBound(String what, Object request) {
        ModelRequest read = request instanceof ChatCompletionCreateParams.Builder chat
                ? OPEN_AI.read(chat.build())
                : request instanceof ResponseCreateParams.Builder response
                        ? OPEN_AI.read(response.build())
                        : ANTHROPIC.read(((MessageCreateParams.Builder) request).build());
        assertThat(read.maxOutputTokens()).as(what).isNull();
        assertThat(read.model()).isNotNull();
        assertThat(read.inputTokens()).isPositive();
    }

    /** Of its texts alone, as many tokens are counted as elsewhere, and some more. */
    @Test
    void partsOfText_areCountedAsTheirTexts() {
        ModelRequest asked = OPEN_AI.read(chat().addUserMessageOfArrayOfContentParts(image().subList(0, 1))
                .build());
        assertThat(asked.maxOutputTokens()).isEqualTo(100);
        assertThat(asked.inputTokens())
                .isBetween(WHY + TokenCount.OF_A_MESSAGE + TokenCount.of("What is it?"), WHY + 60);
    }
}
