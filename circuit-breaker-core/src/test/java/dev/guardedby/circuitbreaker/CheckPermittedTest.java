package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.counts;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who asks before a call is made is refused as the call would be, and takes nothing otherwise. */
final class CheckPermittedTest {
    private final Story story = new Story();

    /** Why it refuses, or null if it lets pass. */
    private static Reason check(CircuitBreaker breaker) {
        try {
            breaker.checkPermitted();
            return null;
        } catch (CallNotPermittedException refused) {
            return refused.refusal().reason();
        }
    }

    @Test
    void closed_letsPass_andCountsNothing() {
        CircuitBreaker breaker = story.breaker().build();

        assertThat(check(breaker)).isNull();

        assertThat(counts(breaker)).isEmpty();
        assertThat(story.history()).isEmpty();
    }

    @Test
    void open_refuses_countsAndTellsTheRefusal() {
        List<String> told = new ArrayList<>();
        CircuitBreaker breaker = story.open(story.breaker().listener(new CircuitBreakerListener() {
            @Override
            public void onRefused(CircuitBreaker refusing, Refusal refusal) {
                told.add(refusing.name() + " " + refusal.message());
            }
        }));
        story.time.advance("PT4S");

        assertThat(check(breaker)).isEqualTo(Reason.OPEN);

        assertThat(told).containsExactly("llm open after 3 consecutive failures, next probe in 6.0 s");
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
        assertThat(story.history()).isEmpty();
    }

    @Test
    void openWhoseWaitIsOver_isNoRefusal_andLeavesTheProbeToTheCall() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance(WAIT);

        assertThat(List.of(check(breaker) == null, check(breaker) == null)).containsExactly(true, true);

        assertThat(story.history()).isEmpty();
        assertThat(breaker.acquire().isProbe()).isTrue();
        assertThat(story.history()).containsExactly("10s OPEN>HALF_OPEN WAIT_OVER");
    }

    @Test
    void halfOpen_refusesWhileTheProbesAreOut_andTakesNoneOver() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        Permit probe = breaker.acquire();
        assertThat(check(breaker)).isEqualTo(Reason.PROBING);

        story.time.advance(LEASE);
        assertThat(check(breaker)).isNull();

        fail(probe);
        assertThat(story.history()).containsExactly("70s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(breaker.stats().late()).isZero();
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
    }

    @Test
    void insideAProbe_letsPass_asTheCallWouldRideOnIt() {
        CircuitBreaker breaker = story.halfOpen(story.breaker());
        List<Boolean> passed = new ArrayList<>();

        breaker.run(() -> passed.add(check(breaker) == null));

        assertThat(passed).containsExactly(true);
        assertThat(breaker.stats().totalRejected()).isZero();
    }

    @Test
    void halfOpenWithoutTraffic_opensAtTheRefusal() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(2));
        fail(breaker, 1);
        story.time.advance(LEASE);

        assertThat(check(breaker)).isEqualTo(Reason.OPEN);

        assertThat(story.history()).containsExactly("70s HALF_OPEN>OPEN PROBES_FAILED");
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
    }

    @Test
    void hungCalls_openAtTheRefusal() {
        CircuitBreaker breaker = story.breaker()
                .slowCallDuration(Duration.ofSeconds(2))
                .slowCallRateThreshold(50)
                .minimumCalls(2)
                .build();
        List<Permit> hung = List.of(breaker.acquire(), breaker.acquire());
        story.time.advance("PT3S");

        assertThat(check(breaker)).isEqualTo(Reason.OPEN);

        assertThat(story.history()).containsExactly("3s CLOSED>OPEN SLOW_CALL_RATE");
        assertThat(breaker.stats().totalRejected()).isEqualTo(1);
        hung.forEach(Permit::ignore);
    }

    /** A call that asked first is one attempt, whether it is refused here or there: one in ten passes. */
    @Test
    void rampUp_goesOn_whenEveryCallerAsksFirst() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().rampUp(Duration.ofHours(1)));
        breaker.acquire().success();

        StringBuilder pattern = new StringBuilder();
        for (int i = 0; i < 30; i++) {
            boolean passes = check(breaker) == null && breaker.tryAcquire().isPresent();
            pattern.append(passes ? 'x' : '.');
        }

        assertThat(pattern).hasToString("x.........x.........x.........");
        assertThat(breaker.stats().totalRejected()).isEqualTo(27);
    }

    @ParameterizedTest
    @EnumSource(names = {"OBSERVE", "DISABLED"})
    void dryRun_refusesNothing_andLeavesTheCountToTheCall(Mode mode) {
        CircuitBreaker breaker = story.breaker().build();
        breaker.mode(mode);
        breaker.holdOpen();

        assertThat(check(breaker)).isNull();

        assertThat(breaker.stats().wouldReject()).isZero();
        assertThat(breaker.stats().totalRejected()).isZero();
    }
}
