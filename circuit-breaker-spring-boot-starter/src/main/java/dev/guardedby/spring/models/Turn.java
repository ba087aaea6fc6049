package dev.guardedby.spring.models;

import dev.guardedby.circuitbreaker.ModelUsage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A call of one of LangChain4j's models, until it has been started.
 *
 * <p>Models may stand behind others, which log, choose or try again. All of them are asked, and the innermost is what costs: the first
 * call that a model makes of another takes its leave over. Thread-safe but for the start.
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

    /** Starts a call, with the leave of the one around it that it is the proper part of, or else with leave of its own. */
    static Turn start(Supplier<ModelCall> leave) {
        Turn around = CURRENT.get();
        ModelCall call = around == null ? null : around.takeOver();
        Turn turn = new Turn(call == null ? leave.get() : call, around);
        CURRENT.set(turn);
        return turn;
    }

    private @Nullable ModelCall takeOver() {
        if (takenOver || !call.isCurrent()) {
            return null;
        }
        takenOver = true;
        return call;
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
        if (takenOver) {
            return;
        }
        if (answer == null) {
            call.end(ModelUsage.unknown(null));
        } else {
            call.end(answer);
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
