package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.ModelProvider;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import java.lang.reflect.Field;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;
import org.springframework.util.ObjectUtils;
import org.springframework.util.ReflectionUtils;

/** What LangChain4j's requests tell before they are sent. */
final class LangChain4jRequests {
    private static final boolean OPEN_AI_IS_PRESENT = ClassUtils.isPresent(
            "dev.langchain4j.model.openai.OpenAiChatRequestParameters", LangChain4jRequests.class.getClassLoader());

    /** Fields of models, by the names that there are. */
    static final List<String> RETRIES = List.of("maxRetries", "maximumRetries");

    static final List<String> BRING_MORE =
            List.of("allowCodeExecution", "allowGoogleMaps", "allowGoogleSearch", "allowUrlContext", "serverTools");

    private static final String ANOTHER_MODEL = "another";

    /** Most models try again twice, unless they are told otherwise. */
    private static final int ATTEMPTS = 3;

    private LangChain4jRequests() {}

    /** What is known of a request whose model is not: what that has by default is not among it. */
    static ModelRequest known(ChatRequest request) {
        return known(request, request.parameters(), null).triedAtMost(ATTEMPTS);
    }

    /**
     * What is known of a request: at most so many tokens are sent, and received, unless it has images or other things whose tokens
     * nobody knows.
     *
     * @param parameters those of the request, and of its model where it has none
     */
    static ModelRequest known(ChatRequest request, ChatRequestParameters parameters, @Nullable ModelProvider provider) {
        long sent = tokensOf(parameters);
        boolean bounded = true;
        for (ChatMessage message : request.messages()) {
            sent += TokenCount.OF_A_MESSAGE + tokensOf(message);
            bounded &= isText(message);
        }
        String servedBy = provider == null ? null : nameOf(provider);
        boolean described =
                parameters.responseFormat() != null || !ObjectUtils.isEmpty(parameters.toolSpecifications());
        ModelRequest known = ModelRequest.of(parameters.modelName())
                .servedBy(servedBy)
                .withTokens(
                        sent + (described ? ModelRequest.explained(servedBy) : 0),
                        bounded ? mostReceived(parameters) : null);
        return ANOTHER_MODEL.equals(of(ANOTHER_MODEL, request).modelName()) ? known : known.withFixedModel();
    }

    /** The same request of another model, or of the same where its parameters are of a kind that cannot take another. */
    static ChatRequest of(String model, ChatRequest request) {
        ChatRequestParameters asked = request.parameters();
        ChatRequestParameters changed = asked.overrideWith(
                ChatRequestParameters.builder().modelName(model).build());
        // Another kind has lost what only the provider knows.
        return changed.getClass() == asked.getClass()
                ? ChatRequest.builder()
                        .messages(request.messages())
                        .parameters(changed)
                        .build()
                : request;
    }

    /** How often a model tries: as a field of such a name says, or else as most do, for no model tells. */
    static int attempts(Object model) {
        for (String name : RETRIES) {
            if (read(model, name) instanceof Integer retries) {
                return ModelRequest.attempts(retries);
            }
        }
        return ATTEMPTS;
    }

    /** Whether the provider of a model gets for itself what no message has, as a field of such a name says. */
    static boolean bringsMore(Object model) {
        return BRING_MORE.stream().map(name -> read(model, name)).anyMatch(value -> !ModelRequest.isOff(value));
    }

    private static @Nullable Object read(Object model, String name) {
        Field field = ReflectionUtils.findField(model.getClass(), name);
        if (field == null) {
            return null;
        }
        ReflectionUtils.makeAccessible(field);
        return ReflectionUtils.getField(field, model);
    }

    private static @Nullable Long mostReceived(ChatRequestParameters parameters) {
        int limit = Math.max(
                orNone(parameters.maxOutputTokens()), OPEN_AI_IS_PRESENT ? OpenAi.mostReceived(parameters) : 0);
        boolean hasMore = OPEN_AI_IS_PRESENT && OpenAi.hasMore(parameters);
        return hasMore ? null : ModelRequest.limit(limit, 1);
    }

    private static int orNone(@Nullable Integer number) {
        return number == null ? 0 : number;
    }

    /** Schemas are sent as JSON, which is no longer than what they say of themselves. */
    private static long tokensOf(ChatRequestParameters parameters) {
        long tokens = tokensSaid(parameters.responseFormat());
        if (parameters.toolSpecifications() != null) {
            for (Object tool : parameters.toolSpecifications()) {
                tokens += TokenCount.OF_A_MESSAGE + tokensSaid(tool);
            }
        }
        return tokens;
    }

    private static long tokensOf(ChatMessage message) {
        if (message instanceof SystemMessage system) {
            return TokenCount.of(system.text());
        }
        if (message instanceof UserMessage user) {
            return tokensSaid(user.name()) + tokensOf(user.contents());
        }
        if (message instanceof AiMessage answer) {
            return tokensSaid(answer.text())
                    + tokensSaid(answer.thinking())
                    + tokensSaid(answer.toolExecutionRequests());
        }
        if (message instanceof ToolExecutionResultMessage result) {
            return tokensSaid(result.id()) + tokensSaid(result.toolName()) + tokensOf(result.contents());
        }
        return tokensSaid(message);
    }

    private static long tokensOf(List<Content> contents) {
        long tokens = 0;
        for (Content content : contents) {
            tokens += content instanceof TextContent text ? TokenCount.of(text.text()) : 0;
        }
        return tokens;
    }

    private static long tokensSaid(@Nullable Object said) {
        return said == null ? 0 : TokenCount.of(said.toString());
    }

    private static boolean isText(ChatMessage message) {
        List<Content> contents = message instanceof UserMessage user
                ? user.contents()
                : message instanceof ToolExecutionResultMessage result ? result.contents() : List.of();
        return contents.stream().allMatch(TextContent.class::isInstance);
    }

    /** Who serves a model, in the words of price lists; by name, because each version knows others. */
    private static @Nullable String nameOf(ModelProvider provider) {
        return switch (provider.name()) {
            case "AMAZON_BEDROCK" -> "bedrock";
            case "ANTHROPIC" -> "anthropic";
            case "AZURE_OPEN_AI" -> "azure";
            case "COHERE" -> "cohere";
            case "GITHUB_MODELS" -> "github";
            case "GOOGLE_AI_GEMINI", "GOOGLE_GENAI" -> "gemini";
            case "GOOGLE_VERTEX_AI_ANTHROPIC", "GOOGLE_VERTEX_AI_GEMINI" -> "vertex_ai";
            case "MICROSOFT_FOUNDRY" -> "azure_ai";
            case "MISTRAL_AI" -> "mistral";
            case "OLLAMA" -> "ollama";
            case "OPEN_AI" -> "openai";
            case "WATSONX" -> "watsonx";
            default -> null;
        };
    }

    /** What only requests to OpenAI have; loaded where that client is on the class path. */
    private static final class OpenAi {
        private static int mostReceived(ChatRequestParameters parameters) {
            return parameters instanceof OpenAiChatRequestParameters openAi ? orNone(openAi.maxCompletionTokens()) : 0;
        }

        /** Whether there are parameters of which nobody here knows what they do. */
        private static boolean hasMore(ChatRequestParameters parameters) {
            return parameters instanceof OpenAiChatRequestParameters openAi
                    && !ObjectUtils.isEmpty(openAi.customParameters());
        }
    }
}
