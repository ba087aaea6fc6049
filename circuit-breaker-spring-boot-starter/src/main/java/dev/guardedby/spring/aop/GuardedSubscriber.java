package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.aop.Assembly.Admitted;
import dev.guardedby.spring.aop.Inside.Visit;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Scannable;
import reactor.core.publisher.Operators;
import reactor.util.context.Context;

/**
 * One admitted subscription: hands every signal on, and reports the permit with the one that ends the call.
 *
 * <p>The report comes before the signal is handed on: whoever hangs a retry on it finds the call counted and its slot free.
 */
final class GuardedSubscriber<T> implements CoreSubscriber<T>, Subscription, Scannable {
    @SuppressWarnings("rawtypes") // a class has no type arguments
    private static final AtomicIntegerFieldUpdater<GuardedSubscriber> ENDED =
            AtomicIntegerFieldUpdater.newUpdater(GuardedSubscriber.class, "ended");

    private final CoreSubscriber<? super T> actual;
    private final Permit permit;
    private final GuardedCall call;
    private final Border border;
    private final boolean endsWithFirst;
    private final Context context;

    @SuppressWarnings("UnusedVariable") // the updater does
    private volatile int ended;

    private @Nullable Subscription upstream;
    private boolean done;
    // Written by the thread of the signals, read by the one that cancels.
    private volatile @Nullable T last;

    /**
     * A subscription.
     *
     * @param endsWithFirst whether the call has ended with its first item
     */
    GuardedSubscriber(CoreSubscriber<? super T> actual, Admitted admitted, boolean endsWithFirst) {
        this.actual = actual;
        this.permit = admitted.permit();
        this.call = admitted.call();
        this.border = admitted.border();
        this.endsWithFirst = endsWithFirst;
        this.context = actual.currentContext().put(Inside.KEY, border.inside());
    }

    /** Begins the call. */
    void subscribeTo(Publisher<? extends T> source) {
        Visit visit = border.enter();
        try {
            source.subscribe(this);
        } catch (Throwable thrown) {
            failed(thrown);
            throw thrown;
        } finally {
            visit.end();
        }
    }

    @Override
    public Context currentContext() {
        return context;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        if (!Operators.validate(upstream, subscription)) {
            return;
        }
        upstream = subscription;
        Visit away = border.leave();
        try {
            actual.onSubscribe(this);
        } catch (Throwable thrown) {
            givenUp();
            throw thrown;
        } finally {
            Border.back(away);
        }
    }

    @Override
    public void onNext(T item) {
        if (done) {
            Operators.onNextDropped(item, context);
            return;
        }
        last = item;
        if (!endsWithFirst) {
            call.passed(item);
        }
        if (endsWithFirst && isFirstEnd()) {
            call.succeeded(item);
        }
        Visit away = border.leave();
        try {
            actual.onNext(item);
        } catch (Throwable thrown) {
            givenUp();
            throw thrown;
        } finally {
            Border.back(away);
        }
    }

    @Override
    public void onComplete() {
        if (done) {
            return;
        }
        done = true;
        if (isFirstEnd()) {
            call.succeeded(last);
        }
        Visit away = border.leave();
        try {
            actual.onComplete();
        } finally {
            Border.back(away);
        }
    }

    @Override
    public void onError(Throwable failure) {
        if (done) {
            // Else a source that breaks the rules would have the fallback answer a second time.
            Operators.onErrorDropped(failure, context);
            return;
        }
        done = true;
        failed(failure);
        Visit away = border.leave();
        try {
            actual.onError(failure);
        } finally {
            Border.back(away);
        }
    }

    @Override
    public void request(long n) {
        Subscription source = upstream;
        if (source == null) {
            return;
        }
        Visit visit = border.enter();
        try {
            source.request(n);
        } catch (Throwable thrown) {
            // Reactor throws errors such as a missing class at whoever requests, and signals nothing.
            failed(thrown);
            throw thrown;
        } finally {
            visit.end();
        }
    }

    @Override
    public void cancel() {
        givenUp();
        Subscription source = upstream;
        if (source != null) {
            source.cancel();
        }
    }

    /** The subscriber wants no more, or could not take what it got: what came of the call before that decides. */
    private void givenUp() {
        if (isFirstEnd()) {
            T seen = last;
            if (seen == null) {
                permit.cancel();
            } else {
                call.succeeded(seen);
            }
        }
    }

    private void failed(Throwable failure) {
        if (isFirstEnd()) {
            call.failed(failure);
        }
    }

    @Override
    @SuppressWarnings("rawtypes") // declared like this
    public @Nullable Object scanUnsafe(Attr key) {
        if (key == Attr.PARENT) {
            return upstream;
        }
        if (key == Attr.ACTUAL) {
            return actual;
        }
        return key == Attr.RUN_STYLE ? Attr.RunStyle.SYNC : null;
    }

    private boolean isFirstEnd() {
        return ENDED.compareAndSet(this, 0, 1);
    }
}
