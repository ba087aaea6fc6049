package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Outcome;
import io.reactivex.rxjava3.core.Completable;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Maybe;
import io.reactivex.rxjava3.core.Observable;
import io.reactivex.rxjava3.core.Single;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Flow;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A shape of guarded calls: how one is made, how each of its endings counts, and which endings it cannot have. */
final class CallShape {
    private enum Kind {
        PLAIN,
        STAGE,
        REACTIVE
    }

    final String name;
    final Class<?> bean;
    final Calling calling;
    /** The endings that there cannot be, and why. */
    final Map<Ending, String> impossible = new EnumMap<>(Ending.class);

    private final Kind kind;
    private final Map<Ending, Outcome> outcomes = new EnumMap<>(Ending.class);
    private boolean single;
    private boolean atOnce;
    private boolean withoutItem;
    private boolean itemEnds;

    private CallShape(String name, Class<?> bean, Kind kind, Calling calling) {
        this.name = name;
        this.bean = bean;
        this.kind = kind;
        this.calling = calling;
    }

    static List<CallShape> all() {
        return List.of(
                plain("plain", Remote.OfResult.class),
                plain("plain void", Remote.OfNothing.class).hasNoItem("void has none"),
                stage("CompletionStage", Remote.OfStage.class, Calling::staged),
                stage("CompletableFuture", Remote.OfFuture.class, Calling::staged),
                stage("CompletableFuture that is done", Remote.OfFuture.class, Calling::staged)
                        .isThereAtOnce(),
                // The caller of an @Async method holds the executor's future. Whoever stops waiting for that stops
                // nobody,
                // and null is a result for it; to be cancelled, it interrupts the thread that waits for the method's
                // own.
                stage("@Async Future", Remote.OfAsyncFuture.class, Calling::inAnotherThread)
                        .counts(Ending.TIMEOUT_OUTSIDE, Outcome.SUCCESS)
                        .counts(Ending.NULL_RETURNED, Outcome.SUCCESS),
                // And this one is connected to nothing: what the caller does to it does not reach the call.
                stage("@Async CompletableFuture", Remote.OfAsyncCompletableFuture.class, Calling::inAnotherThread)
                        .counts(Ending.TIMEOUT_OUTSIDE, Outcome.SUCCESS)
                        .counts(Ending.CANCELLED_BEFORE_AN_ITEM, Outcome.SUCCESS),
                reactive("Mono", Remote.OfMono.class, Mono.class).hasOneItem(),
                reactive("Mono that is there", Remote.OfMono.class, Mono.class)
                        .hasOneItem()
                        .isThereAtOnce(),
                reactive("Flux", Remote.OfFlux.class, Flux.class),
                reactive("Flux that is there", Remote.OfFlux.class, Flux.class).isThereAtOnce(),
                reactive("Publisher", Remote.OfReactiveStreams.class, Publisher.class),
                reactive("Flow.Publisher", Remote.OfFlow.class, Flow.Publisher.class),
                reactive("Single", Remote.OfSingle.class, Single.class)
                        .hasOneItem()
                        .cannot(Ending.NO_RESULT, "an empty source is a failure of Single's own")
                        .cannot(Ending.CANCELLED_AFTER_AN_ITEM, "the item comes with the end"),
                reactive("Maybe", Remote.OfMaybe.class, Maybe.class)
                        .hasOneItem()
                        .endsWithItsItem(),
                reactive("Completable", Remote.OfCompletable.class, Completable.class)
                        .hasOneItem()
                        .hasNoItem("a Completable has none")
                        .cannot(Ending.CANCELLED_AFTER_AN_ITEM, "a Completable has none"),
                reactive("Observable", Remote.OfObservable.class, Observable.class),
                reactive("Flowable", Remote.OfFlowable.class, Flowable.class),
                reactive("Uni", Remote.OfUni.class, Uni.class).hasOneItem().endsWithItsItem(),
                reactive("Multi", Remote.OfMulti.class, Multi.class));
    }

    private static CallShape plain(String name, Class<?> bean) {
        return new CallShape(name, bean, Kind.PLAIN, Calling::plainly)
                .hasOneResult()
                .cannot(Ending.THROWN_BEFORE_ANYTHING_IS_RETURNED, "throwing is how it fails")
                .cannot(Ending.ERROR_BEFORE_ANYTHING_IS_RETURNED, "throwing is how it fails")
                .cannot(Ending.NULL_RETURNED, "null is a result")
                .cannot(Ending.TIMEOUT_OUTSIDE, "the caller waits, whatever happens");
    }

    private static CallShape stage(String name, Class<?> bean, Calling calling) {
        // A timeout is the remote's, wherever the future gets it from.
        return new CallShape(name, bean, Kind.STAGE, calling)
                .hasOneResult()
                .counts(Ending.TIMEOUT_OUTSIDE, Outcome.FAILURE);
    }

    private static CallShape reactive(String name, Class<?> bean, Class<?> type) {
        return new CallShape(name, bean, Kind.REACTIVE, Calling.subscribing(type));
    }

    /** How the breaker must count it. */
    Outcome outcome(Ending ending) {
        Outcome other = outcomes.get(ending);
        if (other != null) {
            return other;
        }
        return switch (ending) {
            case RESULT, NO_RESULT, CANCELLED_AFTER_AN_ITEM, MORE_SIGNALS_AFTER_COMPLETION -> Outcome.SUCCESS;
            case IGNORED_FAILURE, REFUSED_FURTHER_IN, CANCELLED_BEFORE_AN_ITEM, TIMEOUT_OUTSIDE -> Outcome.IGNORED;
            default -> Outcome.FAILURE;
        };
    }

    boolean isReactive() {
        return kind == Kind.REACTIVE;
    }

    boolean isStage() {
        return kind == Kind.STAGE;
    }

    @Override
    public String toString() {
        return name;
    }

    /** Whether there may be several items. */
    boolean isMany() {
        return !single;
    }

    boolean isAtOnce() {
        return atOnce;
    }

    boolean isWithoutItem() {
        return withoutItem;
    }

    /** Whether its library takes the first item for the end, so that to cancel after it is too late. */
    boolean isItemTheEnd() {
        return itemEnds;
    }

    private CallShape cannot(Ending ending, String reason) {
        impossible.put(ending, reason);
        return this;
    }

    private CallShape counts(Ending ending, Outcome outcome) {
        outcomes.put(ending, outcome);
        return this;
    }

    private CallShape hasOneResult() {
        return hasOneItem()
                .cannot(Ending.CANCELLED_AFTER_AN_ITEM, "the item is the end")
                .cannot(Ending.MORE_SIGNALS_AFTER_COMPLETION, "it ends once by itself")
                .cannot(Ending.MORE_SIGNALS_AFTER_A_FAILURE, "it ends once by itself")
                .cannot(Ending.FATAL_ERROR_AT_SUBSCRIPTION, "nobody subscribes, and an Error is like any other")
                .cannot(Ending.FATAL_ERROR_AT_REQUEST, "nobody requests, and an Error is like any other");
    }

    private CallShape hasOneItem() {
        single = true;
        return cannot(Ending.FAILURE_AFTER_AN_ITEM, "the item is the end");
    }

    private CallShape endsWithItsItem() {
        itemEnds = true;
        return this;
    }

    private CallShape hasNoItem(String reason) {
        withoutItem = true;
        return cannot(Ending.RESULT, reason).cannot(Ending.BAD_RESULT, reason);
    }

    private CallShape isThereAtOnce() {
        atOnce = true;
        return cannot(Ending.CANCELLED_BEFORE_AN_ITEM, "it is there before anybody can cancel it")
                .cannot(Ending.CANCELLED_AFTER_AN_ITEM, "it is there before anybody can cancel it")
                .cannot(Ending.TIMEOUT_OUTSIDE, "it is there before time passes");
    }
}
