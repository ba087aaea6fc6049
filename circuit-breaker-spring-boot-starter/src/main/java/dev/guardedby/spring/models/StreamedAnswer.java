package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.client.ChatClientResponse;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.AssistantMessage.ToolCall;
import org.springframework.ai.chat.metadata.Usage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import reactor.core.publisher.Flux;

/**
 * An answer that comes in pieces, and what it costs: the last usage that it tells, or else, if it was cut short, what has come of it, or
 * else what was held. It ends once, whoever is first: the remote, or who cancels, from any thread.
 */
final class StreamedAnswer {
    private final ModelCall call;

    // Written by this object's lock as long as it has not ended, and read by whoever ends it.

    /** The last that told a usage; as long as none has, the last. */
    private @Nullable ChatResponse telling;

    private final TokenCount received = new TokenCount();

    private boolean told;
    private boolean begun;
    private boolean ended;

    StreamedAnswer(ModelCall call) {
        this.call = call;
    }

    /** The pieces as they come, seen by this. */
    Flux<ChatClientResponse> of(Flux<ChatClientResponse> pieces) {
        return pieces.doOnNext(this::see)
                .doOnComplete(this::complete)
                .doOnError(this::fail)
                .doOnCancel(this::cut);
    }

    private synchronized void see(ChatClientResponse piece) {
        ChatResponse response = piece.chatResponse();
        begun |= !ended;
        if (ended || response == null) {
            return;
        }
        boolean tells = tells(response);
        if (tells || !told) {
            told = tells;
            telling = response;
        }
        for (Generation generation : response.getResults()) {
            AssistantMessage output = generation.getOutput();
            count(output.getText());
            for (ToolCall asked : output.getToolCalls()) {
                count(asked.name());
                count(asked.arguments());
            }
        }
    }

    private void count(@Nullable String text) {
        if (text != null) {
            received.add(text);
        }
    }

    /** Clients fill in zeros where nothing is known yet. */
    private static boolean tells(ChatResponse response) {
        Usage usage = response.getMetadata().getUsage();
        Integer tokens = usage == null ? null : usage.getTotalTokens();
        return tokens != null && tokens > 0;
    }

    private void complete() {
        if (isFirstEnd()) {
            endTold();
        }
    }

    private void fail(Throwable failure) {
        if (isFirstEnd()) {
            if (begun) {
                endSeen();
            } else {
                call.fail(failure);
            }
        }
    }

    private void cut() {
        if (isFirstEnd()) {
            endSeen();
        }
    }

    private void endTold() {
        call.endStream(telling, received.tokens());
    }

    private void endSeen() {
        if (told) {
            endTold();
        } else {
            call.cut(received.tokens());
        }
    }

    private synchronized boolean isFirstEnd() {
        boolean first = !ended;
        ended = true;
        return first;
    }
}
