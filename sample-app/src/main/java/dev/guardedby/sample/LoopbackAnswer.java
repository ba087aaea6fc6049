package dev.guardedby.sample;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An answer of the model on loopback, as OpenAI's API words it.
 *
 * @param number of the request, from 1
 * @param model as the request names it
 * @param promptTokens what was sent
 * @param text what is answered
 */
record LoopbackAnswer(long number, String model, int promptTokens, String text) {
    /** What a chat costs beside its texts: a few tokens a message, a few to begin the answer. */
    private static final int TOKENS_A_MESSAGE = 3;

    private static final Map<String, String> KNOWLEDGE = Map.of(
            "circuit breaker", "It stops calling what keeps failing, for a while.",
            "half-open", "One call goes ahead to see whether the others may follow.",
            "token", "What a model reads and writes, and what its bill is made of.");

    private static final String NO_IDEA = "Good question, but I only know circuit breakers, half-open and tokens.";

    /** The answer to the last of the messages, of which there is one at least. */
    static LoopbackAnswer to(List<String> messages, String model, long number) {
        int promptTokens = TOKENS_A_MESSAGE;
        for (String message : messages) {
            promptTokens += TOKENS_A_MESSAGE + tokens(message);
        }
        String question = messages.get(messages.size() - 1).toLowerCase(Locale.ROOT);
        return new LoopbackAnswer(number, model, promptTokens, answerTo(question));
    }

    private static String answerTo(String question) {
        return KNOWLEDGE.entrySet().stream()
                .filter(known -> question.contains(known.getKey()))
                .findFirst()
                .map(Map.Entry::getValue)
                .orElse(NO_IDEA);
    }

    /** The tokens of a text: one for every four letters begun, which is about right for English. */
    private static int tokens(String text) {
        return (text.length() + 3) / 4;
    }

    /** In one piece. */
    Map<String, Object> completion() {
        Map<String, Object> message = Map.of("role", "assistant", "content", text);
        Map<String, Object> completion =
                body("chat.completion", List.of(Map.of("index", 0, "message", message, "finish_reason", "stop")));
        completion.put("usage", usage());
        return completion;
    }

    /** Word by word, and then what was used, if that is wanted. */
    List<Map<String, Object>> chunks(boolean withUsage) {
        List<Map<String, Object>> chunks = new ArrayList<>();
        for (String word : words()) {
            chunks.add(chunk(Map.of("index", 0, "delta", Map.of("role", "assistant", "content", word))));
        }
        chunks.add(chunk(Map.of("index", 0, "delta", Map.of(), "finish_reason", "stop")));
        if (withUsage) {
            Map<String, Object> last = body("chat.completion.chunk", List.of());
            last.put("usage", usage());
            chunks.add(last);
        }
        return chunks;
    }

    private List<String> words() {
        return Arrays.asList(text.split("(?<= )"));
    }

    private Map<String, Object> chunk(Map<String, Object> choice) {
        return body("chat.completion.chunk", List.of(choice));
    }

    private Map<String, Object> body(String kind, List<Map<String, Object>> choices) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", "chatcmpl-" + number);
        body.put("object", kind);
        body.put("created", Instant.now().getEpochSecond());
        body.put("model", model);
        body.put("choices", choices);
        return body;
    }

    private Map<String, Object> usage() {
        int completionTokens = tokens(text);
        return Map.of(
                "prompt_tokens",
                promptTokens,
                "completion_tokens",
                completionTokens,
                "total_tokens",
                promptTokens + completionTokens,
                "prompt_tokens_details",
                Map.of("cached_tokens", 0),
                "completion_tokens_details",
                Map.of("reasoning_tokens", 0));
    }
}
