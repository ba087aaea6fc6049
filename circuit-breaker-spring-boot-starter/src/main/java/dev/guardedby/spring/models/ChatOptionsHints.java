package dev.guardedby.spring.models;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;

/** Tells a native image whose options are read by the names of their properties. */
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
    }
}
