package dev.guardedby.spring.aop;

import dev.guardedby.spring.GuardedBy;
import io.reactivex.rxjava3.core.Completable;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Maybe;
import io.reactivex.rxjava3.core.Observable;
import io.reactivex.rxjava3.core.Single;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.scheduling.annotation.Async;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The guarded methods of one shape: with and without a fallback, and with and without a cost. */
abstract class Remote<R> {
    private static final String COST = "#a0.price(#result)";

    abstract @Nullable R answer(Script script) throws Throwable;

    abstract R substitute();

    @GuardedBy("llm") public @Nullable R bare(Script script) throws Throwable {
        return answer(script);
    }

    @GuardedBy(name = "llm", fallback = "instead") public @Nullable R helped(Script script) throws Throwable {
        return answer(script);
    }

    @GuardedBy(name = "llm", cost = COST) public @Nullable R priced(Script script) throws Throwable {
        return answer(script);
    }

    @GuardedBy(name = "llm", fallback = "instead", cost = COST) public @Nullable R both(Script script) throws Throwable {
        return answer(script);
    }

    R instead(Script script, Throwable primary) {
        script.helped.add(primary);
        return substitute();
    }

    static class OfResult extends Remote<Object> {
        @Override
        @Nullable Object answer(Script script) throws Throwable {
            return script.plainly();
        }

        @Override
        Object substitute() {
            return Script.INSTEAD;
        }
    }

    static class OfStage extends Remote<CompletionStage<Object>> {
        @Override
        @Nullable CompletionStage<Object> answer(Script script) throws Throwable {
            return script.staged();
        }

        @Override
        CompletionStage<Object> substitute() {
            return CompletableFuture.completedFuture(Script.INSTEAD);
        }
    }

    static class OfFuture extends Remote<CompletableFuture<Object>> {
        @Override
        @Nullable CompletableFuture<Object> answer(Script script) throws Throwable {
            return script.staged();
        }

        @Override
        CompletableFuture<Object> substitute() {
            return CompletableFuture.completedFuture(Script.INSTEAD);
        }
    }

    /** A publisher of some library, as Spring adapts it. */
    abstract static class OfPublisher<R> extends Remote<R> {
        private final ReactiveAdapter adapter;

        OfPublisher(Class<?> type) {
            adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(type);
        }

        @Override
        @SuppressWarnings("unchecked") // the subclass says so
        @Nullable R answer(Script script) throws Throwable {
            script.enter();
            return script.ending == Ending.NULL_RETURNED ? null : (R) adapter.fromPublisher(script.source);
        }

        @Override
        @SuppressWarnings("unchecked") // the subclass says so
        R substitute() {
            return (R) adapter.fromPublisher(Flux.just(Script.INSTEAD));
        }
    }

    static class OfMono extends OfPublisher<Mono<Object>> {
        OfMono() {
            super(Mono.class);
        }

        @Override
        @Nullable Mono<Object> answer(Script script) throws Throwable {
            // The adapter's mono would cancel its source with the first item, and hide what comes after it.
            return super.answer(script) == null ? null : Mono.fromDirect(script.source);
        }
    }

    static class OfFlux extends OfPublisher<Flux<Object>> {
        OfFlux() {
            super(Flux.class);
        }
    }

    static class OfReactiveStreams extends OfPublisher<Publisher<Object>> {
        OfReactiveStreams() {
            super(Publisher.class);
        }
    }

    static class OfFlow extends OfPublisher<Flow.Publisher<Object>> {
        OfFlow() {
            super(Flow.Publisher.class);
        }
    }

    static class OfSingle extends OfPublisher<Single<Object>> {
        OfSingle() {
            super(Single.class);
        }
    }

    static class OfMaybe extends OfPublisher<Maybe<Object>> {
        OfMaybe() {
            super(Maybe.class);
        }
    }

    static class OfCompletable extends OfPublisher<Completable> {
        OfCompletable() {
            super(Completable.class);
        }
    }

    static class OfObservable extends OfPublisher<Observable<Object>> {
        OfObservable() {
            super(Observable.class);
        }
    }

    static class OfFlowable extends OfPublisher<Flowable<Object>> {
        OfFlowable() {
            super(Flowable.class);
        }
    }

    static class OfUni extends OfPublisher<Uni<Object>> {
        OfUni() {
            super(Uni.class);
        }
    }

    static class OfMulti extends OfPublisher<Multi<Object>> {
        OfMulti() {
            super(Multi.class);
        }
    }

    /** Methods without a result. */
    static class OfNothing {
        @GuardedBy("llm") public void bare(Script script) throws Throwable {
            script.plainly();
        }

        @GuardedBy(name = "llm", fallback = "instead") public void helped(Script script) throws Throwable {
            script.plainly();
        }

        @GuardedBy(name = "llm", cost = COST) public void priced(Script script) throws Throwable {
            script.plainly();
        }

        @GuardedBy(name = "llm", fallback = "instead", cost = COST) public void both(Script script) throws Throwable {
            script.plainly();
        }

        void instead(Script script, Throwable primary) {
            script.helped.add(primary);
        }
    }

    /** Methods that run in another thread, and whose future that of the executor stands for. */
    @Async
    static class OfAsyncFuture {
        @GuardedBy("llm") public @Nullable Future<Object> bare(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", fallback = "instead") public @Nullable Future<Object> helped(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", cost = COST) public @Nullable Future<Object> priced(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", fallback = "instead", cost = COST) public @Nullable Future<Object> both(Script script) throws Throwable {
            return script.staged();
        }

        Future<Object> instead(Script script, Throwable primary) {
            script.helped.add(primary);
            return CompletableFuture.completedFuture(Script.INSTEAD);
        }
    }

    /** The same with a future that others can complete. */
    @Async
    static class OfAsyncCompletableFuture {
        @GuardedBy("llm") public @Nullable CompletableFuture<Object> bare(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", fallback = "instead") public @Nullable CompletableFuture<Object> helped(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", cost = COST) public @Nullable CompletableFuture<Object> priced(Script script) throws Throwable {
            return script.staged();
        }

        @GuardedBy(name = "llm", fallback = "instead", cost = COST) public @Nullable CompletableFuture<Object> both(Script script) throws Throwable {
            return script.staged();
        }

        CompletableFuture<Object> instead(Script script, Throwable primary) {
            script.helped.add(primary);
            return CompletableFuture.completedFuture(Script.INSTEAD);
        }
    }
}
