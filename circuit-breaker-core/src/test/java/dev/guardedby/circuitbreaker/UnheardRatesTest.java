package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Rates where nobody listens, so that a success may be left to the count: what it must not be left to. */
final class UnheardRatesTest {
    private static final Duration SLOW = Duration.ofSeconds(2);
    private static final Duration LENGTH = Duration.ofSeconds(1);
    /** Of a time window: it forgets a slice at a time. */
    private static final Duration SLICE = LENGTH.dividedBy(50);

    private final FakeTime time = new FakeTime();

    private CircuitBreaker.Builder unheard() {
        return CircuitBreaker.builder("llm").ticker(time).clock(time);
    }

    private CircuitBreaker slowRule() {
        return unheard()
                .slowCallDuration(SLOW)
                .slowCallRateThreshold(50)
                .window(4)
                .build();
    }

    private CircuitBreaker timeWindow(int minimumCalls) {
        return unheard()
                .failureRateThreshold(50)
                .window(LENGTH)
                .minimumCalls(minimumCalls)
                .build();
    }

    private static void succeed(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            breaker.run(() -> {});
        }
    }

    private static void fail(CircuitBreaker breaker, int times) {
        for (int i = 0; i < times; i++) {
            assertThat(catchThrowable(() -> breaker.run(() -> {
                        throw new IOException("down");
                    })))
                    .hasMessage("down");
        }
    }

    private static String why(CircuitBreaker breaker) {
        Optional<Transition> last = breaker.lastTransition();
        return last.map(Transition::cause).orElse(null) + " "
                + last.map(Transition::evidence).orElse(null);
    }

    @Test
    void slowSuccesses_tripThoughTheWindowWantsNoQuickOnes() {
        CircuitBreaker breaker = slowRule();
        succeed(breaker, 10);
        breaker.run(() -> time.advance(SLOW.minusNanos(1)));
        breaker.run(() -> time.advance(SLOW.minusNanos(1)));
        breaker.run(() -> time.advance(SLOW));
        assertThat(breaker.state()).as("1 of 4 was slow").isEqualTo(CircuitState.CLOSED);
        breaker.run(() -> time.advance(SLOW));

        assertThat(why(breaker))
                .isEqualTo(Cause.SLOW_CALL_RATE + " "
                        + new Evidence("slow-call-rate-threshold 50.0", 4, 0, 2, 0, Map.of()));
    }

    @Test
    void quickSuccesses_areUnderWayNoMore() {
        CircuitBreaker breaker = slowRule();
        succeed(breaker, 10);
        time.advance(SLOW.multipliedBy(2));
        succeed(breaker, 1);

        assertThat(breaker.state()).as("nothing hangs").isEqualTo(CircuitState.CLOSED);
        assertThat(Story.counts(breaker)).isEqualTo("totalSuccesses=11");
    }

    @Test
    void firstSuccessOfASlice_tripsIfWhatWasForgottenHeldTheRateDown() {
        CircuitBreaker breaker = timeWindow(4);
        succeed(breaker, 10);
        time.advance(LENGTH.dividedBy(2));
        fail(breaker, 4);
        succeed(breaker, 1);
        assertThat(breaker.state()).as("4 of 15").isEqualTo(CircuitState.CLOSED);
        time.advance(LENGTH.dividedBy(2));
        succeed(breaker, 1);
        assertThat(breaker.state()).as("4 of 16, the first slice is not over").isEqualTo(CircuitState.CLOSED);
        time.advance(SLICE);
        succeed(breaker, 1);

        assertThat(why(breaker))
                .isEqualTo(Cause.FAILURE_RATE + " "
                        + new Evidence("failure-rate-threshold 50.0", 7, 4, 0, 0, Map.of("java.io.IOException", 4L)));
    }

    @Test
    void timeWindow_forgetsALengthAndASliceLater_toTheNanosecond() {
        CircuitBreaker remembers = timeWindow(2);
        CircuitBreaker forgets = timeWindow(2);
        fail(remembers, 1);
        fail(forgets, 1);
        time.advance(LENGTH.plus(SLICE).minusNanos(1));
        succeed(remembers, 1);
        time.advance(Duration.ofNanos(1));
        succeed(forgets, 2);

        assertThat(remembers.state()).as("1 of 2").isEqualTo(CircuitState.OPEN);
        assertThat(forgets.state()).as("0 of 2").isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void hungCalls_areJudgedBesideWhatTheTimeWindowStillRemembers() {
        CircuitBreaker breaker = unheard()
                .slowCallDuration(SLOW)
                .slowCallRateThreshold(100)
                .window(LENGTH)
                .minimumCalls(2)
                .build();
        Permit first = breaker.acquire();
        Permit second = breaker.acquire();
        succeed(breaker, 1);
        time.advance(SLOW.multipliedBy(2));
        assertThat(breaker.tryAcquire()).isEmpty();

        assertThat(why(breaker))
                .as("the success is forgotten")
                .isEqualTo(Cause.SLOW_CALL_RATE + " "
                        + new Evidence("slow-call-rate-threshold 100.0", 0, 0, 0, 2, Map.of()));
        first.success();
        second.success();
        assertThat(breaker.stats().stale()).isEqualTo(2);
    }

    @Test
    void hungCalls_areStillCounted_whenMoreHang() {
        CircuitBreaker breaker = slowRule();
        breaker.acquire();
        breaker.acquire();
        time.advance(SLOW.multipliedBy(2));
        breaker.acquire();
        breaker.acquire();
        assertThat(breaker.state()).as("2 of 4 that a rate needs").isEqualTo(CircuitState.CLOSED);
        time.advance(SLOW.multipliedBy(2));
        assertThat(breaker.tryAcquire()).isEmpty();

        assertThat(why(breaker))
                .isEqualTo(Cause.SLOW_CALL_RATE + " "
                        + new Evidence("slow-call-rate-threshold 50.0", 0, 0, 0, 4, Map.of()));
    }

    @Test
    void successAfterALowerThreshold_isNotLeftToTheCount() {
        CircuitBreaker breaker =
                unheard().failureRateThreshold(80).window(10).minimumCalls(10).build();
        succeed(breaker, 5);
        fail(breaker, 5);
        succeed(breaker, 1);
        breaker.reconfigure(settings -> settings.failureRateThreshold(50));
        succeed(breaker, 1);

        assertThat(why(breaker))
                .isEqualTo(Cause.FAILURE_RATE + " "
                        + new Evidence("failure-rate-threshold 50.0", 10, 5, 0, 0, Map.of("java.io.IOException", 5L)));
    }

    @Test
    void sameLengthOfATimeWindow_keepsWhatIsInIt_anotherForgets() {
        CircuitBreaker keeps = timeWindow(2);
        CircuitBreaker forgets = timeWindow(2);
        fail(keeps, 1);
        fail(forgets, 1);
        keeps.reconfigure(settings -> settings.window(LENGTH));
        forgets.reconfigure(settings -> settings.window(LENGTH.plusNanos(1)));
        fail(keeps, 1);
        fail(forgets, 1);

        assertThat(keeps.state()).as("2 of 2").isEqualTo(CircuitState.OPEN);
        assertThat(forgets.state()).as("1 of 1 is too few").isEqualTo(CircuitState.CLOSED);
    }

    @Test
    void staleFailure_takesNoSuccessOutOfTheWindow() {
        CircuitBreaker breaker = unheard().failureRateThreshold(50).window(4).build();
        Permit stale = breaker.acquire();
        breaker.reset();
        succeed(breaker, 2);
        Story.fail(stale);
        fail(breaker, 2);

        assertThat(why(breaker))
                .isEqualTo(Cause.FAILURE_RATE + " "
                        + new Evidence("failure-rate-threshold 50.0", 4, 2, 0, 0, Map.of("java.io.IOException", 2L)));
    }

    @Test
    void breakerWithoutRates_needsNoWindow() {
        assertThat(new Settings().hasRateRule()).isFalse();
    }
}
