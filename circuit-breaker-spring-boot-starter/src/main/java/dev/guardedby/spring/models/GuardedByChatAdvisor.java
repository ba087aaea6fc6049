package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.springframework.ai.chat.client.ChatClientRequest;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.client.advisor.api.Advisor;
import org.springframework.ai.chat.client.advisor.api.AdvisorChain;
import org.springframework.ai.chat.client.advisor.api.CallAdvisor;
import org.springframework.ai.chat.client.advisor.api.CallAdvisorChain;
import org.springframework.ai.chat.client.advisor.api.StreamAdvisor;
import org.springframework.ai.chat.client.advisor.api.StreamAdvisorChain;
import org.springframework.core.Ordered;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Makes each call that a {@code ChatClient} of Spring AI makes of its model a step of the guarded call that it is made in, so that budgets
 * are asked before and the usage is booked after, whatever the guarded method returns. With Spring AI 2.0 that is each round of a tool
 * loop; in 1.1 the model itself goes round, and the sum of its rounds is one step, of which nobody knows before how much it may cost.
 *
 * <p>Clients and builders that are beans have it. A client that is built by hand gets it from the bean of this type:
 *
 * <pre>{@code
 * ChatClient client = ChatClient.builder(chatModel).defaultAdvisors(guardedByChatAdvisor).build();
 * }</pre>
 *
 * <p>A client that has it twice is counted once. What a call may cost is known before it is made if its options limit the tokens that are
 * received, and if all that is sent is text. That is counted as {@link TokenCount} does, with {@link TokenCount#OF_A_MESSAGE} more for each
 * message, tool call and tool.
 * All of that is held as many times as the client may try by itself, because it may have to be paid each time: as often as OpenAI's and
 * Anthropic's client of 2.0 was made to ({@code spring.ai.openai.max-retries} and one more where Spring Boot makes it, 4 by default), else 1 +
 * {@code maxRetries} of the options where they have that, else {@code spring.ai.retry.max-attempts} (default 10), to which 2.0
 * adds the first attempt, except for streams; other clients than Spring AI's own are taken to try once.
 *
 * <p>The cheaper model of a budget's {@code degrade-to} takes the place of the one in the options, and all other options stay; options of Spring
 * AI 1.1 that have no {@code copy()} and {@code setModel} keep their model.
 *
 * <p>A refusal ends the tool loop, and the stream. With {@code guardedby.enabled=false} it does nothing. Thread-safe.
 */
public final class GuardedByChatAdvisor implements CallAdvisor, StreamAdvisor {
    /** Next to the model: inside the tool loop, and all that adds to prompts. */
    private static final int ORDER = Ordered.LOWEST_PRECEDENCE - 1;

    private static final String SEEN_IN = GuardedByChatAdvisor.class.getName() + ".seenIn";

    private final ModelCalls calls;
    private final int attempts;

    /**
     * An advisor.
     *
     * @param attempts {@code spring.ai.retry.max-attempts}
     */
    GuardedByChatAdvisor(ModelCalls calls, int attempts) {
        this.calls = calls;
        this.attempts = SpringAiPrompt.attempts(attempts);
    }

    @Override
    public String getName() {
        return "guardedBy";
    }

    @Override
    public int getOrder() {
        return ORDER;
    }

    @Override
    public ChatClientResponse adviseCall(ChatClientRequest request, CallAdvisorChain chain) {
        if (isSeen(request, chain)) {
            return chain.nextCall(request);
        }
        ModelCall call = calls.begin(asked(request, attempts, chain.getCallAdvisors()));
        ChatClientResponse response;
        try {
            response = chain.nextCall(next(request, call, chain, chain.getCallAdvisors()));
        } catch (Throwable thrown) {
            call.fail(thrown);
            throw thrown;
        }
        call.end(response.chatResponse());
        return response;
    }

    @Override
    public Flux<ChatClientResponse> adviseStream(ChatClientRequest request, StreamAdvisorChain chain) {
        if (isSeen(request, chain)) {
            return chain.nextStream(request);
        }
        return begin(request, chain.getStreamAdvisors())
                .flatMapMany(call -> new StreamedAnswer(call)
                        .of(Flux.defer(() -> chain.nextStream(next(request, call, chain, chain.getStreamAdvisors())))));
    }

    /** What a request asks for, as often as the client tries. */
    private static ModelRequest asked(ChatClientRequest request, int unlessTold, List<? extends Advisor> chain) {
        ModelRequest asked = SpringAiPrompt.read(request, unlessTold);
        Integer attempts = SpringAiClients.attempts(chain);
        return attempts == null ? asked : asked.triedAtMost(attempts);
    }

    private Mono<ModelCall> begin(ChatClientRequest request, List<? extends Advisor> chain) {
        return Mono.<ModelCall>create(sink -> {
                    CompletionStage<ModelCall> unused = calls.beginAsync(
                                    asked(request, 1, chain),
                                    sink.contextView().getOrDefault(ModelCalls.CONTEXT_KEY, null))
                            .whenComplete((call, refused) -> {
                                if (refused == null) {
                                    sink.success(call);
                                } else {
                                    sink.error(refused);
                                }
                            });
                })
                // Leave came when nobody waited for it any more.
                .doOnDiscard(ModelCall.class, ModelCall::notMade);
    }

    private ChatClientRequest next(
            ChatClientRequest request, ModelCall call, AdvisorChain chain, List<? extends Advisor> advisors) {
        ChatClientRequest switched =
                call.model().map(model -> SpringAiPrompt.to(model, request)).orElse(request);
        return advisors.stream().filter(this::equals).count() < 2 ? switched : seen(switched, chain);
    }

    // A chain is used once, so a request that is made again, by whatever advisor, is another call.
    private static ChatClientRequest seen(ChatClientRequest request, AdvisorChain chain) {
        Map<String, Object> context = new HashMap<>(request.context());
        context.put(SEEN_IN, chain);
        return new ChatClientRequest(request.prompt(), context);
    }

    private static boolean isSeen(ChatClientRequest request, AdvisorChain chain) {
        return request.context().get(SEEN_IN) == chain;
    }
}
