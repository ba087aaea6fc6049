package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How long OPEN lasts: growth, cap and jitter. */
final class WaitTest {
    private static final Duration TEN_YEARS = Duration.ofDays(3_653);

    private final Story story = new Story();

    /** 10 s, 20 s, 40 s and so on, without jitter. */
    private CircuitBreaker.Builder growing() {
        return story.breaker().recoveryBackoffMultiplier(2).recoveryJitter(0);
    }

    private static Duration waitOf(CircuitBreaker breaker) {
        return breaker.timeUntilRetry().orElseThrow();
    }

    /** Waits, probes and fails; the wait that follows. */
    private Duration failRecovery(CircuitBreaker breaker) {
        story.time.advance(waitOf(breaker));
        fail(breaker, 1);
        return waitOf(breaker);
    }

    private void recover(CircuitBreaker breaker) {
        story.time.advance(waitOf(breaker));
        breaker.acquire().success();
    }

    @Test
    void wait_growsWithEachFailedRecovery_upToTenTimesTheFirst() {
        CircuitBreaker breaker = story.open(growing());
        List<Duration> waits = new ArrayList<>(List.of(waitOf(breaker)));
        for (int i = 0; i < 5; i++) {
            waits.add(failRecovery(breaker));
        }

        assertThat(waits).extracting(Duration::toSeconds).containsExactly(10L, 20L, 40L, 80L, 100L, 100L);
    }

    @Test
    void wait_growsUpToTheCap() {
        CircuitBreaker breaker =
                story.open(growing().recoveryBackoffMultiplier(1.5).maxRecoveryTimeout(Duration.ofSeconds(20)));

        assertThat(List.of(waitOf(breaker), failRecovery(breaker), failRecovery(breaker), failRecovery(breaker)))
                .containsExactly(
                        Duration.ofSeconds(10), Duration.ofSeconds(15), Duration.ofSeconds(20), Duration.ofSeconds(20));
    }

    @Test
    void wait_growsNotAtAll_byDefault() {
        CircuitBreaker breaker = story.open(story.breaker());

        assertThat(List.of(waitOf(breaker), failRecovery(breaker), failRecovery(breaker)))
                .containsOnly(Story.WAIT);
    }

    @Test
    void recovery_endsTheGrowth() {
        CircuitBreaker breaker = story.open(growing());
        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(20));
        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(40));
        recover(breaker);
        trip(breaker);

        assertThat(waitOf(breaker)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void resetAndForceClose_endTheGrowth() {
        CircuitBreaker breaker = story.open(growing());
        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(20));
        breaker.reset();
        trip(breaker);
        assertThat(waitOf(breaker)).isEqualTo(Duration.ofSeconds(10));
        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(20));
        breaker.forceClose();
        breaker.forceOpen();

        assertThat(waitOf(breaker)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void operatorsForceOpenWhileProbing_isNoFailedRecovery_andNoRecoveryEither() {
        CircuitBreaker breaker = story.open(growing());
        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(20));
        story.time.advance(waitOf(breaker));
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        breaker.forceOpen();
        assertThat(waitOf(breaker)).isEqualTo(Duration.ofSeconds(20));

        assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(40));
    }

    @Test
    void recoveryThatFailsForLackOfResults_counts() {
        CircuitBreaker breaker = story.open(growing().probes(9).successesToClose(5));
        story.time.advance("PT10S");
        fail(breaker, 1);
        story.time.advance(Story.LEASE);

        assertThat(waitOf(breaker)).isEqualTo(Duration.ofSeconds(20));
    }

    @Test
    void jitter_takesOffAShare_drawnOnceForEachWait() {
        Set<Duration> seen = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            CircuitBreaker breaker = story.open(story.breaker().recoveryJitter(0.5));
            Duration wait = waitOf(breaker);
            assertThat(wait).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
            seen.add(wait);

            story.time.advance("PT1S");
            assertThat(waitOf(breaker)).isEqualTo(wait.minusSeconds(1));
            assertThat(breaker.refusal().orElseThrow().retryAfter()).contains(wait.minusSeconds(1));
            story.time.advance(wait.minusSeconds(1).minusNanos(1));
            assertThat(breaker.tryAcquire()).isEmpty();
            story.time.advance(Duration.ofNanos(1));
            assertThat(breaker.tryAcquire()).isPresent();
        }
        assertThat(seen).hasSizeGreaterThan(150);
        assertThat(seen).anyMatch(wait -> wait.toMillis() < 6_000).anyMatch(wait -> wait.toMillis() > 9_000);
    }

    @Test
    void growingWaits_haveAFifthOfJitter_byDefault() {
        Set<Duration> first = new HashSet<>();
        Set<Duration> second = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            CircuitBreaker breaker = story.open(story.breaker().recoveryBackoffMultiplier(2));
            first.add(waitOf(breaker));
            second.add(failRecovery(breaker));
        }

        assertThat(first)
                .hasSizeGreaterThan(150)
                .allSatisfy(wait -> assertThat(wait).isBetween(Duration.ofSeconds(8), Duration.ofSeconds(10)));
        assertThat(second)
                .hasSizeGreaterThan(150)
                .allSatisfy(wait -> assertThat(wait).isBetween(Duration.ofSeconds(16), Duration.ofSeconds(20)));
    }

    @Test
    void jitter_isTakenOffAfterTheCap() {
        Set<Duration> seen = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            CircuitBreaker breaker = story.open(story.breaker()
                    .recoveryBackoffMultiplier(100)
                    .maxRecoveryTimeout(Duration.ofSeconds(100))
                    .recoveryJitter(0.5));
            seen.add(failRecovery(breaker));
        }

        assertThat(seen)
                .hasSizeGreaterThan(25)
                .allSatisfy(wait -> assertThat(wait).isBetween(Duration.ofSeconds(50), Duration.ofSeconds(100)));
    }

    @Test
    void absurdGrowth_neverOverflows() {
        CircuitBreaker breaker = story.open(growing().recoveryBackoffMultiplier(1e300));
        for (int i = 0; i < 5; i++) {
            assertThat(failRecovery(breaker)).isEqualTo(Duration.ofSeconds(100));
        }

        CircuitBreaker longest =
                story.open(growing().recoveryBackoffMultiplier(1e300).recoveryTimeout(TEN_YEARS));
        for (int i = 0; i < 5; i++) {
            assertThat(failRecovery(longest)).isEqualTo(TEN_YEARS);
        }
    }

    @Test
    void smallestWait_withJitter_isStillPositive() {
        for (int i = 0; i < 50; i++) {
            CircuitBreaker breaker = story.open(
                    story.breaker().recoveryTimeout(Duration.ofNanos(1)).recoveryJitter(0.99));
            assertThat(waitOf(breaker)).isEqualTo(Duration.ofNanos(1));
        }
    }

    @Test
    void heldOpen_hasNoWaitToGrow() {
        CircuitBreaker breaker = story.open(growing());
        breaker.holdOpen();
        story.time.advance(TEN_YEARS);

        assertThat(breaker.timeUntilRetry()).isEmpty();
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);
    }
}
