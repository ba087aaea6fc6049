package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/** What the remote does in one call, and what it has seen of it. */
final class Script {
    static final BigDecimal PRICE = new BigDecimal("0.01");
    static final Object FIRST = "first";
    static final Object RESULT = "result";
    static final Object BAD = "bad";
    static final Object INSTEAD = "instead";

    final Ending ending;
    final @Nullable Throwable failure;
    final AtomicInteger entered = new AtomicInteger();
    final List<Object> priced = new CopyOnWriteArrayList<>();
    final List<Throwable> helped = new CopyOnWriteArrayList<>();
    final CompletableFuture<Object> stage = new CompletableFuture<>();
    final Source source = new Source();
    private final boolean many;
    private final boolean atOnce;

    /**
     * A script.
     *
     * @param many whether there are several items
     * @param atOnce whether everything is there when somebody asks, and does not come later
     */
    Script(Ending ending, boolean many, boolean atOnce) {
        this.ending = ending;
        this.failure = ending.failure();
        this.many = many;
        this.atOnce = atOnce;
    }

    static CallNotPermittedException refusal() {
        CircuitBreaker inner = CircuitBreaker.of("inner");
        inner.holdOpen();
        try {
            inner.acquire().close();
            throw new AssertionError("held open, and admitting");
        } catch (CallNotPermittedException refused) {
            return refused;
        }
    }

    /** For the expression of a cost. */
    public BigDecimal price(@Nullable Object result) {
        priced.add(result);
        return PRICE;
    }

    /** The method of the remote is entered. */
    void enter() throws Throwable {
        entered.incrementAndGet();
        if (ending.isBeforeAnythingIsReturned()) {
            throw failure;
        }
    }

    @Nullable Object result() {
        return switch (ending) {
            case NO_RESULT -> null;
            case BAD_RESULT -> BAD;
            default -> RESULT;
        };
    }

    /** The work of a method that returns its result. */
    @Nullable Object plainly() throws Throwable {
        enter();
        if (ending == Ending.CANCELLED_BEFORE_AN_ITEM) {
            throw new InterruptedException("the caller's thread");
        }
        if (failure != null) {
            throw failure;
        }
        return result();
    }

    /** The work of a method that returns a stage. */
    @Nullable CompletableFuture<Object> staged() throws Throwable {
        enter();
        if (ending == Ending.NULL_RETURNED) {
            return null;
        }
        if (atOnce) {
            endStage();
        }
        return stage;
    }

    void endStage() {
        if (failure == null) {
            stage.complete(result());
        } else {
            stage.completeExceptionally(failure);
        }
    }

    /** The signals up to where the caller comes in, or to the end. */
    void play() {
        switch (ending) {
            case RESULT, BAD_RESULT ->
                source.next(many ? FIRST : null).next(result()).complete();
            case NO_RESULT -> source.complete();
            case FAILURE_AFTER_AN_ITEM -> source.next(FIRST).error(failure);
            case CANCELLED_AFTER_AN_ITEM -> source.next(FIRST);
            case MORE_SIGNALS_AFTER_COMPLETION ->
                source.next(RESULT)
                        .complete()
                        .error(new IllegalStateException("late"))
                        .next(BAD)
                        .complete();
            case MORE_SIGNALS_AFTER_A_FAILURE ->
                source.error(failure).next(BAD).complete().error(new IllegalStateException("late"));
            case CANCELLED_BEFORE_AN_ITEM, TIMEOUT_OUTSIDE -> {}
            default -> source.error(failure);
        }
    }

    /** A source that keeps no rule of its own: it signals what the script says. */
    final class Source implements Publisher<Object>, Subscription {
        private @Nullable Subscriber<? super Object> subscriber;
        private int subscriptions;
        private int cancellations;

        @Override
        public void subscribe(Subscriber<? super Object> asking) {
            subscriptions++;
            if (ending == Ending.FATAL_ERROR_AT_SUBSCRIPTION) {
                throw (Error) failure;
            }
            subscriber = asking;
            asking.onSubscribe(this);
        }

        @Override
        public void request(long n) {
            if (ending == Ending.FATAL_ERROR_AT_REQUEST) {
                throw (Error) failure;
            }
            if (atOnce) {
                play();
            }
        }

        @Override
        public void cancel() {
            cancellations++;
        }

        Source next(@Nullable Object item) {
            if (item != null) {
                subscriber.onNext(item);
            }
            return this;
        }

        Source error(Throwable thrown) {
            subscriber.onError(thrown);
            return this;
        }

        Source complete() {
            subscriber.onComplete();
            return this;
        }

        boolean waits() {
            return subscriber != null && !atOnce;
        }

        int subscriptions() {
            return subscriptions;
        }

        boolean isCancelled() {
            return cancellations > 0;
        }
    }
}
