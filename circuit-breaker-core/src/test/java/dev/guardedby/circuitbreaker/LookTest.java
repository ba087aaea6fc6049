package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What moves an OPEN whose wait is over, and what only shows it. */
final class LookTest {
    private final Story story = new Story();

    private CircuitBreaker due() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance(WAIT);
        return breaker;
    }

    static Stream<Named<Consumer<CircuitBreaker>>> looks() {
        return Stream.of(
                Named.of("state", CircuitBreaker::state),
                Named.of("timeUntilRetry", CircuitBreaker::timeUntilRetry),
                Named.of("canExecute", CircuitBreaker::canExecute),
                Named.of("acquire", CircuitBreaker::acquire),
                Named.of("acquire with a hold", breaker -> breaker.acquire(Cost.usd("0.1"))),
                Named.of("tryAcquire", CircuitBreaker::tryAcquire),
                Named.of("tryAcquire with a hold", breaker -> breaker.tryAcquire(Cost.usd("0.1"))),
                Named.of("acquireAsync", breaker -> breaker.acquireAsync(Cost.ZERO)));
    }

    @ParameterizedTest
    @MethodSource("looks")
    void look_movesADueOpenToHalfOpen(Consumer<CircuitBreaker> look) {
        CircuitBreaker breaker = due();

        look.accept(breaker);

        assertThat(breaker.stats().state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(story.history()).containsExactly("10s OPEN>HALF_OPEN WAIT_OVER");
    }

    static Stream<Named<Consumer<CircuitBreaker>>> calls() {
        return Stream.of(
                Named.of("call", breaker -> breaker.call(() -> "answer")),
                Named.of("call with a permit", breaker -> breaker.call(Cost.ZERO, permit -> permit.isProbe())),
                Named.of("run", breaker -> breaker.run(() -> {})),
                Named.of(
                        "callAsync",
                        breaker -> breaker.callAsync(() -> CompletableFuture.completedFuture("answer"))
                                .join()),
                Named.of(
                        "callAsync with a permit",
                        breaker -> breaker.callAsync(
                                        Cost.ZERO, permit -> CompletableFuture.completedFuture(permit.isProbe()))
                                .join()));
    }

    @ParameterizedTest
    @MethodSource("calls")
    void guardedCall_probesADueOpen(Consumer<CircuitBreaker> call) {
        CircuitBreaker breaker = due();

        call.accept(breaker);

        assertThat(story.history())
                .containsExactly("10s OPEN>HALF_OPEN WAIT_OVER", "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(counts(breaker))
                .isEqualTo("totalSuccesses=1 totalFailures=3 timesOpened=1 timesHalfOpened=1 timesClosed=1");
    }

    static Stream<Named<Function<CircuitBreaker, Object>>> monitoring() {
        return Stream.of(
                Named.of("stats", breaker -> breaker.stats().toMap()),
                Named.of("refusal", CircuitBreaker::refusal),
                Named.of("toString", CircuitBreaker::toString),
                Named.of("lastTransition", CircuitBreaker::lastTransition),
                Named.of("mode", CircuitBreaker::mode),
                Named.of("failureThreshold", CircuitBreaker::failureThreshold),
                Named.of("recoveryTimeout", CircuitBreaker::recoveryTimeout),
                Named.of("outcomeOf", breaker -> breaker.outcomeOf(new IOException())),
                Named.of("outcomeOfStage", breaker -> breaker.outcomeOfStage(new IOException())),
                Named.of("checkCostThreshold", breaker -> breaker.checkCostThreshold(BigDecimal.ONE)));
    }

    @ParameterizedTest
    @MethodSource("monitoring")
    void monitoring_movesNothing(Function<CircuitBreaker, Object> monitor) {
        CircuitBreaker breaker = due();
        String before = counts(breaker);

        assertThat(monitor.apply(breaker)).isNotNull();
        story.time.advance("PT1H");
        assertThat(monitor.apply(breaker)).isNotNull();

        assertThat(breaker.stats().state()).isEqualTo(CircuitState.OPEN);
        assertThat(counts(breaker)).isEqualTo(before);
        assertThat(story.history()).isEmpty();
    }

    @Test
    void dueOpen_isShownOpen_andWouldRefuseNothing() {
        CircuitBreaker breaker = due();

        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=open, failures=3/3]");
        assertThat(breaker.stats().toMap()).containsEntry("state", "OPEN").containsEntry("timeOpen", "PT10S");
        assertThat(breaker.refusal()).isEmpty();
        assertThat(breaker.lastTransition().orElseThrow().to()).isEqualTo(CircuitState.OPEN);
    }

    @Test
    void resultsWithoutAPermit_areNoLooks() {
        CircuitBreaker breaker = due();

        breaker.recordFailure();
        breaker.recordSuccess();

        assertThat(story.history()).isEmpty();
        assertThat(counts(breaker)).isEqualTo("totalSuccesses=1 totalFailures=4 timesOpened=1");
    }

    @Test
    void refusalOfAnOpenOne_saysWhyAndUntilWhen() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance("PT2.5S");

        assertThat(breaker.refusal())
                .contains(new Refusal(
                        Reason.OPEN,
                        "open after 3 consecutive failures, next probe in 7.5 s",
                        Optional.of(WAIT.minusMillis(2_500))));
        assertThat(breaker.stats().totalRejected()).isZero();
    }

    @Test
    void askingForTheRefusal_takesNoProbe() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        for (int i = 0; i < 5; i++) {
            assertThat(breaker.refusal()).isEmpty();
        }

        Permit probe = breaker.acquire();
        assertThat(breaker.refusal())
                .contains(new Refusal(
                        Reason.PROBING,
                        "half-open, probes are out to see whether the remote has recovered",
                        Optional.empty()));

        story.time.advance(LEASE);
        assertThat(breaker.refusal()).as("the slot may be taken over").isEmpty();
        probe.success();
        assertThat(breaker.refusal()).isEmpty();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void refusal_foreseesTheDecisionThatTheNextLookMakes() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(4).successesToClose(3));
        fail(breaker, 1);
        story.time.advance(LEASE);

        assertThat(breaker.refusal().orElseThrow().reason()).isEqualTo(Reason.OPEN);
        assertThat(breaker.stats().state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(story.history()).isEmpty();

        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(story.history()).containsExactly("70s HALF_OPEN>OPEN PROBES_FAILED");
    }

    @Test
    void lastTransition_isTheLatestOne_whileTheStateStays() {
        CircuitBreaker breaker = story.breaker().build();
        assertThat(breaker.lastTransition()).isEmpty();

        Story.trip(breaker);
        Transition opened = breaker.lastTransition().orElseThrow();
        story.time.advance("PT1S");
        breaker.holdOpen();
        assertThat(breaker.lastTransition()).containsSame(opened);

        breaker.reset();
        breaker.reset();
        assertThat(breaker.lastTransition().orElseThrow())
                .extracting(Transition::from, Transition::to, Transition::cause, Transition::at)
                .containsExactly(
                        CircuitState.OPEN, CircuitState.CLOSED, Transition.Cause.RESET, FakeTime.START.plusSeconds(1));
    }
}
