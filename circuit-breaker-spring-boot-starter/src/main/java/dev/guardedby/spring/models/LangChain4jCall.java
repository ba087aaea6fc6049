package dev.guardedby.spring.models;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call of one of LangChain4j's models, until it has been started.
 *
 * <p>Models may stand behind others, which log, choose or try again. All of them are asked, and the innermost is what costs, for only it
 * knows what it is asked for: the one before it gives its leave back. Thread-safe but for the start.
 */
final class LangChain4jCall {
    /** The innermost of this thread; removed with the outermost, so that threads keep nothing of ours. */
    private static final ThreadLocal<@Nullable LangChain4jCall> CURRENT = new ThreadLocal<>();

    private final ModelCall call;
    private final @Nullable LangChain4jCall outer;
    private volatile boolean takenOver;

    private LangChain4jCall(ModelCall call, @Nullable LangChain4jCall outer) {
        this.call = call;
        this.outer = outer;
    }

    /** Starts a call; the one around it, of which it is the proper part, costs nothing itself. */
    static LangChain4jCall start(Supplier<ModelCall> leave) {
        LangChain4jCall around = CURRENT.get();
        if (around != null) {
            around.takeOver();
        }
        LangChain4jCall started = new LangChain4jCall(leave.get(), around);
        CURRENT.set(started);
        return started;
    }

    private void takeOver() {
        if (!takenOver && call.isCurrent()) {
            takenOver = true;
            call.notMade();
        }
    }

    /** It has been started, on the thread that has begun to. */
    void started() {
        enter(outer);
    }

    private static void enter(@Nullable LangChain4jCall started) {
        if (started == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(started);
        }
    }

    /** The cheaper model to call instead; null to call the one that was asked for. */
    @Nullable String cheaper() {
        return call.model().orElse(null);
    }

    /** Does something inside the guarded call that it was started in; what calls models there is a call of its own. */
    void inside(Runnable work) {
        LangChain4jCall present = CURRENT.get();
        CURRENT.remove();
        try {
            call.inside(work);
        } finally {
            enter(present);
        }
    }

    /** It has ended with an answer; null tells nothing. */
    void end(@Nullable Object answer) {
        if (!takenOver) {
            call.end(answer);
        }
    }

    /** It has ended with an answer that came in pieces, of so many tokens. */
    void endStream(Object answer, long outputTokens) {
        if (!takenOver) {
            call.endStream(answer, outputTokens);
        }
    }

    /** It was cut short after so many tokens. */
    void cut(long outputTokens) {
        if (!takenOver) {
            call.cut(outputTokens);
        }
    }

    /** It has failed. */
    void fail(Throwable failure) {
        if (!takenOver) {
            call.fail(failure);
        }
    }
}
