package dev.guardedby.spring.aop;

import java.util.function.Function;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.flow.Flow;
import kotlinx.coroutines.flow.FlowCollector;
import org.jspecify.annotations.Nullable;

/** A flow that goes on with another where it fails. */
final class FallbackFlow<T> implements Flow<T> {
    private final Flow<?> source;
    private final Function<Throwable, @Nullable Flow<?>> answer;

    /**
     * A flow with its fallback.
     *
     * @param answer the flow for a failure, or null if there is none for it
     */
    FallbackFlow(Flow<?> source, Function<Throwable, @Nullable Flow<?>> answer) {
        this.source = source;
        this.answer = answer;
    }

    @Override
    public @Nullable Object collect(FlowCollector<? super T> collector, Continuation<? super Unit> continuation) {
        return new First<>(collector, continuation, answer).collect(typed(source));
    }

    @SuppressWarnings("unchecked") // what a fallback returns is assignable to what the method does
    private static <T> Flow<T> typed(Flow<?> flow) {
        return (Flow<T>) flow;
    }

    /** The collection of the flow itself. */
    private static final class First<T> extends Unchanged<T> {
        private final Function<Throwable, @Nullable Flow<?>> answer;

        First(
                FlowCollector<? super T> collector,
                Continuation<? super Unit> caller,
                Function<Throwable, @Nullable Flow<?>> answer) {
            super(collector, caller);
            this.answer = answer;
        }

        @Override
        @Nullable Object ended(@Nullable Throwable failure) throws Throwable {
            if (failure == null) {
                return Unit.INSTANCE;
            }
            Flow<?> second = isGivenUp(failure) ? null : answer.apply(failure);
            if (second == null) {
                throw failure;
            }
            return new Second<T>(collector(), caller(), failure).collect(typed(second));
        }
    }

    /** The collection of what answers for it. */
    private static final class Second<T> extends Unchanged<T> {
        private final Throwable primary;

        Second(FlowCollector<? super T> collector, Continuation<? super Unit> caller, Throwable primary) {
            super(collector, caller);
            this.primary = primary;
        }

        @Override
        Object ended(@Nullable Throwable failure) throws Throwable {
            if (failure == null) {
                return Unit.INSTANCE;
            }
            throw isGivenUp(failure) ? failure : Fallback.suppress(primary, failure);
        }
    }

    /** A collection whose flow sees what its collector sees. */
    abstract static sealed class Unchanged<T> extends FlowCollection<T> permits First, Second {
        Unchanged(FlowCollector<? super T> collector, Continuation<? super Unit> caller) {
            super(collector, caller);
        }

        @Override
        CoroutineContext outside(CoroutineContext inside) {
            return inside;
        }

        @Override
        void goOn(Continuation<? super Unit> flow, Object result) {
            flow.resumeWith(result);
        }
    }
}
