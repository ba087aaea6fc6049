package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The body of a request to OpenAI or Anthropic, as their SDKs send it, of which is counted what the model reads.
 *
 * <p>Known by name is what the model reads, and what costs nothing itself. With anything else there is no bound: a field, a part of a message
 * or a tool that is not known here may well bring in an image, a file, what was said before, or what a search finds.
 */
final class JsonRequest {
    private static final Set<String> MESSAGES = Set.of("input", "instructions", "messages", "system");
    private static final Set<String> TOOLS = Set.of("functions", "tools");
    private static final Set<String> FORMATS = Set.of("output_config", "response_format", "text", "tool_choice");
    private static final Set<String> SETTINGS = Set.of(
            "background",
            "cache_control",
            "dimensions",
            "encoding_format",
            "frequency_penalty",
            "function_call",
            "include",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "max_output_tokens",
            "max_tokens",
            "max_tool_calls",
            "metadata",
            "model",
            "n",
            "parallel_tool_calls",
            "presence_penalty",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "reasoning",
            "reasoning_effort",
            "safety_identifier",
            "seed",
            "stop",
            "stop_sequences",
            "store",
            "stream_options",
            "temperature",
            "thinking",
            "top_k",
            "top_logprobs",
            "top_p",
            "truncation",
            "user",
            "verbosity");
    /** Those that cost no more than the price of a model. */
    private static final Set<String> TIERS = Set.of("auto", "default", "flex", "standard_only");
    /** Of messages and their parts, those that have nothing in them but text. */
    private static final Set<String> TEXTS = Set.of(
            "custom",
            "custom_tool_call",
            "custom_tool_call_output",
            "direct",
            "ephemeral",
            "function",
            "function_call",
            "function_call_output",
            "input_text",
            "message",
            "output_text",
            "refusal",
            "text",
            "tool_result");
    /** Those that run where the application is. */
    private static final Set<String> OWN_TOOLS = Set.of("custom", "function");

    private static final String CALL_WITH_ANY_INPUT = "tool_use";
    /** Both SDKs try again twice, unless the client is told otherwise. */
    private static final int ATTEMPTS = 3;

    private final Map<?, ?> fields;

    JsonRequest(Map<?, ?> fields) {
        this.fields = fields;
    }

    /** A number; 0 if it is not there. */
    long number(String name) {
        return fields.get(name) instanceof Number number ? number.longValue() : 0;
    }

    /** Whether there is such a field. */
    boolean has(String name) {
        return fields.get(name) != null;
    }

    /**
     * What is asked for.
     *
     * @param besides tokens that the provider adds to what is sent, at most
     * @param mostReceived of all that is received; null if there is no limit
     */
    ModelRequest asked(String provider, long besides, @Nullable Long mostReceived) {
        return ModelRequest.of(fields.get("model") instanceof String model ? model : null)
                .servedBy(provider)
                .withTokens(tokens() + besides, isCounted() ? mostReceived : null)
                .triedAtMost(ATTEMPTS);
    }

    private long tokens() {
        long tokens = 0;
        for (Entry<?, ?> field : fields.entrySet()) {
            Object name = field.getKey();
            Object value = field.getValue();
            if (MESSAGES.contains(name) || TOOLS.contains(name)) {
                tokens += value instanceof List<?> items ? tokensOfItems(items) : tokensOfItem(value);
            } else if (FORMATS.contains(name)) {
                tokens += tokensOf(value);
            }
        }
        return tokens;
    }

    private static long tokensOfItems(List<?> items) {
        long tokens = 0;
        for (Object item : items) {
            tokens += tokensOfItem(item);
        }
        return tokens;
    }

    private static long tokensOfItem(@Nullable Object item) {
        // A number is a token itself.
        return item instanceof Number ? 1 : TokenCount.OF_A_MESSAGE + tokensOf(item);
    }

    /** As the JSON has it, each name, text and bracket with what stands around it. */
    private static long tokensOf(@Nullable Object value) {
        long tokens = 1;
        if (value instanceof Map<?, ?> object) {
            for (Entry<?, ?> field : object.entrySet()) {
                tokens += tokensOf(field.getKey()) + tokensOf(field.getValue());
            }
        } else if (value instanceof List<?> list) {
            for (Object each : list) {
                tokens += tokensOf(each);
            }
        } else if (value != null) {
            tokens += TokenCount.of(value.toString());
        }
        return tokens;
    }

    /** Whether there is nothing that costs more than what is counted. */
    private boolean isCounted() {
        return fields.entrySet().stream()
                .allMatch(field -> field.getValue() == null || isCounted(field.getKey(), field.getValue()));
    }

    private static boolean isCounted(Object name, Object value) {
        if (MESSAGES.contains(name)) {
            return value instanceof List<?> items
                    ? items.stream().allMatch(item -> isKnownItem(item) && isText(item))
                    : value instanceof String;
        }
        if (TOOLS.contains(name)) {
            return value instanceof List<?> tools && tools.stream().allMatch(JsonRequest::isOwnTool);
        }
        return FORMATS.contains(name)
                || SETTINGS.contains(name)
                || (name.equals("service_tier") && TIERS.contains(value));
    }

    /** Not what only refers to something that was said before. */
    private static boolean isKnownItem(@Nullable Object item) {
        return !(item instanceof Map<?, ?> message) || message.get("role") != null || message.get("type") != null;
    }

    private static boolean isText(@Nullable Object value) {
        if (value instanceof List<?> parts) {
            return parts.stream().allMatch(JsonRequest::isText);
        }
        if (!(value instanceof Map<?, ?> part)) {
            return true;
        }
        Object type = part.get("type");
        return CALL_WITH_ANY_INPUT.equals(type)
                || ((type == null || TEXTS.contains(type))
                        // What a model has said before is referred to.
                        && part.get("audio") == null
                        && part.values().stream().allMatch(JsonRequest::isText));
    }

    private static boolean isOwnTool(@Nullable Object tool) {
        return tool instanceof Map<?, ?> described
                && (described.get("type") == null || OWN_TOOLS.contains(described.get("type")));
    }
}
