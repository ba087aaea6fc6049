package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Assembly.Admitted;
import dev.guardedby.spring.aop.Inside.Visit;
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
            this.context =
                    InsideElement.addedTo(caller.getContext(), admitted.border().inside());
        }

        @Nullable Object begin(Flow<? extends T> source) {
            Visit visit = admitted.border().enter();
            try {
                return collect(source);
            } finally {
                visit.end();
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
            if (item != null) {
                admitted.call().passed(item);
            }
            Visit away = admitted.border().leave();
            try {
                return super.emit(item, flow);
            } finally {
                Border.back(away);
            }
        }

        @Override
        void goOn(Continuation<? super Unit> flow, Object result) {
            Visit visit = admitted.border().enter();
            try {
                flow.resumeWith(result);
            } finally {
                visit.end();
            }
        }

        @Override
        public void resumeWith(Object result) {
            Visit away = admitted.border().leave();
            try {
                super.resumeWith(result);
            } finally {
                Border.back(away);
            }
        }

        @Override
        Object ended(@Nullable Throwable failure) throws Throwable {
            if (failure == null) {
                admitted.call().succeeded(last);
                return Unit.INSTANCE;
            }
            if (!isGivenUp(failure)) {
                admitted.call().failed(failure);
            } else if (seen) {
                admitted.call().succeeded(last);
            } else {
                admitted.permit().cancel();
            }
            throw failure;
        }
    }
}
