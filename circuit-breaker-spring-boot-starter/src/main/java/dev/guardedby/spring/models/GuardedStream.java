package dev.guardedby.spring.models;

import dev.guardedby.spring.usage.TokenCount;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.PartialToolCallContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import org.jspecify.annotations.Nullable;

/**
 * Looks at what a stream brings on its way to the application's handler, which is told everything.
 *
 * <p>Of a stream that was cancelled nothing more is heard, so it is cut short when that is asked for; if it tells its usage all the same,
 * that counts.
 */
final class GuardedStream implements StreamingChatResponseHandler {
    private final StreamingChatResponseHandler handler;
    private final LangChain4jCall call;
    /** By this object's lock, as all that follows. */
    private final TokenCount received = new TokenCount();

    private boolean begun;
    private boolean cut;
    /** How it ended, as far as that tells more than what was seen; null before. */
    private @Nullable ChatResponse told;

    GuardedStream(StreamingChatResponseHandler handler, LangChain4jCall call) {
        this.handler = handler;
        this.call = call;
    }

    @Override
    public void onPartialResponse(String partialResponse) {
        see(partialResponse);
        call.inside(() -> handler.onPartialResponse(partialResponse));
    }

    @Override
    public void onPartialResponse(PartialResponse partialResponse, PartialResponseContext context) {
        see(partialResponse.text());
        PartialResponseContext seenByUs = new PartialResponseContext(new Handle(context.streamingHandle()));
        call.inside(() -> handler.onPartialResponse(partialResponse, seenByUs));
    }

    @Override
    public void onPartialThinking(PartialThinking partialThinking) {
        see(partialThinking.text());
        call.inside(() -> handler.onPartialThinking(partialThinking));
    }

    @Override
    public void onPartialThinking(PartialThinking partialThinking, PartialThinkingContext context) {
        see(partialThinking.text());
        PartialThinkingContext seenByUs = new PartialThinkingContext(new Handle(context.streamingHandle()));
        call.inside(() -> handler.onPartialThinking(partialThinking, seenByUs));
    }

    @Override
    public void onPartialToolCall(PartialToolCall partialToolCall) {
        see(partialToolCall.partialArguments());
        call.inside(() -> handler.onPartialToolCall(partialToolCall));
    }

    @Override
    public void onPartialToolCall(PartialToolCall partialToolCall, PartialToolCallContext context) {
        see(partialToolCall.partialArguments());
        PartialToolCallContext seenByUs = new PartialToolCallContext(new Handle(context.streamingHandle()));
        call.inside(() -> handler.onPartialToolCall(partialToolCall, seenByUs));
    }

    @Override
    public void onCompleteToolCall(CompleteToolCall completeToolCall) {
        call.inside(() -> handler.onCompleteToolCall(completeToolCall));
    }

    @Override
    public void onUnmappedRawEvent(Object rawEvent) {
        call.inside(() -> handler.onUnmappedRawEvent(rawEvent));
    }

    @Override
    public void onCompleteResponse(ChatResponse completeResponse) {
        // Before the handler, which may wake who waits for the end.
        complete(completeResponse);
        call.inside(() -> handler.onCompleteResponse(completeResponse));
    }

    @Override
    public void onError(Throwable error) {
        fail(error);
        call.inside(() -> handler.onError(error));
    }

    private synchronized void see(String text) {
        begun = true;
        received.add(text);
    }

    private void complete(ChatResponse response) {
        boolean counts;
        synchronized (this) {
            // Of one that was cut short by the application, an end that tells nothing is news of nothing.
            counts = !cut || response.tokenUsage() != null;
            told = counts ? response : null;
        }
        if (counts) {
            endAsTold();
        } else {
            cut();
        }
    }

    private void endAsTold() {
        ChatResponse last;
        long tokens;
        synchronized (this) {
            last = told;
            tokens = received.tokens();
        }
        if (last != null) {
            call.endStream(last, tokens);
        }
    }

    /** The stream has failed, or its handler has, or it could not be started. */
    void fail(Throwable failure) {
        boolean seen;
        synchronized (this) {
            if (told != null || cut) {
                return;
            }
            seen = begun;
        }
        if (seen) {
            cut();
        } else {
            call.fail(failure);
        }
    }

    private void cut() {
        long tokens;
        synchronized (this) {
            if (told != null) {
                return;
            }
            cut = true;
            tokens = received.tokens();
        }
        call.cut(tokens);
        // It may have come to its end meanwhile, and the last word counts.
        endAsTold();
    }

    /** Lets the application cancel the stream. */
    private final class Handle implements StreamingHandle {
        private final StreamingHandle stream;

        private Handle(StreamingHandle stream) {
            this.stream = stream;
        }

        @Override
        public void cancel() {
            try {
                stream.cancel();
            } finally {
                cut();
            }
        }

        @Override
        public boolean isCancelled() {
            return stream.isCancelled();
        }
    }
}
