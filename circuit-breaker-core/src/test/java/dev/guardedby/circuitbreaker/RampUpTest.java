package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** After a recovery a growing share of the calls passes. */
final class RampUpTest {
    private static final Duration LENGTH = Duration.ofSeconds(30);

    private final Story story = new Story();

    private CircuitBreaker.Builder ramping() {
        return story.breaker().rampUp(LENGTH);
    }

    private CircuitBreaker recovered(CircuitBreaker.Builder builder) {
        CircuitBreaker breaker = story.halfOpen(builder);
        breaker.acquire().success();
        return breaker;
    }

    /** Admissions without a step of time, one character each: {@code "x."} is one that passed and one that did not. */
    private static String pattern(CircuitBreaker breaker, int attempts) {
        StringBuilder pattern = new StringBuilder();
        for (int i = 0; i < attempts; i++) {
            Optional<Permit> permit = breaker.tryAcquire();
            permit.ifPresent(Permit::ignore);
            pattern.append(permit.isPresent() ? 'x' : '.');
        }
        return pattern.toString();
    }

    private static long passed(CircuitBreaker breaker, int attempts) {
        return pattern(breaker, attempts).chars().filter(c -> c == 'x').count();
    }

    private static boolean rampsUp(CircuitBreaker breaker) {
        return passed(breaker, 100) < 100;
    }

    @Test
    void share_growsEvenlyFromATenthToAll() {
        CircuitBreaker breaker = recovered(ramping());
        List<Long> shares = new ArrayList<>();
        for (int i = 0; i <= 10; i++) {
            shares.add(passed(breaker, 1_000));
            story.time.advance(LENGTH.dividedBy(10));
        }

        List<Long> wanted = List.of(100L, 190L, 280L, 370L, 460L, 550L, 640L, 730L, 820L, 910L, 1_000L);
        for (int i = 0; i < wanted.size(); i++) {
            assertThat(shares.get(i)).as("after %s tenths", i).isBetween(wanted.get(i) - 2, wanted.get(i) + 2);
        }
        assertThat(breaker.state()).isEqualTo(CircuitState.CLOSED);
        assertThat(story.history()).containsExactly("10s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void pattern_isFixed_spreadEvenly_andTheSameForTwoBreakers() {
        CircuitBreaker one = recovered(ramping());
        Story another = new Story();
        CircuitBreaker other = another.halfOpen(another.breaker().rampUp(LENGTH));
        other.acquire().success();
        for (int i = 0; i < 30; i++) {
            String pattern = pattern(one, 37);
            assertThat(pattern(other, 37)).isEqualTo(pattern);
            if (i == 0) {
                assertThat(pattern).matches("x\\.{8,10}x\\.{8,10}x\\.{8,10}x\\.*");
            }
            story.time.advance("PT1S");
            another.time.advance("PT1S");
        }
    }

    @Test
    void refusal_saysRampUp_andNotWhen() {
        CircuitBreaker breaker = recovered(ramping());
        assertThat(pattern(breaker, 2)).contains(".");

        assertThatExceptionOfType(CallNotPermittedException.class)
                .isThrownBy(() -> {
                    breaker.run(() -> {});
                    breaker.run(() -> {});
                })
                .satisfies(refused -> {
                    assertThat(refused.state()).isEqualTo(CircuitState.CLOSED);
                    assertThat(refused.refusal().reason()).isEqualTo(Reason.RAMP_UP);
                    assertThat(refused.retryAfter()).isEmpty();
                });
        assertThat(breaker.timeUntilRetry()).isEmpty();
    }

    @Test
    void refusal_takesNoPartInThePattern() {
        String unasked = pattern(recovered(ramping()), 100);
        CircuitBreaker asked = recovered(ramping());
        StringBuilder foreseen = new StringBuilder();
        StringBuilder happened = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            boolean refused = asked.refusal().isPresent();
            assertThat(asked.refusal().isPresent()).isEqualTo(refused);
            foreseen.append(refused ? '.' : 'x');
            happened.append(pattern(asked, 1));
        }

        assertThat(foreseen).hasToString(unasked);
        assertThat(happened).hasToString(unasked);
    }

    @Test
    void rejections_areCounted_andAreNoResults() {
        CircuitBreaker breaker = recovered(ramping());
        long passed = passed(breaker, 100);

        assertThat(passed).isBetween(9L, 11L);
        assertThat(breaker.stats().totalRejected()).isEqualTo(100 - passed);
        assertThat(breaker.stats().totalFailures()).isEqualTo(3);
        assertThat(breaker.stats().consecutiveFailures()).isZero();
    }

    @Test
    void noRampUp_withoutARecovery() {
        CircuitBreaker breaker = ramping().build();
        assertThat(rampsUp(breaker)).as("from the start").isFalse();
        breaker.reset();
        assertThat(rampsUp(breaker)).as("reset").isFalse();
        trip(breaker);
        breaker.reset();
        assertThat(rampsUp(breaker)).as("reset while open").isFalse();
        breaker.holdOpen();
        breaker.forceClose();
        assertThat(rampsUp(breaker)).as("held and closed").isFalse();
        trip(breaker);
        story.time.advance(WAIT);
        assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        breaker.forceClose();
        assertThat(rampsUp(breaker)).as("closed while half-open").isFalse();
        breaker.mode(Mode.DISABLED);
        breaker.mode(Mode.ENFORCE);
        assertThat(rampsUp(breaker)).as("enabled").isFalse();
    }

    @Test
    void recoveryThatWasForcedOpenBefore_rampsUp_likeAnyOther() {
        CircuitBreaker breaker = ramping().build();
        breaker.forceOpen();
        story.time.advance(WAIT);
        breaker.acquire().success();

        assertThat(rampsUp(breaker)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"reset", "forceClose", "disable and enable"})
    void operator_endsIt(String action) {
        CircuitBreaker breaker = recovered(ramping());
        assertThat(rampsUp(breaker)).isTrue();
        switch (action) {
            case "reset" -> breaker.reset();
            case "forceClose" -> breaker.forceClose();
            default -> {
                breaker.mode(Mode.DISABLED);
                breaker.mode(Mode.ENFORCE);
            }
        }

        assertThat(rampsUp(breaker)).isFalse();
    }

    @Test
    void afterItsLength_allPass_andNoClockIsRead() {
        CircuitBreaker breaker = recovered(ramping());
        story.time.advance(LENGTH.minusNanos(1));
        assertThat(passed(breaker, 10)).as("all but nothing is refused").isGreaterThanOrEqualTo(9);
        story.time.advance(Duration.ofNanos(1));
        breaker.run(() -> {});
        long before = story.time.tickerReads();
        for (int i = 0; i < 100; i++) {
            breaker.run(() -> {});
            breaker.acquire().success();
        }

        assertThat(story.time.tickerReads()).isEqualTo(before);
    }

    @Test
    void failuresWhileRampingUp_trip_andTheNextRecoveryStartsFromATenth() {
        CircuitBreaker breaker = recovered(ramping());
        story.time.advance("PT29S");
        List<Permit> permits = new ArrayList<>();
        while (permits.size() < 3) {
            breaker.tryAcquire().ifPresent(permits::add);
        }
        permits.forEach(Story::fail);
        story.time.advance(WAIT);
        breaker.acquire().success();

        assertThat(passed(breaker, 100)).isBetween(9L, 11L);
        assertThat(story.history())
                .containsExactly(
                        "10s HALF_OPEN>CLOSED PROBES_SUCCEEDED",
                        "39s CLOSED>OPEN FAILURES",
                        "49s OPEN>HALF_OPEN WAIT_OVER",
                        "49s HALF_OPEN>CLOSED PROBES_SUCCEEDED");
    }

    @Test
    void failureAndSuccess_keepTheRampUp() {
        CircuitBreaker breaker = recovered(ramping());
        breaker.acquire().success();
        breaker.recordFailure();
        breaker.recordSuccess();

        assertThat(passed(breaker, 100)).isBetween(9L, 11L);
    }

    @Test
    void observer_refusesNothing_butCountsWhatItWould() {
        CircuitBreaker breaker = recovered(ramping().mode(Mode.OBSERVE));
        for (int i = 0; i < 100; i++) {
            assertThat(breaker.refusal()).isEmpty();
            breaker.run(() -> {});
        }

        assertThat(breaker.stats().wouldReject()).isBetween(89L, 91L);
        assertThat(breaker.stats().totalRejected()).isZero();
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(101);
        fail(breaker, 1);
        assertThat(counts(breaker)).contains("totalFailures=4");
    }

    @Test
    void tickerThatStepsBack_startsFromATenthAtTheLeast() {
        CircuitBreaker breaker = recovered(ramping());
        story.time.advance("PT-1S");

        assertThat(passed(breaker, 100)).isBetween(9L, 11L);
    }
}
