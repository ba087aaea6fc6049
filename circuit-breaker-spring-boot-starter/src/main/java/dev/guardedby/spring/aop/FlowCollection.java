package dev.guardedby.spring.aop;

import java.util.concurrent.CancellationException;
import kotlin.ResultKt;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlin.coroutines.intrinsics.IntrinsicsKt;
import kotlinx.coroutines.JobKt;
import kotlinx.coroutines.flow.Flow;
import kotlinx.coroutines.flow.FlowCollector;
import org.jspecify.annotations.Nullable;

/**
 * One collection of a flow, which stands between the flow and its collector: hands every item on, and knows by whom it was
 * ended.
 *
 * <p>In Kotlin it would be {@code try { source.collect { collector.emit(it) } } catch …}. Here the suspensions are written out:
 * a suspend function returns its result, or throws, or answers that it has suspended and ends with the continuation.
 */
abstract sealed class FlowCollection<T> implements FlowCollector<T>, Continuation<Unit>
        permits GuardedFlow.Collection, FallbackFlow.Unchanged {
    private final FlowCollector<? super T> collector;
    private final Continuation<? super Unit> caller;
    private volatile @Nullable Throwable thrownByCollector;

    FlowCollection(FlowCollector<? super T> collector, Continuation<? super Unit> caller) {
        this.collector = collector;
        this.caller = caller;
    }

    /**
     * Says how the flow ended; once.
     *
     * @param failure what it threw, or null
     * @return what the collection comes to: the unit, or that it has suspended and goes on with the continuation of the caller
     * @throws Throwable what the collection comes to
     */
    abstract @Nullable Object ended(@Nullable Throwable failure) throws Throwable;

    /** The context in which the collector sees an item, of which the flow has this one. */
    abstract CoroutineContext outside(CoroutineContext inside);

    /** Goes on with the flow, when the collector has seen an item. */
    abstract void goOn(Continuation<? super Unit> flow, Object result);

    /** Collects a flow. */
    @Nullable Object collect(Flow<? extends T> source) {
        try {
            Object answer;
            try {
                answer = source.collect(this, this);
            } catch (Throwable thrown) {
                return ended(thrown);
            }
            return isSuspended(answer) ? answer : ended(null);
        } catch (Throwable thrown) {
            // Kotlin has no checked exceptions, and hands on whatever comes.
            throw Shape.sneak(thrown);
        }
    }

    @Override
    public @Nullable Object emit(T item, Continuation<? super Unit> flow) {
        try {
            return collector.emit(item, new Emission(flow));
        } catch (Throwable thrown) {
            thrownByCollector = thrown;
            throw thrown;
        }
    }

    @Override
    public CoroutineContext getContext() {
        return caller.getContext();
    }

    @Override
    public void resumeWith(Object result) {
        Object answer;
        try {
            answer = ended(failureOf(result));
        } catch (Throwable thrown) {
            answer = ResultKt.createFailure(thrown);
        }
        if (!isSuspended(answer)) {
            caller.resumeWith(answer == null ? Unit.INSTANCE : answer);
        }
    }

    /** Whether the flow ended because its collector wanted no more of it. */
    final boolean isGivenUp(Throwable failure) {
        return failure == thrownByCollector
                || (failure instanceof CancellationException && !JobKt.isActive(caller.getContext()));
    }

    final FlowCollector<? super T> collector() {
        return collector;
    }

    final Continuation<? super Unit> caller() {
        return caller;
    }

    private static boolean isSuspended(@Nullable Object answer) {
        return answer == IntrinsicsKt.getCOROUTINE_SUSPENDED();
    }

    /** What is in a result: Kotlin shows it to nobody but by throwing it. */
    private static @Nullable Throwable failureOf(Object result) {
        try {
            ResultKt.throwOnFailure(result);
            return null;
        } catch (Throwable failure) {
            return failure;
        }
    }

    /** Where the flow goes on when the collector has seen an item. */
    private final class Emission implements Continuation<Unit> {
        private final Continuation<? super Unit> flow;

        Emission(Continuation<? super Unit> flow) {
            this.flow = flow;
        }

        @Override
        public CoroutineContext getContext() {
            return outside(flow.getContext());
        }

        @Override
        public void resumeWith(Object result) {
            Throwable failure = failureOf(result);
            if (failure != null) {
                thrownByCollector = failure;
            }
            goOn(flow, result);
        }
    }
}
