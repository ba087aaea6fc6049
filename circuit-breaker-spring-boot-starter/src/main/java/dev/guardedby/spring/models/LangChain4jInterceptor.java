package dev.guardedby.spring.models;

import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.ClassUtils;

/**
 * Makes each call of a {@link ChatModel} or a {@link StreamingChatModel} a step of the guarded call that it is made in.
 *
 * <p>A model calls itself behind its proxy, so whichever of its methods is called from outside, {@code chat} with a text or messages or a
 * request, or {@code doChat}, passes once. The model's listeners are told by the model, of what is really sent.
 */
final class LangChain4jInterceptor implements MethodInterceptor {
    private static final Log LOG = LogFactory.getLog(LangChain4jInterceptor.class);

    private final ObjectProvider<ModelCalls> calls;
    private final AtomicBoolean warned = new AtomicBoolean();

    /** Asks for the bean when a model is first called. */
    LangChain4jInterceptor(ObjectProvider<ModelCalls> calls) {
        this.calls = calls;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        @Nullable Object[] arguments = invocation.getArguments();
        Object model = invocation.getThis();
        ChatRequest asked = isCall(invocation.getMethod()) ? request(arguments[0]) : null;
        if (asked == null || model == null) {
            return invocation.proceed();
        }
        boolean streams = arguments[arguments.length - 1] instanceof StreamingChatResponseHandler;
        LangChain4jCall call = LangChain4jCall.start(() -> calls.getObject().begin(known(asked, model, streams)));
        try {
            ChatRequest request = ofCheaper(call, asked);
            return streams ? start(invocation, model, request, call) : answer(invocation, model, request, call);
        } finally {
            call.started();
        }
    }

    /** Whether it is one of the methods that all models have; a class may have others of the same name. */
    private static boolean isCall(Method method) {
        return method.getParameterCount() > 0
                && (ClassUtils.hasMethod(ChatModel.class, method.getName(), method.getParameterTypes())
                        || ClassUtils.hasMethod(
                                StreamingChatModel.class, method.getName(), method.getParameterTypes()));
    }

    private static @Nullable ChatRequest request(@Nullable Object argument) {
        if (argument instanceof String text) {
            return ChatRequest.builder().messages(UserMessage.from(text)).build();
        }
        if (argument instanceof ChatMessage[] messages) {
            return ChatRequest.builder().messages(messages).build();
        }
        if (argument instanceof List<?> list) {
            List<ChatMessage> messages =
                    list.stream().map(ChatMessage.class::cast).toList();
            return ChatRequest.builder().messages(messages).build();
        }
        return argument instanceof ChatRequest request ? request : null;
    }

    private ModelRequest known(ChatRequest asked, Object model, boolean streams) {
        try {
            ModelRequest known = streams
                    ? known(
                            asked,
                            ((StreamingChatModel) model).defaultRequestParameters(),
                            ((StreamingChatModel) model).provider())
                    : known(asked, ((ChatModel) model).defaultRequestParameters(), ((ChatModel) model).provider())
                            .triedAtMost(LangChain4jRequests.attempts(model));
            return LangChain4jRequests.bringsMore(model) ? known.withTokens(known.inputTokens(), null) : known;
        } catch (RuntimeException | LinkageError broken) {
            warn(broken);
            return ModelRequest.of(asked.modelName());
        }
    }

    private static ModelRequest known(
            ChatRequest asked, @Nullable ChatRequestParameters defaults, @Nullable ModelProvider provider) {
        // As the model itself puts them together; that of a test may have none.
        ChatRequestParameters all = defaults == null ? asked.parameters() : defaults.overrideWith(asked.parameters());
        return LangChain4jRequests.known(asked, all, provider);
    }

    private ChatRequest ofCheaper(LangChain4jCall call, ChatRequest asked) {
        String cheaper = call.cheaper();
        if (cheaper == null) {
            return asked;
        }
        try {
            return LangChain4jRequests.of(cheaper, asked);
        } catch (RuntimeException | LinkageError broken) {
            warn(broken);
            return asked;
        }
    }

    private static @Nullable Object answer(
            MethodInvocation invocation, Object model, ChatRequest request, LangChain4jCall call) throws Throwable {
        Object answer;
        try {
            answer = isShorthand(invocation, model) ? ((ChatModel) model).chat(request) : proceed(invocation, request);
        } catch (Throwable failure) {
            call.fail(failure);
            throw failure;
        }
        call.end(answer);
        boolean asText = invocation.getMethod().getReturnType() == String.class;
        return asText && answer instanceof ChatResponse response
                ? response.aiMessage().text()
                : answer;
    }

    private static @Nullable Object start(
            MethodInvocation invocation, Object model, ChatRequest request, LangChain4jCall call) throws Throwable {
        @Nullable Object[] arguments = invocation.getArguments();
        int last = arguments.length - 1;
        StreamingChatResponseHandler handler =
                Objects.requireNonNull((StreamingChatResponseHandler) arguments[last], "handler");
        GuardedStream stream = new GuardedStream(handler, call);
        try {
            if (isShorthand(invocation, model)) {
                ((StreamingChatModel) model).chat(request, stream);
                return null;
            }
            arguments[last] = stream;
            return proceed(invocation, request);
        } catch (Throwable failure) {
            stream.fail(failure);
            throw failure;
        }
    }

    /** Whether it is one of the interface's own methods that take less than a request, and make one of it. */
    private static boolean isShorthand(MethodInvocation invocation, Object model) {
        return !(invocation.getArguments()[0] instanceof ChatRequest)
                && AopUtils.getMostSpecificMethod(invocation.getMethod(), model.getClass())
                        .getDeclaringClass()
                        .isInterface();
    }

    private static @Nullable Object proceed(MethodInvocation invocation, ChatRequest request) throws Throwable {
        @Nullable Object[] arguments = invocation.getArguments();
        if (arguments[0] instanceof ChatRequest) {
            arguments[0] = request;
        }
        return invocation.proceed();
    }

    private void warn(Throwable broken) {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "A request to a model of LangChain4j could not be read beforehand: it is made as it is, and what it may cost"
                            + " is not known before. Further such failures are not logged.",
                    broken);
        }
    }
}
