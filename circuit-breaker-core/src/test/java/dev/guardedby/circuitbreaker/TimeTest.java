package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Durations come from the ticker, by difference; the wall clock is for people; little else is read. */
final class TimeTest {
    private static final Duration BACK = Duration.ofSeconds(-1);

    @ParameterizedTest
    @ValueSource(
            longs = {0, -1, 1, -5_000_000_000L, Long.MAX_VALUE, Long.MAX_VALUE - 1, Long.MIN_VALUE, Long.MIN_VALUE + 1})
    void anyOriginOfTheTicker_givesTheSameStory(long origin) {
        Story story = new Story(new FakeTime(origin));
        CircuitBreaker breaker = story.breaker().probes(2).build();

        story.time.advance("PT1S");
        trip(breaker);
        story.time.advance("PT9.999999999S");
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofNanos(1));
        story.time.advance("PT0.000000001S");
        Permit hung = breaker.acquire();
        Permit good = breaker.acquire();
        good.success();
        story.time.advance("PT59.999999999S");
        assertThat(breaker.tryAcquire()).as("the lease runs").isEmpty();
        story.time.advance("PT0.000000001S");
        Permit second = breaker.acquire();
        fail(hung);
        second.ignore();
        assertThat(breaker.state()).as("on what there is").isEqualTo(CircuitState.CLOSED);

        assertThat(story.history())
                .containsExactly(
                        "1s CLOSED>OPEN FAILURES",
                        "11s OPEN>HALF_OPEN WAIT_OVER",
                        "71s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
        assertThat(breaker.stats().toMap())
                .containsEntry("timeClosed", "PT1S")
                .containsEntry("timeOpen", "PT10S")
                .containsEntry("timeHalfOpen", "PT1M")
                .containsEntry("late", 1L);
    }

    @Test
    void tickerThatStepsBack_whileOpen_opensNoEarlierAndAtTheSameDeadline() {
        Story story = new Story();
        CircuitBreaker breaker = story.open(story.breaker());

        story.time.advance(BACK);
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry().orElseThrow()).isPositive();
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.stats().timeOpen()).isZero();

        story.time.advance(Duration.ofSeconds(11));
        assertThat(breaker.tryAcquire()).isPresent();
    }

    @Test
    void tickerThatStepsBack_whileProbing_keepsTheLease() {
        Story story = new Story();
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit probe = breaker.acquire();

        story.time.advance(BACK);
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.stats().timeHalfOpen()).isZero();

        story.time.advance(LEASE);
        assertThat(breaker.tryAcquire()).isEmpty();
        probe.success();
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void tickerThatStepsBack_duringACall_givesNoNegativeDuration() {
        Story story = new Story();
        List<Long> durations = new ArrayList<>();
        CircuitBreaker breaker = story.breaker()
                .listener(new CircuitBreakerListener() {
                    @Override
                    public void onResult(
                            CircuitBreaker source, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
                        durations.add(durationNanos);
                    }

                    @Override
                    public boolean wantsDurations() {
                        return true;
                    }
                })
                .build();

        breaker.run(() -> story.time.advance(BACK));
        breaker.run(() -> story.time.advance("PT0.25S"));

        assertThat(durations).containsExactly(0L, 250_000_000L);
    }

    @Test
    void closedPath_readsNoClock() {
        FakeTime ticker = new FakeTime();
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .ticker(ticker)
                .clock(() -> {
                    throw new AssertionError("the wall clock was read");
                })
                .listener(new CircuitBreakerListener() {})
                .build();
        long readsByTheBuild = ticker.tickerReads();

        for (int i = 0; i < 100; i++) {
            breaker.run(() -> {});
            int one = breaker.call(() -> 1);
            int two = breaker.call(Cost.ZERO, permit -> 2);
            assertThat(one + two).isEqualTo(3);
            assertThat(breaker.callAsync(() -> CompletableFuture.completedFuture(3)))
                    .isCompletedWithValue(3);
            breaker.acquire().success();
            breaker.acquire().ignore();
            assertThat(breaker.canExecute()).isTrue();
            breaker.recordSuccess();
            breaker.recordCost(Cost.usd("0.01"));
            assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
            assertThat(breaker.refusal()).isEmpty();
        }

        assertThat(ticker.tickerReads()).isEqualTo(readsByTheBuild);
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(600);
    }

    @Test
    void failureOnTheClosedPath_readsTheTickerOnlyToTrip() {
        Story story = new Story();
        CircuitBreaker breaker = story.breaker().build();
        long readsByTheBuild = story.time.tickerReads();

        fail(breaker, 2);
        assertThat(story.time.tickerReads()).isEqualTo(readsByTheBuild);
        fail(breaker, 1);
        assertThat(story.time.tickerReads()).isEqualTo(readsByTheBuild + 1);
    }

    @Test
    void refusedCall_readsTheTickerOnce() {
        Story story = new Story();
        CircuitBreaker breaker = story.open(story.breaker());
        long before = story.time.tickerReads();

        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(story.time.tickerReads()).isEqualTo(before + 1);
        assertThat(breaker.canExecute()).isFalse();
        assertThat(story.time.tickerReads()).isEqualTo(before + 2);
        assertThatThrownBy(() -> breaker.run(() -> {})).isInstanceOf(CallNotPermittedException.class);
        assertThat(story.time.tickerReads()).isEqualTo(before + 3);
    }

    @Test
    void wallClockThatJumps_movesNothing() {
        Story story = new Story();
        AtomicReference<Instant> wall = new AtomicReference<>(Instant.parse("2026-03-29T00:59:59Z"));
        InstantSource clock = wall::get;
        CircuitBreaker breaker = story.open(story.breaker().clock(clock));

        wall.set(Instant.parse("2036-01-01T00:00:00Z"));
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
        assertThat(breaker.timeUntilRetry()).contains(WAIT);

        wall.set(Instant.parse("1970-01-01T00:00:00Z"));
        story.time.advance(WAIT);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        assertThat(breaker.stats().toMap())
                .containsEntry("lastFailureAt", "2026-03-29T00:59:59Z")
                .containsEntry("lastStateChangeAt", "1970-01-01T00:00:00Z");
    }

    @Test
    void longestWait_isWaitedToTheEnd() {
        Story story = new Story();
        Duration tenYears = Duration.ofDays(3_653);
        CircuitBreaker breaker = story.open(story.breaker().recoveryTimeout(tenYears));

        story.time.advance(tenYears.minusNanos(1));
        assertThat(breaker.tryAcquire()).isEmpty();
        assertThat(breaker.timeUntilRetry()).contains(Duration.ofNanos(1));
        story.time.advance(Duration.ofNanos(1));

        assertThat(breaker.tryAcquire()).isPresent();
        assertThat(counts(breaker))
                .isEqualTo("totalFailures=3 timesOpened=1 timesHalfOpened=1 consecutiveFailures=3 totalRejected=1");
    }

    @Test
    void breakerLeftAloneForAHundredYears_probesAtTheNextCall() {
        Story story = new Story();
        CircuitBreaker breaker = story.open(story.breaker());

        story.time.advance(Duration.ofDays(36_525));
        breaker.run(() -> {});

        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
    }
}
