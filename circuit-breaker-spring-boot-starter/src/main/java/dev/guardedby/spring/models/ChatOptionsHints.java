package dev.guardedby.spring.models;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;

/** Tells a native image whose options are read by the names of their properties, and where models and clients keep what is read. */
final class ChatOptionsHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader classes) {
        for (String options : new String[] {
            "org.springframework.ai.anthropic.AnthropicChatOptions",
            "org.springframework.ai.google.genai.GoogleGenAiChatOptions",
            "org.springframework.ai.mistralai.MistralAiChatOptions",
            "org.springframework.ai.openai.OpenAiChatOptions"
        }) {
            hints.reflection().registerTypeIfPresent(classes, options, MemberCategory.INVOKE_PUBLIC_METHODS);
        }
        field(hints, classes, "com.anthropic.client.AnthropicClientAsyncImpl", "clientOptions");
        field(hints, classes, "com.anthropic.client.AnthropicClientImpl", "clientOptions");
        field(hints, classes, "com.openai.client.OpenAIClientAsyncImpl", "clientOptions");
        field(hints, classes, "com.openai.client.OpenAIClientImpl", "clientOptions");
        field(hints, classes, "org.springframework.ai.anthropic.AnthropicChatModel", "anthropicClient");
        field(hints, classes, "org.springframework.ai.chat.client.advisor.ChatModelCallAdvisor", "chatModel");
        field(hints, classes, "org.springframework.ai.chat.client.advisor.ChatModelStreamAdvisor", "chatModel");
        field(hints, classes, "org.springframework.ai.openai.OpenAiChatModel", "openAiClient");
        for (String options : new String[] {"com.anthropic.core.ClientOptions", "com.openai.core.ClientOptions"}) {
            hints.reflection().registerTypeIfPresent(classes, options, MemberCategory.INVOKE_PUBLIC_METHODS);
        }
    }

    private static void field(RuntimeHints hints, @Nullable ClassLoader classes, String type, String field) {
        hints.reflection().registerTypeIfPresent(classes, type, hint -> hint.withField(field));
    }
}
