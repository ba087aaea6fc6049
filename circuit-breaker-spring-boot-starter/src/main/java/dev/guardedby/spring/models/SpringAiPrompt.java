package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.client.ChatClientAttributes;
import org.springframework.ai.chat.client.ChatClientRequest;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.AssistantMessage.ToolCall;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage.ToolResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.MediaContent;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.definition.ToolDefinition;
import org.springframework.beans.PropertyAccessorFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** What a request of Spring AI asks a model for, in versions 1.1 and 2.0. */
final class SpringAiPrompt {
    /** Options by which a remote is sent, or gets for itself, what no message has. */
    private static final List<String> BRING_MORE = List.of(
            "cachedContentName",
            "citationDocuments",
            "extraBody",
            "googleSearchRetrieval",
            "skillContainer",
            "webSearchOptions",
            "webSearchTool");

    private static final String SPRING_AI = "org.springframework.ai.";
    /** Since 2.0, where options cannot be changed once they are made. */
    private static final boolean OPTIONS_ARE_BUILT = ClassUtils.hasMethod(ChatOptions.class, "mutate");

    private SpringAiPrompt() {}

    /**
     * The model, who serves it, the most tokens, and how often the client may ask for them.
     *
     * <p>Sent are the texts of all messages, what they carry for the model beside them, and what tools and formats are described to it by, as
     * {@link TokenCount} counts. Received is what the options limit, times the answers that they ask for. Where there is something that cannot
     * be counted, an image, a search or the rounds that a model goes by itself, what is received has no limit, so that the rest is no bound.
     *
     * @param attempts of a client of Spring AI that does not say in its options how often it tries
     */
    static ModelRequest read(ChatClientRequest asked, int attempts) {
        return read(asked.prompt(), tokensOf(asked.context()), attempts);
    }

    /**
     * The same of a prompt for a model itself. In 1.1 a model adds what it has by default, tools for example, so there is no bound.
     *
     * @param attempts of a client of Spring AI that does not say in its options how often it tries
     */
    static ModelRequest read(Prompt prompt, int attempts) {
        ModelRequest request = read(prompt, 0, attempts);
        return OPTIONS_ARE_BUILT ? request : request.withTokens(request.inputTokens(), null);
    }

    private static ModelRequest read(Prompt prompt, long besides, int attempts) {
        ChatOptions options = prompt.getOptions();
        if (options == null) {
            return ModelRequest.of(null)
                    .withTokens(besides + tokensOf(prompt), null)
                    .withFixedModel();
        }
        ModelRequest named = ModelRequest.of(options.getModel()).servedBy(providerOf(options));
        ModelRequest request = canBeCopied(options) ? named : named.withFixedModel();
        try {
            long described = besides + tokensOf(options);
            long explained = described == 0 ? 0 : ModelRequest.explained(request.provider());
            boolean isCounted = (OPTIONS_ARE_BUILT || !isPortable(options))
                    && isOneRound(options)
                    && BRING_MORE.stream().allMatch(name -> ModelRequest.isOff(property(options, name)))
                    && prompt.getInstructions().stream().allMatch(SpringAiPrompt::isText);
            return request.withTokens(tokensOf(prompt) + described + explained, isCounted ? received(options) : null)
                    .triedAtMost(attempts(options, attempts));
        } catch (RuntimeException broken) {
            // Options of whatever provider; that they cannot be read is no reason for the call to fail.
            return request;
        }
    }

    /** Whose answers the client of these options reads, as the usage in them is read. */
    private static @Nullable String providerOf(ChatOptions options) {
        String type = options.getClass().getName();
        if (type.startsWith(SPRING_AI + "openai.")) {
            return "openai";
        }
        return type.startsWith(SPRING_AI + "anthropic.") ? "anthropic" : null;
    }

    /** The same request to another model; to the same one if it has no options, or they let nobody copy them. */
    static ChatClientRequest to(String model, ChatClientRequest asked) {
        ChatOptions options = asked.prompt().getOptions();
        try {
            return options == null
                    ? asked
                    : asked.mutate()
                            .prompt(new Prompt(asked.prompt().getInstructions(), copy(options, model)))
                            .build();
        } catch (RuntimeException cannot) {
            return asked;
        }
    }

    private static ChatOptions copy(ChatOptions options, String model) {
        if (OPTIONS_ARE_BUILT) {
            return options.mutate().model(model).build();
        }
        Method copy = Objects.requireNonNull(copyMethod(options));
        ReflectionUtils.makeAccessible(copy);
        Object copied = Objects.requireNonNull(ReflectionUtils.invokeMethod(copy, options));
        PropertyAccessorFactory.forBeanPropertyAccess(copied).setPropertyValue("model", model);
        return (ChatOptions) copied;
    }

    private static boolean canBeCopied(ChatOptions options) {
        return OPTIONS_ARE_BUILT
                || (copyMethod(options) != null
                        && PropertyAccessorFactory.forBeanPropertyAccess(options)
                                .isWritableProperty("model"));
    }

    private static @Nullable Method copyMethod(ChatOptions options) {
        return ReflectionUtils.findMethod(options.getClass(), "copy");
    }

    /** Of the formats that a client tells the model of. */
    private static long tokensOf(Map<String, @Nullable Object> context) {
        return tokensOf(context.get(ChatClientAttributes.OUTPUT_FORMAT.getKey()))
                + tokensOf(context.get(ChatClientAttributes.STRUCTURED_OUTPUT_SCHEMA.getKey()));
    }

    private static long tokensOf(Prompt prompt) {
        long tokens = 0;
        for (Message message : prompt.getInstructions()) {
            tokens += TokenCount.OF_A_MESSAGE + tokensOf(message);
        }
        return tokens;
    }

    private static long tokensOf(ChatOptions options) {
        long tokens = options instanceof StructuredOutputChatOptions structured ? tokensOf(schemaOf(structured)) : 0;
        for (ToolCallback tool : toolsOf(options)) {
            ToolDefinition told = tool.getToolDefinition();
            tokens += TokenCount.OF_A_MESSAGE
                    + tokensOf(told.name())
                    + tokensOf(told.description())
                    + tokensOf(told.inputSchema());
        }
        return tokens;
    }

    private static @Nullable String schemaOf(StructuredOutputChatOptions options) {
        try {
            return options.getOutputSchema();
        } catch (NullPointerException none) {
            // So OpenAI's of 1.1, where there is none.
            return null;
        }
    }

    private static long tokensOf(Message message) {
        long tokens = tokensOf(message.getText());
        if (message instanceof AssistantMessage answer) {
            // What was thought is sent again, by the clients that keep it there.
            for (Object kept : answer.getMetadata().values()) {
                tokens += tokensOf(kept);
            }
            for (ToolCall call : answer.getToolCalls()) {
                tokens += TokenCount.OF_A_MESSAGE
                        + tokensOf(call.id())
                        + tokensOf(call.name())
                        + tokensOf(call.arguments());
            }
        } else if (message instanceof ToolResponseMessage tools) {
            for (ToolResponse result : tools.getResponses()) {
                tokens += TokenCount.OF_A_MESSAGE
                        + tokensOf(result.id())
                        + tokensOf(result.name())
                        + tokensOf(result.responseData());
            }
        }
        return tokens;
    }

    private static long tokensOf(@Nullable Object text) {
        return text instanceof String string ? TokenCount.of(string) : 0;
    }

    /** Whether there is nothing in a message but what is counted. */
    private static boolean isText(Message message) {
        return message instanceof MediaContent content
                ? content.getMedia().isEmpty()
                : message instanceof SystemMessage || message instanceof ToolResponseMessage;
    }

    /** Whether the model is asked once: in 1.1 it goes round by itself if it has tools, of which some are known to it by name. */
    private static boolean isOneRound(ChatOptions options) {
        return OPTIONS_ARE_BUILT
                || (toolsOf(options).isEmpty()
                        && !(property(options, "toolNames") instanceof Set<?> names && !names.isEmpty()));
    }

    private static List<ToolCallback> toolsOf(ChatOptions options) {
        List<ToolCallback> tools =
                options instanceof ToolCallingChatOptions calling ? calling.getToolCallbacks() : List.of();
        return tools == null ? List.of() : tools;
    }

    private static @Nullable Long received(ChatOptions options) {
        // What else limits them, and multiplies them, has no portable name.
        long most = Math.max(orNone(options.getMaxTokens()), orNone(property(options, "maxCompletionTokens")));
        long answers = Math.max(orNone(property(options, "n")), orNone(property(options, "candidateCount")));
        return ModelRequest.limit(most, Math.max(1, answers));
    }

    /** How often clients of Spring AI try for which that is configured; in 2.0 the number is that of further attempts. */
    static int attempts(int configured) {
        return ModelRequest.attempts(OPTIONS_ARE_BUILT ? configured : configured - 1);
    }

    /** Clients of vendors try as often as their options say, those of Spring AI's own as the application does; others not again. */
    private static int attempts(ChatOptions options, int ofSpringAi) {
        if (property(options, "maxRetries") instanceof Integer retries) {
            return ModelRequest.attempts(retries);
        }
        return options.getClass().getName().startsWith(SPRING_AI) ? ofSpringAi : 1;
    }

    /** Whether options are of no client; in 1.1 its own are then added to them, and nobody sees these. */
    private static boolean isPortable(ChatOptions options) {
        return options.getClass().getPackage().equals(ChatOptions.class.getPackage())
                || options.getClass().getPackage().equals(ToolCallingChatOptions.class.getPackage());
    }

    private static int orNone(@Nullable Object number) {
        return number instanceof Integer given ? given : 0;
    }

    private static @Nullable Object property(ChatOptions options, String name) {
        var properties = PropertyAccessorFactory.forBeanPropertyAccess(options);
        return properties.isReadableProperty(name) ? properties.getPropertyValue(name) : null;
    }
}
