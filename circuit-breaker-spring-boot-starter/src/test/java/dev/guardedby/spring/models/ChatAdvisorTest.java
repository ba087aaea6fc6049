package dev.guardedby.spring.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.ModelUsage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;
import reactor.test.StepVerifier;

/** When the advisor asks for leave, and what it says of the end. */
final class ChatAdvisorTest {
    private final Turnstile turnstile = new Turnstile();
    private final Model model = new Model();
    private final ChatClient client = ChatClient.builder(model)
            .defaultAdvisors(new GuardedByChatAdvisor(turnstile, 1))
            .build();

    @Test
    void aStreamWaitsForLeave_andBlocksNobody() {
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> assertThat(model.subscriptions).isEmpty())
                .then(turnstile::open)
                .then(() -> model.say("Because.", 3))
                .then(model::finish)
                .expectNext("Because.")
                .verifyComplete();
        assertThat(turnstile.told).containsExactly("end 3, seen 4");
    }

    @Test
    void aStreamWithoutLeave_failsWithTheRefusalItself() {
        IllegalStateException refusal = new IllegalStateException("refused");
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> turnstile.leave.completeExceptionally(refusal))
                .verifyErrorSatisfies(failure -> assertThat(failure).isSameAs(refusal));
        assertThat(model.subscriptions).isEmpty();
        assertThat(turnstile.told).isEmpty();
    }

    @Test
    void aStreamThatIsGivenUpBeforeLeaveCame_isNotMade() {
        StepVerifier.create(client.prompt("Why?").stream().content())
                .thenCancel()
                .verify();
        turnstile.open();
        assertThat(model.subscriptions).isEmpty();
        assertThat(turnstile.told).containsExactly("not made");
    }

    @Test
    void theLastUsageCounts_zerosAreNone_andSumsAreNotMade() {
        turnstile.open();
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> model.say("a", 10))
                .then(() -> model.say("b", 50))
                .then(() -> model.say("c", 100))
                .then(() -> model.say("d", 0))
                .then(model::finish)
                .expectNext("a", "b", "c", "d")
                .verifyComplete();
        assertThat(turnstile.told).containsExactly("end 100, seen 2");
    }

    @Test
    void aStreamThatIsCutShort_countsTheUsageThatItTold() {
        turnstile.open();
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> model.say("a", 10))
                .expectNext("a")
                .thenCancel()
                .verify();
        assertThat(turnstile.told).containsExactly("end 10, seen 1");
    }

    @Test
    void aStreamThatIsCutShort_andToldNothing_countsWhatCame() {
        turnstile.open();
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> model.say("Because.", 0))
                .expectNext("Because.")
                .thenCancel()
                .verify();
        assertThat(turnstile.told).containsExactly("cut 4");
    }

    @Test
    void aStreamThatFails_hasFailed_orIsCutShort() {
        turnstile.open();
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> model.fail(new IllegalStateException("away")))
                .verifyError(IllegalStateException.class);
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(() -> model.say("Because.", 0))
                .expectNext("Because.")
                .then(() -> model.fail(new IllegalStateException("away")))
                .verifyError(IllegalStateException.class);
        assertThat(turnstile.told).containsExactly("fail IllegalStateException", "cut 4");
    }

    @Test
    void aStreamOfNothing_isUnknown() {
        turnstile.open();
        StepVerifier.create(client.prompt("Why?").stream().content())
                .then(model::finish)
                .verifyComplete();
        assertThat(turnstile.told).containsExactly("end unknown, seen 0");
    }

    @Test
    void aCall_endsWithItsAnswer_orFails() {
        turnstile.open();
        assertThat(client.prompt("Why?").call().content()).isEqualTo("Because.");
        model.broken = new OutOfMemoryError("of the model");
        assertThatThrownBy(() -> client.prompt("Why?").call().content()).isSameAs(model.broken);
        assertThat(turnstile.told).containsExactly("end 5", "fail OutOfMemoryError");
    }

    /** Lets calls through when it is opened, and writes down what it is told of them. */
    private static final class Turnstile implements ModelCalls, ModelCall {
        final CompletableFuture<ModelCall> leave = new CompletableFuture<>();
        final List<String> told = new CopyOnWriteArrayList<>();

        void open() {
            leave.complete(this);
        }

        @Override
        public ModelCall begin(ModelRequest request) {
            return leave.join();
        }

        @Override
        public CompletionStage<ModelCall> beginAsync(ModelRequest request, @Nullable Object carried) {
            return leave;
        }

        @Override
        public Optional<String> model() {
            return Optional.empty();
        }

        @Override
        public void end(@Nullable Object answer) {
            told.add("end " + tokens(answer));
        }

        @Override
        public void endStream(@Nullable Object last, long outputTokens) {
            told.add("end " + tokens(last) + ", seen " + outputTokens);
        }

        private static String tokens(@Nullable Object answer) {
            return answer instanceof ChatResponse response
                    ? String.valueOf(response.getMetadata().getUsage().getTotalTokens())
                    : "unknown";
        }

        @Override
        public void end(ModelUsage usage) {
            told.add("end " + usage.confidence());
        }

        @Override
        public void cut(long outputTokens) {
            told.add("cut " + outputTokens);
        }

        @Override
        public void notMade() {
            told.add("not made");
        }

        @Override
        public boolean isCurrent() {
            return true;
        }

        @Override
        public void inside(Runnable work) {
            work.run();
        }

        @Override
        public void fail(Throwable failure) {
            told.add("fail " + failure.getClass().getSimpleName());
        }
    }

    /** Says what it is told to say. */
    private static final class Model implements ChatModel {
        final List<Sinks.Many<ChatResponse>> subscriptions = new CopyOnWriteArrayList<>();

        @Nullable Error broken;

        @Override
        public ChatResponse call(Prompt prompt) {
            if (broken != null) {
                throw broken;
            }
            return response("Because.", 5);
        }

        @Override
        public Flux<ChatResponse> stream(Prompt prompt) {
            return Flux.defer(() -> {
                Sinks.Many<ChatResponse> sink = Sinks.many().unicast().onBackpressureBuffer();
                subscriptions.add(sink);
                return sink.asFlux();
            });
        }

        @Override
        public ChatOptions getOptions() {
            return ChatOptions.builder().build();
        }

        void say(String text, int tokens) {
            last().tryEmitNext(response(text, tokens)).orThrow();
        }

        void finish() {
            last().tryEmitComplete().orThrow();
        }

        void fail(Throwable failure) {
            last().tryEmitError(failure).orThrow();
        }

        private Sinks.Many<ChatResponse> last() {
            return subscriptions.get(subscriptions.size() - 1);
        }

        private static ChatResponse response(String text, int tokens) {
            return new ChatResponse(
                    List.of(new Generation(new AssistantMessage(text))),
                    ChatResponseMetadata.builder()
                            .usage(new DefaultUsage(tokens, 0))
                            .build());
        }
    }
}
