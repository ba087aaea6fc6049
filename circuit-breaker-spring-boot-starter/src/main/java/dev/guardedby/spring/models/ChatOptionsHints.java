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
        for (String keeper : new String[] {
            "com.anthropic.client.AnthropicClientAsyncImpl",
            "com.anthropic.client.AnthropicClientImpl",
            "com.openai.client.OpenAIClientAsyncImpl",
            "com.openai.client.OpenAIClientImpl",
            "org.springframework.ai.anthropic.AnthropicChatModel",
            "org.springframework.ai.chat.client.advisor.ChatModelCallAdvisor",
            "org.springframework.ai.chat.client.advisor.ChatModelStreamAdvisor",
            "org.springframework.ai.openai.OpenAiChatModel"
        }) {
            hints.reflection().registerTypeIfPresent(classes, keeper, MemberCategory.ACCESS_DECLARED_FIELDS);
        }
        for (String options : new String[] {"com.anthropic.core.ClientOptions", "com.openai.core.ClientOptions"}) {
            hints.reflection().registerTypeIfPresent(classes, options, MemberCategory.INVOKE_PUBLIC_METHODS);
        }
    }
}
