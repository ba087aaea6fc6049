package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static dev.guardedby.spring.usage.Bills.told;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImagesResponse;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseStreamEvent;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is booked when the SDKs of OpenAI and Anthropic read what their remotes are documented to answer. */
@ExtendWith(OutputCaptureExtension.class)
class UsageOfSdksTest extends UsageOfClient<UsageOfSdksTest.Sdk> {

    UsageOfSdksTest() {
        super(
                Sdk.class,
                Map.ofEntries(
                        entry("chat", Sdk::chat),
                        entry("anything", Sdk::anything),
                        entry("later", sdk -> sdk.later().join()),
                        entry("mono", sdk -> sdk.mono().block()),
                        entry("stream", sdk -> sdk.stream().blockLast()),
                        entry("respond", Sdk::respond),
                        entry("respondStream", sdk -> sdk.respondStream().blockLast()),
                        entry("embed", Sdk::embed),
                        entry("paint", Sdk::paint),
                        entry("message", Sdk::message),
                        entry("messageStream", sdk -> sdk.messageStream().blockLast()),
                        entry(
                                "messageStreamCutShort",
                                sdk -> sdk.messageStream().take(3).blockLast())));
    }

    /** OpenAI's answers do not name the model that made an image. */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource(delimiter = '|', textBlock = """
            chat          | openai-chat.json                          | 2006 in, 300 out, 0.005615 usd    | {}
            later         | openai-chat.json                          | 2006 in, 300 out, 0.005615 usd    | {}
            mono          | openai-chat.json                          | 2006 in, 300 out, 0.005615 usd    | {}
            anything      | openai-chat.json                          | 2006 in, 300 out, 0.005615 usd    | {}
            chat          | openai-chat-with-reasoning-on-top.json    | 100 in, 210 out, 0.00345 usd      | {}
            stream        | openai-chat-stream.txt                    | 19 in, 10 out, 0.00000885 usd     | {}
            respond       | openai-response.json                      | 75 in, 1186 out, 0.005976875 usd  | {}
            respondStream | openai-response-stream.txt                | 37 in, 11 out, 0.000162 usd       | {}
            respondStream | openai-response-stream-incomplete.txt     | 37 in, 16 out, 0.000202 usd       | {}
            respondStream | openai-response-stream-broken-off.txt     | 0 in, 0 out, 0 usd                | {usage=1}
            embed         | openai-embeddings.json                    | 8 in, 0 out, 0.0000008 usd        | {}
            paint         | openai-images.json                        | 0 in, 0 out, 0 usd                | {price=1}
            paint         | openai-images-with-tokens.json            | 50 in, 50 out, 0 usd              | {price=1}
            message       | anthropic-message.json                    | 4096 in, 503 out, 0.015384 usd    | {}
            message       | anthropic-message-with-search.json        | 14573 in, 6039 out, 0.13058065 usd | {}
            messageStream | anthropic-stream.txt                      | 1025 in, 15 out, 0.0006 usd       | {}
            messageStream | anthropic-stream-that-ends-with-output.txt | 25 in, 15 out, 0.0003 usd        | {}
            messageStream | anthropic-stream-that-begins-with-zeros.txt | 25 in, 15 out, 0.0003 usd       | {}
            messageStream | anthropic-stream-with-search.txt          | 10682 in, 510 out, 0.049696 usd   | {}
            messageStream | anthropic-stream-cached-for-an-hour.txt   | 4096 in, 503 out, 0.015384 usd    | {}
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill, String lost) {
        assertBooked(method, payload, bill, lost);
    }

    @Test
    void issue17_aCallReadFromACacheAlone_isNotFree() {
        assertBooked("message", "anthropic-message-all-cached.json", "1000 in, 1 out, 0.000315 usd", "{}");
    }

    @Test
    void issue19_aStreamWithoutUsage_isUnknown_notZero(CapturedOutput output) {
        application().run(context -> {
            Sdk sdk = context.getBean(Sdk.class);
            provider.answers("openai-chat-stream-without-usage.txt");
            assertThat(sdk.stream().collectList().block()).hasSize(3);
            sdk.stream().blockLast();
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("usage", 2L));
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "Sdk.stream() does not tell what was used"))
                    .isEqualTo(1);
        });
    }

    @Test
    void issue21_sumsOnEveryChunk_areNotAddedUp() {
        assertBooked("stream", "openai-chat-stream-of-sums.txt", "1000 in, 100 out, 0.0045 usd", "{}");
    }

    @Test
    void aStreamCutShort_isBookedAsFarAsItWasTold() {
        application().run(context -> {
            provider.answers("openai-chat-stream-of-sums.txt");
            context.getBean(Sdk.class).stream().take(2).blockLast();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 50 out, 0.00375 usd");
        });
    }

    @Test
    void issue20_aMessageCutShort_costsWhatWasSent_andTheOutputSeen() {
        assertBooked("messageStreamCutShort", "anthropic-stream.txt", "1025 in, 3 out, 0.00042 usd", "{}");
    }

    @Test
    void messageIsAnEstimate_untilItsEndSaysWhatWasUsed() {
        provider.answers("anthropic-stream-cached-for-an-hour.txt");
        assertThat(each(new Sdk().messageStream()))
                .containsExactly(
                        cachedForAnHour(1).with(Confidence.ESTIMATED),
                        cachedForAnHour(3).with(Confidence.ESTIMATED),
                        cachedForAnHour(4).with(Confidence.ESTIMATED),
                        cachedForAnHour(503));
    }

    /** As servers do that are only nearly compatible. */
    @Test
    void messageThatBeginsWithoutCounts_isUnknown_untilItsEnd() {
        provider.answers("anthropic-stream-that-begins-with-zeros.txt");
        assertThat(each(new Sdk().messageStream()))
                .containsExactly(
                        ModelUsage.unknown("house").servedBy("anthropic"),
                        ModelUsage.of("house", Usage.of(25, 15)).servedBy("anthropic"));
    }

    @Test
    void cacheOfWhichOnlyTheEndTells_isTakenForTheDearer() {
        provider.answers("anthropic-stream-that-ends-with-a-cache.txt");
        assertThat(each(new Sdk().messageStream()))
                .endsWith(ModelUsage.of(
                                "house",
                                Usage.builder()
                                        .tokens(TokenKind.INPUT, 25)
                                        .tokens(TokenKind.CACHE_WRITE_1H, 100)
                                        .tokens(TokenKind.OUTPUT, 15)
                                        .build())
                        .servedBy("anthropic"));
    }

    /** What is told by one event after the other. */
    private static List<ModelUsage> each(Flux<RawMessageStreamEvent> events) {
        AnthropicUsage reader = new AnthropicUsage();
        List<ModelUsage> told = new ArrayList<>();
        for (RawMessageStreamEvent event : events.toIterable()) {
            reader.extract(event, told.isEmpty() ? null : told.get(told.size() - 1))
                    .ifPresent(told::add);
        }
        return told;
    }

    private static ModelUsage cachedForAnHour(long output) {
        Usage usage = Usage.builder()
                .tokens(TokenKind.INPUT, 2048)
                .tokens(TokenKind.CACHED_INPUT, 1800)
                .tokens(TokenKind.CACHE_WRITE, 148)
                .tokens(TokenKind.CACHE_WRITE_1H, 100)
                .tokens(TokenKind.OUTPUT, output)
                .build();
        return ModelUsage.of("claude-sonnet-4-5-20250929", usage)
                .servedBy("anthropic")
                .with(ServiceTier.PRIORITY);
    }

    @Test
    void imagesAreCounted_whereTokensAreNot() {
        application().run(context -> {
            provider.answers("openai-images.json");
            assertThat(told(context, context.getBean(Sdk.class).paint()))
                    .isEqualTo(ModelUsage.of(
                                    null, Usage.builder().units("image", 2).build())
                            .servedBy("openai"));
        });
    }

    @Test
    void aStreamThatFails_isBookedAsFarAsItWasTold() {
        application().run(context -> {
            provider.answers("openai-chat-stream-of-sums.txt");
            assertThat(context.getBean(Sdk.class)
                            .breaking()
                            .onErrorComplete()
                            .collectList()
                            .block())
                    .hasSize(1);
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 10 out, 0.00315 usd");
        });
    }

    @ParameterizedTest
    @CsvSource({
        "openai-chat-without-usage.json, usage",
        "openai-chat-of-a-nearly-compatible-server.json, usage",
        "openai-chat-negative.json, extractor"
    })
    void issue29_missingAndWrongUsage_neverFailsTheCall(String payload, String reason) {
        application().run(context -> {
            provider.answers(payload);
            assertThat(context.getBean(Sdk.class).chat().choices()).hasSize(1);
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of(reason, 1L));
        });
    }

    @Test
    void aModelWithoutPrice_isBookedWithItsTokens_countedAndWarnedOfOnce(CapturedOutput output) {
        application().run(context -> {
            provider.answers("openai-chat-of-an-unpriced-model.json");
            context.getBean(Sdk.class).chat();
            context.getBean(Sdk.class).anything();
            assertThat(bill(context, "llm")).isEqualTo("4012 in, 600 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of("price", 2L));
            assertThat(StringUtils.countOccurrencesOf(output.getOut(), "the model 'grown-at-home-7b'"))
                    .isEqualTo(1);
        });
    }

    static class Sdk {
        private final ChatCompletionCreateParams question = ChatCompletionCreateParams.builder()
                .model("gpt-4o")
                .addUserMessage("Why?")
                .build();
        private final ResponseCreateParams answer =
                ResponseCreateParams.builder().model("gpt-5").input("How many?").build();
        private final MessageCreateParams message = MessageCreateParams.builder()
                .model("claude-sonnet-4-5")
                .maxTokens(1024)
                .addUserMessage("Who?")
                .build();

        @GuardedBy("llm") public ChatCompletion chat() {
            return provider.openAi().chat().completions().create(question);
        }

        @GuardedBy("llm") public Object anything() {
            return chat();
        }

        @GuardedBy("llm") public CompletableFuture<ChatCompletion> later() {
            return provider.openAi().async().chat().completions().create(question);
        }

        @GuardedBy("llm") public Mono<ChatCompletion> mono() {
            return Mono.fromFuture(
                    () -> provider.openAi().async().chat().completions().create(question));
        }

        @GuardedBy("llm") public Response respond() {
            return provider.openAi().responses().create(answer);
        }

        @GuardedBy("llm") public CreateEmbeddingResponse embed() {
            return provider.openAi()
                    .embeddings()
                    .create(EmbeddingCreateParams.builder()
                            .model("text-embedding-ada-002")
                            .input("food")
                            .build());
        }

        @SuppressWarnings("MustBeClosedChecker") // the flux closes it
        @GuardedBy("llm") public Flux<ChatCompletionChunk> stream() {
            return Flux.using(
                    () -> provider.openAi().chat().completions().createStreaming(question),
                    chunks -> Flux.fromStream(chunks.stream()),
                    StreamResponse::close);
        }

        @GuardedBy("llm") public Flux<ChatCompletionChunk> breaking() {
            return stream().take(1).concatWith(Flux.error(new IOException("connection reset")));
        }

        @GuardedBy("llm") public ImagesResponse paint() {
            return provider.openAi()
                    .images()
                    .generate(ImageGenerateParams.builder()
                            .model("dall-e-2")
                            .prompt("an otter")
                            .n(2)
                            .build());
        }

        @SuppressWarnings("MustBeClosedChecker") // the flux closes it
        @GuardedBy("llm") public Flux<ResponseStreamEvent> respondStream() {
            return Flux.using(
                    () -> provider.openAi().responses().createStreaming(answer),
                    events -> Flux.fromStream(events.stream()),
                    StreamResponse::close);
        }

        @GuardedBy("llm") public Message message() {
            return provider.anthropic().messages().create(message);
        }

        @SuppressWarnings("MustBeClosedChecker") // the flux closes it
        @GuardedBy("llm") public Flux<RawMessageStreamEvent> messageStream() {
            return Flux.using(
                    () -> provider.anthropic().messages().createStreaming(message),
                    events -> Flux.fromStream(events.stream()),
                    events -> events.close());
        }
    }
}
