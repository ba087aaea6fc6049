package dev.guardedby.spring.usage;

import static dev.guardedby.spring.usage.Bills.application;
import static dev.guardedby.spring.usage.Bills.bill;
import static dev.guardedby.spring.usage.Bills.lost;
import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.core.http.StreamResponse;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What is booked when the SDKs of OpenAI and Anthropic read what their remotes are documented to answer. */
@ExtendWith(OutputCaptureExtension.class)
class UsageOfClientsTest {
    private static final Map<String, Consumer<Sdk>> CALLS = Map.of(
            "chat", Sdk::chat,
            "anything", Sdk::anything,
            "later", sdk -> sdk.later().join(),
            "mono", sdk -> sdk.mono().block(),
            "respond", Sdk::respond,
            "embed", Sdk::embed,
            "stream", sdk -> sdk.stream().blockLast(),
            "message", Sdk::message);

    private static Provider provider;

    private final ApplicationContextRunner application = application(Sdk.class);

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
            chat     | openai-chat.json                            | 2006 in, 300 out, 0.005615 usd
            later    | openai-chat.json                            | 2006 in, 300 out, 0.005615 usd
            mono     | openai-chat.json                            | 2006 in, 300 out, 0.005615 usd
            anything | openai-chat.json                            | 2006 in, 300 out, 0.005615 usd
            chat     | openai-chat-with-reasoning-on-top.json      | 100 in, 210 out, 0.00345 usd
            respond  | openai-response.json                        | 75 in, 1186 out, 0.005976875 usd
            embed    | openai-embeddings.json                      | 8 in, 0 out, 0.0000008 usd
            stream   | openai-chat-stream.txt                      | 19 in, 10 out, 0.00000885 usd
            message  | anthropic-message.json                      | 4096 in, 503 out, 0.015384 usd
            message  | anthropic-message-with-search.json          | 14573 in, 6039 out, 0.13058065 usd
            """)
    void whatTheRemoteSaysWasUsed_isBookedExactly(String method, String payload, String bill) {
        application.run(context -> {
            provider.answers(payload);
            CALLS.get(method).accept(context.getBean(Sdk.class));
            assertThat(bill(context, "llm")).isEqualTo(bill);
            assertThat(lost(context, "llm")).isEmpty();
        });
    }

    @Test
    void issue16_providersThatCountTheCacheIn_andThoseThatDoNot_costTheSame() {
        application.run(context -> {
            Sdk sdk = context.getBean(Sdk.class);
            provider.answers("openai-chat-cached.json");
            sdk.chat();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.00342 usd");
            provider.answers("anthropic-message-cached.json");
            sdk.message();
            assertThat(bill(context, "llm")).isEqualTo("2000 in, 200 out, 0.00684 usd");
        });
    }

    @Test
    void issue17_aCallReadFromACacheAlone_isNotFree() {
        application.run(context -> {
            provider.answers("anthropic-message-all-cached.json");
            context.getBean(Sdk.class).message();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 1 out, 0.000315 usd");
        });
    }

    @Test
    void issue19_aStreamWithoutUsage_isUnknown_notZero(CapturedOutput output) {
        application.run(context -> {
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
        application.run(context -> {
            provider.answers("openai-chat-stream-of-sums.txt");
            context.getBean(Sdk.class).stream().blockLast();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 100 out, 0.0045 usd");
        });
    }

    @Test
    void aStreamCutShort_isBookedAsFarAsItWasTold() {
        application.run(context -> {
            provider.answers("openai-chat-stream-of-sums.txt");
            context.getBean(Sdk.class).stream().take(2).blockLast();
            assertThat(bill(context, "llm")).isEqualTo("1000 in, 50 out, 0.00375 usd");
        });
    }

    @Test
    void aStreamThatFails_isBookedAsFarAsItWasTold() {
        application.run(context -> {
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
        application.run(context -> {
            provider.answers(payload);
            assertThat(context.getBean(Sdk.class).chat().choices()).hasSize(1);
            assertThat(bill(context, "llm")).isEqualTo("0 in, 0 out, 0 usd");
            assertThat(lost(context, "llm")).isEqualTo(Map.of(reason, 1L));
        });
    }

    @Test
    void aModelWithoutPrice_isBookedWithItsTokens_countedAndWarnedOfOnce(CapturedOutput output) {
        application.run(context -> {
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
            return provider.openAi()
                    .responses()
                    .create(ResponseCreateParams.builder()
                            .model("gpt-5")
                            .input("How many?")
                            .build());
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

        @GuardedBy("llm") public Message message() {
            return provider.anthropic()
                    .messages()
                    .create(MessageCreateParams.builder()
                            .model("claude-sonnet-4-5")
                            .maxTokens(1024)
                            .addUserMessage("Who?")
                            .build());
        }
    }
}
