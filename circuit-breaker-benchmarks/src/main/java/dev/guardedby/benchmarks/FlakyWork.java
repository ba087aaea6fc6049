package dev.guardedby.benchmarks;

import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Work that fails on every tenth call of its thread, always with the same exception, so that making it costs nothing. */
@State(Scope.Thread)
public class FlakyWork extends Work {
    static final int EVERY = 10;

    final Failure failure = new Failure();
    private int calls;

    @Override
    Object answer() {
        if (++calls == EVERY) {
            calls = 0;
            throw failure;
        }
        return answer;
    }

    /** How the work fails. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1;

        Failure() {
            super("the work failed", null, false, false);
        }
    }
}
