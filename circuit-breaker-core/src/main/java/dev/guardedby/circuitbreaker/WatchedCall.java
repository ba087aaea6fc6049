package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Running.Slice;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A call of which more is to be known than that it succeeded, or that may be refused. */
final class WatchedCall {
    private WatchedCall() {}

    static <T extends @Nullable Object, X extends Throwable> T call(Engine engine, Call<? extends T, ? extends X> call)
            throws X {
        State seen = engine.state;
        long startedAt = seen instanceof Closed ? engine.startTime() : Engine.UNTIMED;
        if (!(seen instanceof Closed closed && closed.passes(startedAt)) || engine.purse.isAsked()) {
            return WatchedCall.<T, X>call(admitted(engine), permit -> call.call());
        }
        Slice slice = seen.period.begin();
        T result;
        try {
            result = call.call();
        } catch (Throwable thrown) {
            try {
                engine.threw(seen, slice, startedAt, thrown);
            } catch (Throwable ignored) {
                // A stack that is exhausted, or a clock that throws: nothing of ours hides what the caller must see.
            }
            throw thrown;
        }
        engine.returned(seen, slice, startedAt, engine.settings.rules.judgeResult(result));
        return result;
    }

    @SuppressWarnings("NullAway") // does not see that the type argument lets the lambda return null
    static <X extends Throwable> void run(Engine engine, Action<? extends X> action) throws X {
        State seen = engine.state;
        long startedAt = seen instanceof Closed ? engine.startTime() : Engine.UNTIMED;
        if (!(seen instanceof Closed closed && closed.passes(startedAt)) || engine.purse.isAsked()) {
            WatchedCall.<@Nullable Void, X>call(admitted(engine), permit -> {
                action.run();
                permit.success();
                return null;
            });
            return;
        }
        Slice slice = seen.period.begin();
        try {
            action.run();
        } catch (Throwable thrown) {
            try {
                engine.threw(seen, slice, startedAt, thrown);
            } catch (Throwable ignored) {
                // As in call.
            }
            throw thrown;
        }
        engine.returned(seen, slice, startedAt, Verdict.SUCCESS);
    }

    /** The call with its permit, which it may report by itself. */
    static <T extends @Nullable Object, X extends Throwable> T call(
            Permit permit, PermitCall<? extends T, ? extends X> call) throws X {
        Scope scope = permit.isToAttach() ? permit.attach() : null;
        try {
            T result = call.call(permit);
            permit.success(result);
            return result;
        } catch (Throwable thrown) {
            try {
                permit.failure(thrown);
            } catch (Throwable ignored) {
                // As in call.
            }
            throw thrown;
        } finally {
            if (scope != null) {
                try {
                    scope.close();
                } catch (StackOverflowError noRoom) {
                    // As in call; and the scope ends all the same.
                    scope.closed = true;
                }
            }
        }
    }

    private static Permit admitted(Engine engine) {
        return Objects.requireNonNull(Admission.now(engine, Estimate.UNKNOWN, false, true));
    }
}
