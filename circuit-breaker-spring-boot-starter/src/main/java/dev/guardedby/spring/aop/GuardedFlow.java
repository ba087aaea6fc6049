package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Assembly.Admitted;
import dev.guardedby.spring.aop.InsideElement.Attached;
import kotlin.Unit;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.flow.Flow;
import kotlinx.coroutines.flow.FlowCollector;
import org.jspecify.annotations.Nullable;

/** A flow that each collection needs a permit for. */
final class GuardedFlow<T> implements Flow<T> {
    private final Flow<T> source;
    private final Assembly assembly;

    GuardedFlow(Flow<T> source, Assembly assembly) {
        this.source = source;
        this.assembly = assembly;
    }

    @Override
    public @Nullable Object collect(FlowCollector<? super T> collector, Continuation<? super Unit> continuation) {
        Admitted admitted = assembly.admit(InsideElement.of(continuation.getContext()));
        return new Collection<>(collector, continuation, admitted).begin(source);
    }

    /** One admitted collection: like a {@link GuardedSubscriber}. */
    static final class Collection<T> extends FlowCollection<T> {
        private final Admitted admitted;
        private final CoroutineContext context;
        private volatile boolean seen;
        private volatile @Nullable T last;

        Collection(FlowCollector<? super T> collector, Continuation<? super Unit> caller, Admitted admitted) {
            super(collector, caller);
            this.admitted = admitted;
            this.context = InsideElement.addedTo(caller.getContext(), admitted.inside());
        }

        @Nullable Object begin(Flow<? extends T> source) {
            Attached attached = InsideElement.attach(admitted.inside());
            try {
                return collect(source);
            } finally {
                InsideElement.detach(attached);
            }
        }

        /** That of the flow and of all that is upstream; the collector is to see nothing of it. */
        @Override
        public CoroutineContext getContext() {
            return context;
        }

        @Override
        CoroutineContext outside(CoroutineContext inside) {
            return InsideElement.removedFrom(inside, caller().getContext());
        }

        @Override
        public @Nullable Object emit(T item, Continuation<? super Unit> flow) {
            last = item;
            seen = true;
            boolean left = leave();
            try {
                return super.emit(item, flow);
            } finally {
                back(left);
            }
        }

        @Override
        void goOn(Continuation<? super Unit> flow, Object result) {
            Attached attached = InsideElement.attach(admitted.inside());
            try {
                flow.resumeWith(result);
            } finally {
                InsideElement.detach(attached);
            }
        }

        @Override
        public void resumeWith(Object result) {
            boolean left = leave();
            try {
                super.resumeWith(result);
            } finally {
                back(left);
            }
        }

        @Override
        Object ended(@Nullable Throwable failure) throws Throwable {
            if (failure == null) {
                admitted.call().succeeded(last);
                return Unit.INSTANCE;
            }
            if (!isGivenUp(failure)) {
                admitted.permit().failureAsync(failure);
            } else if (seen) {
                admitted.call().succeeded(last);
            } else {
                admitted.permit().cancel();
            }
            throw failure;
        }

        // What the collector does with an item, and afterwards, is not part of the call.

        private boolean leave() {
            return GuardedCall.leave(admitted.call(), admitted.outer());
        }

        private void back(boolean left) {
            if (left) {
                GuardedCall.enter(admitted.call());
            }
        }
    }
}
