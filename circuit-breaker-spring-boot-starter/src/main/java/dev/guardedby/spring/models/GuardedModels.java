package dev.guardedby.spring.models;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import org.springframework.aop.framework.ProxyFactory;

/**
 * Guards models of LangChain4j that are no beans; those that are need nothing. Inject the bean of this type:
 *
 * <pre>{@code
 * ChatModel model = guardedModels.guarded(OpenAiChatModel.builder().modelName("gpt-4.1").build());
 * Assistant assistant = AiServices.builder(Assistant.class).chatModel(model).tools(tools).build();
 * }</pre>
 *
 * <p>Each call of a guarded model inside a {@link dev.guardedby.spring.GuardedBy} method, of the tools that it asks for too, is a step
 * of that call: budgets are asked before it, and a refusal is thrown by the model, so that it ends the loop; it is priced once when it has
 * ended. Where a budget has reached its {@code degrade-at}, the model of {@code degrade-to} is asked for instead, unless the parameters of
 * the request are of a kind of which no other model can be asked for. What it may cost is bounded by the length of the messages, of the
 * tools and of the answer, if that has a limit; images have no bound. All of that is held as many times as the model may try by itself,
 * 1 + {@code maxRetries} or else 3, because it may have to be paid each time; streams are tried once. Outside guarded methods, and with {@code guardedby.enabled=false}, all
 * calls pass.
 *
 * <p>Thread-safe.
 */
public final class GuardedModels {
    private final LangChain4jInterceptor interceptor;

    GuardedModels(LangChain4jInterceptor interceptor) {
        this.interceptor = interceptor;
    }

    /** The same model, guarded; one that is guarded already, or stands before one that is, is charged once all the same. */
    public ChatModel guarded(ChatModel model) {
        return guarded(ChatModel.class, model);
    }

    /**
     * The same model, guarded. A stream belongs to the guarded call that it is started in, wherever its handler is called. What it costs
     * is known when it is complete; cancelled or broken off, it costs what was sent and what was received until then, by estimate.
     */
    public StreamingChatModel guarded(StreamingChatModel model) {
        return guarded(StreamingChatModel.class, model);
    }

    private <M> M guarded(Class<M> type, M model) {
        ProxyFactory factory = new ProxyFactory(type, interceptor);
        factory.setTarget(model);
        return type.cast(factory.getProxy());
    }
}
