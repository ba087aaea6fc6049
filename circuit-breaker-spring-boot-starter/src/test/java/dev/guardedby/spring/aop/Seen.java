package dev.guardedby.spring.aop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** What a caller sees of a call, up to its end; it asks for everything at once. */
final class Seen implements Subscriber<Object> {
    final List<Object> items = new CopyOnWriteArrayList<>();
    volatile boolean hasEnded;
    volatile @Nullable Throwable failure;
    private volatile @Nullable Subscription subscription;

    void returned(@Nullable Object result) {
        if (result != null) {
            items.add(result);
        }
        hasEnded = true;
    }

    void threw(Throwable thrown) {
        failure = thrown;
        hasEnded = true;
    }

    void cancel() {
        subscription.cancel();
    }

    @Override
    public void onSubscribe(Subscription given) {
        subscription = given;
        given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(Object item) {
        if (!hasEnded) {
            items.add(item);
        }
    }

    @Override
    public void onError(Throwable thrown) {
        if (!hasEnded) {
            threw(thrown);
        }
    }

    @Override
    public void onComplete() {
        hasEnded = true;
    }
}
