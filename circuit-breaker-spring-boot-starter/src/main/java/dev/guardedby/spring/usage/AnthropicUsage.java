package dev.guardedby.spring.usage;

import com.anthropic.core.JsonField;
import com.anthropic.models.messages.CacheCreation;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageDeltaUsage;
import com.anthropic.models.messages.Model;
import com.anthropic.models.messages.OutputTokensDetails;
import com.anthropic.models.messages.ServerToolUsage;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.Usage;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Anthropic's SDK: messages. Fields are read as they came, because the typed accessors throw for one that is missing. */
final class AnthropicUsage implements UsageExtractor {
    private static final String WEB_SEARCH = "web-search";

    @Override
    public Set<Class<?>> types() {
        return Set.of(Message.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        Message message = (Message) result;
        String model = message._model().asKnown().map(Model::asString).orElse(null);
        com.anthropic.models.messages.Usage usage = known(message._usage());
        return usage == null ? Optional.of(ModelUsage.unknown(model)) : Counts.reported(model, of(usage), tier(usage));
    }

    private static ServiceTier tier(com.anthropic.models.messages.Usage usage) {
        return Counts.tier(usage._serviceTier()
                .asKnown()
                .map(com.anthropic.models.messages.Usage.ServiceTier::asString)
                .orElse(null));
    }

    /** Null if the numbers of tokens are missing. */
    static @Nullable Usage of(com.anthropic.models.messages.Usage usage) {
        Long input = known(usage._inputTokens());
        Long output = known(usage._outputTokens());
        if (input == null || output == null) {
            return null;
        }
        long written = count(usage._cacheCreationInputTokens());
        CacheCreation byTime = known(usage._cacheCreation());
        long forAnHour = byTime == null ? 0 : count(byTime._ephemeral1hInputTokens());
        long forMinutes = byTime == null ? 0 : count(byTime._ephemeral5mInputTokens());
        return counted(
                input,
                count(usage._cacheReadInputTokens()),
                Math.max(forMinutes, written - forAnHour),
                forAnHour,
                output,
                usage._outputTokensDetails(),
                usage._serverToolUse());
    }

    /** Of the end of a stream, whose counts are those of all of it; null if the numbers of tokens are missing. */
    static @Nullable Usage of(MessageDeltaUsage usage) {
        Long input = known(usage._inputTokens());
        Long output = known(usage._outputTokens());
        if (input == null || output == null) {
            return null;
        }
        return counted(
                input,
                count(usage._cacheReadInputTokens()),
                count(usage._cacheCreationInputTokens()),
                0,
                output,
                usage._outputTokensDetails(),
                usage._serverToolUse());
    }

    private static Usage counted(
            long input,
            long cached,
            long written,
            long writtenForAnHour,
            long output,
            JsonField<OutputTokensDetails> details,
            JsonField<ServerToolUsage> tools) {
        OutputTokensDetails received = known(details);
        ServerToolUsage used = known(tools);
        return new Counts(
                        input,
                        cached,
                        written,
                        writtenForAnHour,
                        output,
                        received == null ? 0 : count(received._thinkingTokens()))
                .cacheBesideInput()
                .units(WEB_SEARCH, used == null ? 0 : count(used._webSearchRequests()))
                .build();
    }

    private static long count(JsonField<Long> field) {
        return Counts.orNone(known(field));
    }

    private static <T> @Nullable T known(JsonField<T> field) {
        return field.asKnown().orElse(null);
    }
}
