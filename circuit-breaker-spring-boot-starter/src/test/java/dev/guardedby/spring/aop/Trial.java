package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.circuitbreaker.Scope;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.util.ReflectionUtils;

/** One call, and what is to be seen afterwards. */
final class Trial {
    /** The guarded method that is called. */
    enum Variant {
        BARE(false, false),
        HELPED(true, false),
        PRICED(false, true),
        BOTH(true, true);

        private final boolean helped;
        private final boolean priced;

        Variant(boolean helped, boolean priced) {
            this.helped = helped;
            this.priced = priced;
        }

        private String method() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What a breaker tells of its results, if somebody listens. */
    static final class Told implements CircuitBreakerListener {
        private final List<String> results = new CopyOnWriteArrayList<>();

        @Override
        public void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
            results.add(outcome + (outcome == Outcome.FAILURE && failure != null ? " by " + failure : ""));
        }
    }

    /**
     * Where all calls are made.
     *
     * @param told what the breaker tells; null if nobody listens and no rule judges its results
     * @param async the one thread of the methods that run in another
     */
    record Place(
            CircuitBreaker breaker,
            FakeTicker time,
            @Nullable Told told,
            AsyncTaskExecutor async) {}

    private final Place place;
    private final Start start;
    private final CallShape shape;
    private final Variant variant;
    private final Ending ending;
    private final Object bean;
    private final Script script;
    private final CircuitBreaker breaker;
    /** What the call counts as; null if it is refused. */
    private final @Nullable Outcome outcome;

    Trial(Place place, Start start, CallShape shape, Variant variant, Ending ending, Object bean) {
        this.place = place;
        this.start = start;
        this.shape = shape;
        this.variant = variant;
        this.ending = ending;
        this.bean = bean;
        this.script = new Script(ending, shape.isMany(), shape.isAtOnce());
        this.breaker = place.breaker();
        this.outcome = start.refusal() == null ? admittedOutcome() : null;
    }

    private Outcome admittedOutcome() {
        // Without a rule for results, none is bad.
        return ending == Ending.BAD_RESULT && place.told() == null ? Outcome.SUCCESS : shape.outcome(ending);
    }

    void check() throws Exception {
        start.reach(breaker, place.time());
        CircuitBreakerStats before = breaker.stats();
        if (place.told() != null) {
            place.told().results.clear();
        }

        Seen seen = shape.calling.call(this::call, script);
        if (shape.isStage() && outcome != null) {
            endTheAsyncCall();
        }

        checkRemote();
        checkCaller(seen);
        checkBooks(before);
        assertThat(GuardedCall.innermost()).as("call that the thread is in").isNull();
        assertThat(Scope.current()).as("probe that the thread is in").isEmpty();
        checkSlots();
        checkThatItStillWorks();
    }

    private @Nullable Object call() throws Throwable {
        Method method = ReflectionUtils.findMethod(bean.getClass(), variant.method(), Script.class);
        ReflectionUtils.makeAccessible(method);
        CircuitBreakerStats before = breaker.stats();
        try {
            Object returned = method.invoke(bean, script);
            if (shape.isReactive()) {
                assertThat(breaker.stats().toMap()).as("before a subscription").isEqualTo(before.toMap());
                assertThat(script.source.subscriptions()).isZero();
            }
            return returned;
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    /** Where the caller's end does not reach it, the call goes on to an end of its own. */
    private void endTheAsyncCall() throws Exception {
        if (ending.isOutside() && outcome == Outcome.SUCCESS) {
            script.endStage();
        }
        // The only thread there is comes to this when it has done with the call.
        place.async().submit(() -> {}).get(20, TimeUnit.SECONDS);
    }

    private void checkRemote() {
        boolean admitted = outcome != null;
        if (shape.isReactive()) {
            boolean isThereASource = !ending.isBeforeAnythingIsReturned() && ending != Ending.NULL_RETURNED;
            assertThat(script.entered).as("assemblies").hasValue(1);
            assertThat(script.source.subscriptions())
                    .as("subscriptions to the source")
                    .isEqualTo(admitted && isThereASource ? 1 : 0);
            if (ending.isOutside() && admitted && !hasEndedBefore()) {
                assertThat(script.source.isCancelled()).as("source cancelled").isTrue();
            }
        } else {
            assertThat(script.entered).as("calls made").hasValue(admitted ? 1 : 0);
            if (ending.isOutside() && shape.isStage() && admitted) {
                assertThat(script.stage.isCancelled())
                        .as("inner stage cancelled")
                        .isEqualTo(outcome != Outcome.SUCCESS);
            }
        }
    }

    private boolean hasEndedBefore() {
        return ending == Ending.CANCELLED_AFTER_AN_ITEM && shape.isItemTheEnd();
    }

    private void checkCaller(Seen seen) {
        List<Object> items = new ArrayList<>(outcome == null ? List.of() : itemsGiven());
        Object failure = outcome == null ? CallNotPermittedException.class : failureGiven();
        boolean helped = variant.helped && isForTheFallback(failure);
        if (ending.isFatal() && outcome != null) {
            // What the caller sees of it is the library's affair, and most throw it at whoever happens to be there.
            return;
        }
        if (helped) {
            assertThat(script.helped).as("what the fallback was asked for").hasSize(1);
            checkFailure(script.helped.get(0), failure);
            if (!shape.isWithoutItem()) {
                items.add(Script.INSTEAD);
            }
        } else {
            assertThat(script.helped).as("what the fallback was asked for").isEmpty();
        }
        assertThat(seen.items).as("items").isEqualTo(items);
        checkFailure(seen.failure, helped ? null : failure);
        assertThat(seen.hasEnded).as("whether the caller sees an end").isEqualTo(outcome == null || !isGivenUp());
    }

    private static void checkFailure(@Nullable Throwable seen, @Nullable Object expected) {
        if (expected instanceof Class<?> type) {
            assertThat(seen).as("failure").isExactlyInstanceOf(type);
        } else {
            assertThat(seen).as("failure").isSameAs(expected);
        }
    }

    /** A subscriber that cancels hears no more. */
    private boolean isGivenUp() {
        return shape.isReactive()
                && (ending == Ending.CANCELLED_BEFORE_AN_ITEM
                        || (ending == Ending.CANCELLED_AFTER_AN_ITEM && !hasEndedBefore()));
    }

    private List<Object> itemsGiven() {
        return switch (ending) {
            case RESULT -> shape.isMany() ? List.of(Script.FIRST, Script.RESULT) : List.of(Script.RESULT);
            case BAD_RESULT -> shape.isMany() ? List.of(Script.FIRST, Script.BAD) : List.of(Script.BAD);
            case FAILURE_AFTER_AN_ITEM, CANCELLED_AFTER_AN_ITEM -> List.of(Script.FIRST);
            case MORE_SIGNALS_AFTER_COMPLETION -> shape.isWithoutItem() ? List.of() : List.of(Script.RESULT);
            default -> List.of();
        };
    }

    /** The very failure, or its class, or null. */
    private @Nullable Object failureGiven() {
        if (script.failure != null) {
            return script.failure;
        }
        return switch (ending) {
            case NULL_RETURNED -> outcome == Outcome.SUCCESS ? null : NullPointerException.class;
            case TIMEOUT_OUTSIDE -> TimeoutException.class;
            case CANCELLED_BEFORE_AN_ITEM ->
                shape.isStage() ? CancellationException.class : shape.isReactive() ? null : InterruptedException.class;
            default -> null;
        };
    }

    private boolean isForTheFallback(@Nullable Object failure) {
        if (outcome == null || ending == Ending.REFUSED_FURTHER_IN) {
            return true;
        }
        return failure != null && outcome == Outcome.FAILURE && !ending.isOutside();
    }

    private void checkBooks(CircuitBreakerStats before) {
        CircuitBreakerStats stats = breaker.stats();
        assertThat(added(before, stats)).as("what was counted").isEqualTo(expectedToBeAdded());
        assertThat(stats.state()).as("state").isEqualTo(start.stateAfter(outcome));
        assertThat(stats.consecutiveFailures()).as("consecutive failures").isEqualTo(start.streakAfter(outcome));
        if (place.told() != null) {
            checkTold(place.told().results);
        }
        boolean costs = variant.priced && outcome != null && isThereAResult();
        assertThat(stats.totalEstimatedCost().subtract(before.totalEstimatedCost()))
                .as("cost")
                .isEqualByComparingTo(costs ? Script.PRICE : BigDecimal.ZERO);
        List<Object> items = itemsGiven();
        assertThat(script.priced)
                .as("results that were priced")
                .isEqualTo(
                        costs
                                ? Arrays.asList(items.isEmpty() ? resultOfAsync() : items.get(items.size() - 1))
                                : List.of());
    }

    /** The result that comes after its caller has gone. */
    private @Nullable Object resultOfAsync() {
        return ending.isOutside() ? Script.RESULT : null;
    }

    private boolean isThereAResult() {
        return outcome == Outcome.SUCCESS || ending == Ending.BAD_RESULT;
    }

    private void checkTold(List<String> results) {
        if (outcome == null) {
            assertThat(results).as("results told").isEmpty();
        } else {
            assertThat(results).as("results told").singleElement().asString().startsWith(outcome.name());
            if (outcome == Outcome.FAILURE && script.failure != null) {
                assertThat(results).as("results told").containsExactly("FAILURE by " + script.failure);
            }
        }
    }

    private static List<Long> added(CircuitBreakerStats before, CircuitBreakerStats after) {
        List<Long> added = new ArrayList<>();
        for (int i = 0; i < numbers(before).size(); i++) {
            added.add(numbers(after).get(i) - numbers(before).get(i));
        }
        return added;
    }

    private static List<Long> numbers(CircuitBreakerStats stats) {
        return List.of(
                stats.totalSuccesses(),
                stats.totalFailures(),
                stats.totalIgnored(),
                stats.totalRejected(),
                stats.wouldReject(),
                stats.stale(),
                stats.late(),
                stats.unreported());
    }

    private List<Long> expectedToBeAdded() {
        return List.of(
                outcome == Outcome.SUCCESS ? 1L : 0,
                outcome == Outcome.FAILURE ? 1L : 0,
                outcome == Outcome.IGNORED ? 1L : 0,
                outcome == null ? 1L : 0,
                start.wouldRefuse() ? 1L : 0,
                0L,
                0L,
                0L);
    }

    /** The free slots are exactly those that are left, however often one asks. */
    private void checkSlots() {
        if (breaker.state() != CircuitState.HALF_OPEN || breaker.mode() != Mode.ENFORCE) {
            return;
        }
        int used = outcome == Outcome.SUCCESS ? 1 : 0;
        for (int round = 0; round < 2; round++) {
            assertThat(freeSlots()).as("free slots").isEqualTo(Start.PROBES - start.othersProbing() - used);
        }
    }

    private int freeSlots() {
        List<Permit> taken = new ArrayList<>();
        for (Optional<Permit> one = breaker.tryAcquire(); one.isPresent(); one = breaker.tryAcquire()) {
            taken.add(one.get());
            assertThat(taken).as("slots without end").hasSizeLessThan(10);
        }
        assertThat(taken).allMatch(Permit::isProbe);
        taken.forEach(Permit::ignore);
        return taken.size();
    }

    private void checkThatItStillWorks() {
        breaker.mode(Mode.ENFORCE);
        if (breaker.state() == CircuitState.OPEN && breaker.timeUntilRetry().isEmpty()) {
            breaker.reset();
        }
        for (int round = 0; round < 2 * Start.PROBES && breaker.state() != CircuitState.CLOSED; round++) {
            place.time().advance(Start.WAIT.plus(Start.LEASE));
            breaker.tryAcquire().ifPresent(Permit::success);
        }
        assertThat(breaker.state()).as("after successes").isEqualTo(CircuitState.CLOSED);
        for (int i = 0; i < Start.THRESHOLD; i++) {
            breaker.recordFailure();
        }
        assertThat(breaker.state()).as("after failures").isEqualTo(CircuitState.OPEN);
        place.time().advance(Start.WAIT);
        assertThat(freeSlots()).as("free slots of a new recovery").isEqualTo(Start.PROBES);
    }
}
