package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What listeners are told about results and refusals, and that they harm no caller. */
final class ListenerTest {
    private final Story story = new Story();
    private final List<String> told = new ArrayList<>();
    private final List<@Nullable Throwable> failures = new ArrayList<>();

    private final class Results implements CircuitBreakerListener {
        private final boolean wantsDurations;

        Results(boolean wantsDurations) {
            this.wantsDurations = wantsDurations;
        }

        @Override
        public void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
            String duration = durationNanos < 0 ? "" : " " + durationNanos / 1_000_000 + "ms";
            assertThat(durationNanos).isGreaterThanOrEqualTo(-1);
            told.add(breaker.name() + " " + outcome + duration);
            failures.add(failure);
        }

        @Override
        public void onRefused(CircuitBreaker breaker, Refusal refusal) {
            told.add(breaker.name() + " refused: " + refusal.message() + ", retry "
                    + refusal.retryAfter().map(Object::toString).orElse("unknown"));
        }

        @Override
        public boolean wantsDurations() {
            return wantsDurations;
        }
    }

    @Test
    void results_areToldWithTheVeryExceptionObject_whateverTheOutcome() {
        IOException recorded = new IOException("recorded");
        IllegalStateException answer = new IllegalStateException("an answer");
        IllegalArgumentException ignored = new IllegalArgumentException("ignored");
        CircuitBreaker breaker = story.breaker()
                .recordExceptions(IOException.class)
                .ignoreExceptions(IllegalArgumentException.class)
                .failOnResult("overloaded"::equals)
                .listener(new Results(false))
                .build();

        breaker.run(() -> {});
        for (Exception thrown : List.of(recorded, answer, ignored)) {
            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw thrown;
                    })))
                    .isSameAs(thrown);
        }
        String overloaded = breaker.call(() -> "overloaded");
        assertThat(overloaded).isEqualTo("overloaded");

        assertThat(told).containsExactly("llm SUCCESS", "llm FAILURE", "llm SUCCESS", "llm IGNORED", "llm FAILURE");
        assertThat(failures).containsExactly(null, recorded, answer, ignored, null);
    }

    @Test
    void results_areToldWithoutDurations_unlessSomebodyWantsThem() {
        CircuitBreaker breaker = story.breaker().listener(new Results(false)).build();

        breaker.run(() -> story.time.advance("PT1S"));
        breaker.acquire().success();
        breaker.recordSuccess();

        assertThat(told).containsExactly("llm SUCCESS", "llm SUCCESS", "llm SUCCESS");
    }

    @Test
    void durations_runFromTheAdmissionToTheReport() {
        CircuitBreaker breaker = story.breaker()
                .listener(new Results(true))
                .listener(new CircuitBreakerListener() {})
                .build();

        breaker.run(() -> story.time.advance("PT0.1S"));
        Throwable down = catchThrowable(() -> breaker.call(() -> {
            story.time.advance("PT0.2S");
            throw new IOException("down");
        }));
        Permit permit = breaker.acquire();
        story.time.advance("PT0.3S");
        permit.ignore();
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> future = breaker.callAsync(() -> stage);
        story.time.advance("PT0.4S");
        stage.complete("answer");
        CompletableFuture<String> late = breaker.callAsync(CompletableFuture::new);
        story.time.advance("PT0.5S");
        late.completeExceptionally(new TimeoutException());
        breaker.recordSuccess();
        breaker.forceOpen();
        story.time.advance(WAIT);
        breaker.run(() -> story.time.advance("PT0.6S"));

        assertThat(future).isCompletedWithValue("answer");
        assertThat(down).hasMessage("down");
        assertThat(told)
                .containsExactly(
                        "llm SUCCESS 100ms",
                        "llm FAILURE 200ms",
                        "llm IGNORED 300ms",
                        "llm SUCCESS 400ms",
                        "llm FAILURE 500ms",
                        "llm SUCCESS",
                        "llm SUCCESS 600ms");
    }

    @Test
    void oneListenerThatWantsDurations_isEnoughForAll() {
        CircuitBreaker breaker = story.breaker()
                .listener(new Results(false))
                .listener(new Results(true))
                .build();

        breaker.run(() -> story.time.advance("PT1S"));

        assertThat(told).containsExactly("llm SUCCESS 1000ms", "llm SUCCESS 1000ms");
    }

    @Test
    void everyReport_isToldOnce_lateStaleAndRidingOnesToo() {
        CircuitBreaker breaker = story.breaker().listener(new Results(false)).build();
        Permit stale = breaker.acquire();
        trip(breaker);
        told.clear();
        story.time.advance(WAIT);
        Permit hung = breaker.acquire();
        story.time.advance(Story.LEASE);

        breaker.run(() -> {
            breaker.run(() -> told.add("inside"));
            fail(hung);
            fail(hung);
            stale.close();
            stale.close();
        });

        assertThat(told).containsExactly("inside", "llm SUCCESS", "llm FAILURE", "llm IGNORED", "llm SUCCESS");
    }

    @Test
    void refusals_areToldWithTheirReason() {
        CircuitBreaker breaker = story.open(story.breaker().listener(new Results(false)));
        told.clear();

        story.time.advance("PT2.5S");
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(catchThrowable(() -> breaker.run(() -> {}))).isInstanceOf(CallNotPermittedException.class);
        story.time.advance("PT7.5S");
        Permit probe = breaker.acquire();
        assertThat(breaker.canExecute()).isFalse();
        probe.ignore();
        breaker.holdOpen();
        assertThat(breaker.canExecute()).isFalse();

        assertThat(told)
                .containsExactly(
                        "llm refused: open after 3 consecutive failures, next probe in 7.5 s, retry PT7.5S",
                        "llm refused: open after 3 consecutive failures, next probe in 7.5 s, retry PT7.5S",
                        "llm refused: half-open, probes are out to see whether the remote has recovered, retry unknown",
                        "llm IGNORED",
                        "llm refused: held open by an operator, retry unknown");
    }

    /** Throws whatever it is told. */
    private static final class Broken implements CircuitBreakerListener {
        @Override
        public void onTransition(Transition transition) {
            throw new IllegalStateException("planned, on a transition");
        }

        @Override
        public void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
            throw new AssertionError("planned, on a result");
        }

        @Override
        public void onRefused(CircuitBreaker breaker, Refusal refusal) {
            throw new StackOverflowError("planned, on a refusal");
        }
    }

    @Test
    void listenerThatThrows_reachesNoCaller_andTheOthersAreTold() {
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureThreshold(3)
                .recoveryTimeout(WAIT)
                .ticker(story.time)
                .clock(story.time)
                .listener(new Broken())
                .listener(story)
                .listener(new Results(false))
                .build();
        IOException down = new IOException("down");

        String answer = breaker.call(() -> "answer");
        assertThat(answer).isEqualTo("answer");
        for (int i = 0; i < 3; i++) {
            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw down;
                    })))
                    .isSameAs(down);
        }
        assertThat(breaker.canExecute()).isFalse();
        assertThat(catchThrowable(breaker::acquire)).isInstanceOf(CallNotPermittedException.class);
        breaker.recordFailure();
        story.time.advance(WAIT);
        assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(1)))
                .isCompletedWithValue(1);
        breaker.forceOpen();
        breaker.reset();

        assertThat(down.getSuppressed()).isEmpty();
        assertThat(story.history())
                .containsExactly(
                        "0s CLOSED>OPEN FAILURES",
                        "10s OPEN>HALF_OPEN WAIT_OVER",
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED",
                        "10s CLOSED>OPEN FORCE_OPEN",
                        "10s OPEN>CLOSED RESET");
        assertThat(told)
                .filteredOn(line -> !line.contains("refused"))
                .containsExactly(
                        "llm SUCCESS", "llm FAILURE", "llm FAILURE", "llm FAILURE", "llm FAILURE", "llm SUCCESS");
        assertThat(told).filteredOn(line -> line.contains("refused")).hasSize(2);
    }

    @Test
    void listenerWithoutMethods_isFine() {
        CircuitBreaker breaker =
                story.breaker().listener(new CircuitBreakerListener() {}).build();

        fail(breaker, 3);
        assertThat(breaker.canExecute()).isFalse();

        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }

    @Test
    void listenerThatWantsNoResults_hearsOfTransitionsAndRefusalsOnly() {
        CircuitBreaker breaker = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onTransition(Transition transition) {
                        told.add(transition.message());
                    }

                    @Override
                    public void onResult(
                            CircuitBreaker source, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
                        told.add("a result");
                    }

                    @Override
                    public void onRefused(CircuitBreaker source, Refusal refusal) {
                        told.add("refused");
                    }

                    @Override
                    public boolean wantsResults() {
                        return false;
                    }
                })
                .build();

        breaker.run(() -> {});
        trip(breaker);
        assertThat(breaker.tryAcquire()).isEmpty();
        story.time.advance(WAIT);
        breaker.run(() -> {});

        assertThat(told)
                .containsExactly(
                        "open after 3 consecutive failures",
                        "refused",
                        "half-open: the wait is over, the next calls are probes",
                        "closed: the remote has recovered");
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(2);
    }
}
