package dev.guardedby.spring.usage;

import com.anthropic.models.messages.MessageDeltaUsage;
import dev.guardedby.circuitbreaker.Usage;
import org.jspecify.annotations.Nullable;

/** What Anthropic's SDK has counted, for Spring AI on it: of a message, or of the end of a stream. */
final class AnthropicNativeUsage implements NativeUsage {

    @Override
    public String provider() {
        return AnthropicUsage.PROVIDER;
    }

    @Override
    public @Nullable Usage read(Object counts) {
        if (counts instanceof com.anthropic.models.messages.Usage usage) {
            return AnthropicUsage.of(usage);
        }
        return counts instanceof MessageDeltaUsage usage ? AnthropicUsage.of(usage, Usage.NONE) : null;
    }
}
