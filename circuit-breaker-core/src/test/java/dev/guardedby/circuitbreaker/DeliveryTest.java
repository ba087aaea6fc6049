package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Transitions are delivered one at a time, in order, outside every lock. */
final class DeliveryTest {
    private final Story story = new Story();
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());

    private static CircuitBreakerListener onTransition(Consumer<Transition> action) {
        return new CircuitBreakerListener() {
            @Override
            public void onTransition(Transition transition) {
                action.accept(transition);
            }
        };
    }

    private static String line(Transition transition) {
        return transition.from() + ">" + transition.to();
    }

    private static void joinSoon(CompletableFuture<?> future) {
        assertThat(future).succeedsWithin(10, TimeUnit.SECONDS);
    }

    @Test
    void listenerThatMovesTheBreaker_getsThatEventAfterItReturns_andSoDoTheOthers() {
        CircuitBreaker breaker = story.breaker()
                .listener(onTransition(transition -> {
                    told.add("first begins " + line(transition));
                    if (transition.cause() == Transition.Cause.FAILURES) {
                        transition.breaker().reset();
                        transition.breaker().forceOpen();
                        assertThat(transition.breaker().state()).isEqualTo(CircuitState.OPEN);
                    }
                    told.add("first ends " + line(transition));
                }))
                .listener(onTransition(transition -> told.add("second " + line(transition))))
                .build();

        fail(breaker, 3);

        assertThat(told)
                .containsExactly(
                        "first begins CLOSED>OPEN",
                        "first ends CLOSED>OPEN",
                        "second CLOSED>OPEN",
                        "first begins OPEN>CLOSED",
                        "first ends OPEN>CLOSED",
                        "second OPEN>CLOSED",
                        "first begins CLOSED>OPEN",
                        "first ends CLOSED>OPEN",
                        "second CLOSED>OPEN");
        assertThat(story.history())
                .containsExactly("0s CLOSED>OPEN FAILURES", "0s OPEN>CLOSED RESET", "0s CLOSED>OPEN FORCE_OPEN");
    }

    @Test
    void listenerThatAlwaysClosesAgain_overflowsNoStack() {
        AtomicInteger left = new AtomicInteger(10_000);
        CircuitBreaker breaker = story.breaker()
                .failureThreshold(1)
                .listener(onTransition(transition -> {
                    if (left.decrementAndGet() > 0) {
                        if (transition.to() == CircuitState.OPEN) {
                            transition.breaker().reset();
                        } else {
                            transition.breaker().recordFailure();
                        }
                    }
                }))
                .build();

        breaker.recordFailure();

        assertThat(left).hasValue(0);
        assertThat(story.history()).hasSize(10_000);
        assertThat(breaker.stats().timesOpened() + breaker.stats().timesClosed())
                .isEqualTo(10_000);
    }

    @Test
    void transition_isDoneWhenItIsTold() {
        CircuitBreaker breaker = story.breaker()
                .listener(onTransition(transition -> {
                    CircuitBreakerStats stats = transition.breaker().stats();
                    assertThat(transition.breaker().lastTransition()).containsSame(transition);
                    assertThat(stats.lastStateChangeAt()).isEqualTo(transition.at());
                    told.add(line(transition) + " " + stats.state() + " " + stats.timesOpened());
                }))
                .build();

        fail(breaker, 3);
        story.time.advance(WAIT);
        breaker.run(() -> {});

        assertThat(told)
                .containsExactly("CLOSED>OPEN OPEN 1", "OPEN>HALF_OPEN HALF_OPEN 1", "HALF_OPEN>CLOSED CLOSED 1");
    }

    @Test
    void probeIsCalled_afterItsAdmissionWasTold() {
        CircuitBreaker breaker = story.open(story.breaker().listener(onTransition(t -> told.add(line(t)))));
        story.time.advance(WAIT);

        breaker.run(() -> told.add("call"));

        assertThat(told).containsExactly("CLOSED>OPEN", "OPEN>HALF_OPEN", "call", "HALF_OPEN>CLOSED");
    }

    @Test
    void secondThread_leavesItsTransitionToTheOneThatIsDelivering() {
        CompletableFuture<Void> entered = new CompletableFuture<>();
        CompletableFuture<Void> mayReturn = new CompletableFuture<>();
        AtomicInteger inside = new AtomicInteger();
        CircuitBreaker breaker = story.breaker()
                .listener(onTransition(transition -> {
                    assertThat(inside.incrementAndGet()).isEqualTo(1);
                    told.add(line(transition) + " by " + Thread.currentThread().getName());
                    entered.complete(null);
                    mayReturn.join();
                    inside.decrementAndGet();
                }))
                .build();
        CompletableFuture<Void> tripped = new CompletableFuture<>();
        Thread tripping = new Thread(
                () -> {
                    fail(breaker, 3);
                    tripped.complete(null);
                },
                "tripping");
        tripping.start();
        joinSoon(entered);

        breaker.reset();
        breaker.forceOpen();
        assertThat(breaker.state()).as("moved already").isEqualTo(CircuitState.OPEN);
        assertThat(told).as("told later").containsExactly("CLOSED>OPEN by tripping");
        assertThat(tripped).isNotDone();
        mayReturn.complete(null);
        joinSoon(tripped);

        assertThat(told)
                .containsExactly("CLOSED>OPEN by tripping", "OPEN>CLOSED by tripping", "CLOSED>OPEN by tripping");
    }

    @Test
    void callsPass_whileAListenerIsBusy() {
        CompletableFuture<Void> entered = new CompletableFuture<>();
        CompletableFuture<Void> mayReturn = new CompletableFuture<>();
        CircuitBreaker breaker = story.breaker()
                .listener(onTransition(transition -> {
                    entered.complete(null);
                    mayReturn.join();
                }))
                .build();
        CompletableFuture<Void> forcing = CompletableFuture.runAsync(breaker::forceOpen);
        joinSoon(entered);

        assertThat(breaker.tryAcquire()).as("refused at once").isEmpty();
        breaker.reset();
        breaker.run(() -> told.add("called"));
        assertThat(told).containsExactly("called");

        mayReturn.complete(null);
        joinSoon(forcing);
    }

    @Test
    void listener_mayWaitForOtherThreadsThatUseTheBreaker() {
        CircuitBreaker breaker = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onTransition(Transition transition) {
                        letAnotherThreadUse(transition.breaker(), "transition");
                    }

                    @Override
                    public void onResult(
                            CircuitBreaker source, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
                        letAnotherThreadUse(source, "result");
                    }

                    @Override
                    public void onRefused(CircuitBreaker source, Refusal refusal) {
                        letAnotherThreadUse(source, "refusal");
                    }
                })
                .failureThreshold(1)
                .build();

        breaker.recordFailure();
        assertThat(breaker.canExecute()).isFalse();
        story.time.advance(WAIT);
        breaker.acquire().success();

        assertThat(told).containsExactly("transition", "result", "refusal", "transition", "transition", "result");
    }

    private void letAnotherThreadUse(CircuitBreaker breaker, String event) {
        joinSoon(CompletableFuture.runAsync(() -> {
            assertThat(breaker.timeUntilRetry()).isNotNull();
            assertThat(breaker.refusal()).isNotNull();
            assertThat(breaker.stats().toMap()).hasSize(21);
            breaker.mode(Mode.OBSERVE);
            breaker.mode(Mode.ENFORCE);
        }));
        told.add(event);
    }

    @Test
    void newPeriodsWithoutAChangeOfState_areNotTold() {
        CircuitBreaker breaker = story.breaker().build();

        breaker.reset();
        breaker.forceClose();
        breaker.mode(Mode.DISABLED);
        breaker.mode(Mode.ENFORCE);
        breaker.holdOpen();
        breaker.holdOpen();
        breaker.forceOpen();
        breaker.reset();
        breaker.reset();

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN HOLD_OPEN", "0s OPEN>CLOSED RESET");
    }
}
