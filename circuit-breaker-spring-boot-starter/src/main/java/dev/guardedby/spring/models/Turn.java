package dev.guardedby.spring.models;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call of one of LangChain4j's models, until it has been started.
 *
 * <p>Models may stand behind others, which log, choose or try again. All of them are asked, and the innermost is what costs, for only it
 * knows what it is asked for: the one before it gives its leave back. Thread-safe but for the start.
 */
final class Turn {
    /** The innermost of this thread; removed with the outermost, so that threads keep nothing of ours. */
    private static final ThreadLocal<@Nullable Turn> CURRENT = new ThreadLocal<>();

    private final ModelCall call;
    private final @Nullable Turn outer;
    private volatile boolean takenOver;

    private Turn(ModelCall call, @Nullable Turn outer) {
        this.call = call;
        this.outer = outer;
    }

    /** Starts a call; the one around it, of which it is the proper part, costs nothing itself. */
    static Turn start(Supplier<ModelCall> leave) {
        Turn around = CURRENT.get();
        if (around != null) {
            around.takeOver();
        }
        Turn turn = new Turn(leave.get(), around);
        CURRENT.set(turn);
        return turn;
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

    private static void enter(@Nullable Turn turn) {
        if (turn == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(turn);
        }
    }

    /** The cheaper model to call instead; null to call the one that was asked for. */
    @Nullable String cheaper() {
        return call.model().orElse(null);
    }

    /** Does something inside the guarded call that it was started in; what calls models there is a call of its own. */
    void inside(Runnable work) {
        Turn present = CURRENT.get();
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
