package dev.guardedby.spring.usage;

import com.anthropic.core.JsonField;
import com.anthropic.models.messages.CacheCreation;
import com.anthropic.models.messages.InputJsonDelta;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageDeltaUsage;
import com.anthropic.models.messages.Model;
import com.anthropic.models.messages.OutputTokensDetails;
import com.anthropic.models.messages.RawContentBlockDelta;
import com.anthropic.models.messages.RawContentBlockDeltaEvent;
import com.anthropic.models.messages.RawMessageDeltaEvent;
import com.anthropic.models.messages.RawMessageStartEvent;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.ServerToolUsage;
import com.anthropic.models.messages.TextDelta;
import com.anthropic.models.messages.ThinkingDelta;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.ServiceTier;
import dev.guardedby.circuitbreaker.TokenKind;
import dev.guardedby.circuitbreaker.Usage;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Anthropic's SDK: messages, and the events of a stream.
 *
 * <p>A stream begins with the message, which names the model and counts what was sent, and ends with the counts of all of it;
 * what the end leaves out is as the beginning told. Until then the output is estimated by the length of what was received.
 *
 * <p>Fields are read as they came, because the typed accessors throw for one that is missing.
 */
final class AnthropicUsage implements UsageExtractor {
    static final String PROVIDER = "anthropic";

    private static final String WEB_SEARCH = "web-search";

    @Override
    public Set<Class<?>> types() {
        return Set.of(Message.class, RawMessageStreamEvent.class);
    }

    @Override
    public Optional<ModelUsage> extract(Object result) {
        return extract(result, null);
    }

    @Override
    public Optional<ModelUsage> extract(Object item, @Nullable ModelUsage last) {
        if (item instanceof Message message) {
            return of(message);
        }
        RawMessageStreamEvent event = (RawMessageStreamEvent) item;
        ModelUsage before = last == null ? ModelUsage.unknown(null) : last;
        return event.contentBlockDelta()
                .flatMap(piece -> soFar(piece, before))
                .or(() -> event.messageDelta().flatMap(delta -> end(delta, before)))
                .or(() -> event.messageStart().flatMap(AnthropicUsage::beginning));
    }

    private static Optional<ModelUsage> of(Message message) {
        String model = message._model().asKnown().map(Model::asString).orElse(null);
        com.anthropic.models.messages.Usage usage = known(message._usage());
        return Counts.reported(
                PROVIDER, model, usage == null ? null : of(usage), usage == null ? ServiceTier.STANDARD : tier(usage));
    }

    private static ServiceTier tier(com.anthropic.models.messages.Usage usage) {
        return Counts.tier(usage._serviceTier()
                .asKnown()
                .map(com.anthropic.models.messages.Usage.ServiceTier::asString)
                .orElse(null));
    }

    /** Of the output, next to nothing is counted yet. */
    private static Optional<ModelUsage> beginning(RawMessageStartEvent start) {
        return start._message()
                .asKnown()
                .flatMap(AnthropicUsage::of)
                .map(usage -> isKnown(usage) ? usage.with(Confidence.ESTIMATED) : usage);
    }

    /** Counts the output that was seen, in case that the end never is. */
    private static Optional<ModelUsage> soFar(RawContentBlockDeltaEvent piece, ModelUsage before) {
        long tokens = piece._delta().asKnown().map(AnthropicUsage::estimate).orElse(0L);
        return isKnown(before) && tokens > 0
                ? Counts.reported(PROVIDER, before.model(), Counts.more(before.usage(), tokens), before.tier())
                        .map(usage -> usage.with(Confidence.ESTIMATED))
                : Optional.empty();
    }

    private static long estimate(RawContentBlockDelta piece) {
        String text = piece.text()
                .map(TextDelta::_text)
                .or(() -> piece.thinking().map(ThinkingDelta::_thinking))
                .or(() -> piece.inputJson().map(InputJsonDelta::_partialJson))
                .flatMap(JsonField::asKnown)
                .orElse("");
        return TokenCount.of(text);
    }

    private static boolean isKnown(ModelUsage usage) {
        return usage.confidence() != Confidence.UNKNOWN;
    }

    private static Optional<ModelUsage> end(RawMessageDeltaEvent delta, ModelUsage before) {
        return delta._usage()
                .asKnown()
                .flatMap(
                        counts -> Counts.reported(PROVIDER, before.model(), of(counts, before.usage()), before.tier()));
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
                searches(usage._serverToolUse()));
    }

    /**
     * Of the end of a stream, whose counts are those of all of it; null if the numbers of tokens are missing.
     *
     * @param before what the stream told before, all of which is among it
     */
    static @Nullable Usage of(MessageDeltaUsage usage, Usage before) {
        Long output = known(usage._outputTokens());
        if (output == null || (known(usage._inputTokens()) == null && before.inputTokens() == 0)) {
            return null;
        }
        long forMinutes = before.tokens(TokenKind.CACHE_WRITE);
        long forAnHour = before.tokens(TokenKind.CACHE_WRITE_1H);
        // Only the beginning tells for how long; what it does not tell of is like the rest, or else taken for the
        // dearer.
        boolean onlyForMinutes = forMinutes > 0 && forAnHour == 0;
        long since = Math.max(0, count(usage._cacheCreationInputTokens()) - forMinutes - forAnHour);
        return counted(
                Math.max(count(usage._inputTokens()), before.tokens(TokenKind.INPUT)),
                Math.max(count(usage._cacheReadInputTokens()), before.tokens(TokenKind.CACHED_INPUT)),
                onlyForMinutes ? forMinutes + since : forMinutes,
                onlyForMinutes ? 0 : forAnHour + since,
                output,
                usage._outputTokensDetails(),
                Math.max(searches(usage._serverToolUse()), before.units().getOrDefault(WEB_SEARCH, 0L)));
    }

    private static Usage counted(
            long input,
            long cached,
            long written,
            long writtenForAnHour,
            long output,
            JsonField<OutputTokensDetails> details,
            long searches) {
        OutputTokensDetails received = known(details);
        return new Counts(
                        input,
                        cached,
                        written,
                        writtenForAnHour,
                        output,
                        received == null ? 0 : count(received._thinkingTokens()))
                .cacheBesideInput()
                .units(WEB_SEARCH, searches)
                .build();
    }

    private static long searches(JsonField<ServerToolUsage> tools) {
        ServerToolUsage used = known(tools);
        return used == null ? 0 : count(used._webSearchRequests());
    }

    private static long count(JsonField<Long> field) {
        return Counts.orNone(known(field));
    }

    private static <T> @Nullable T known(JsonField<T> field) {
        return field.asKnown().orElse(null);
    }
}
