package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The timelines that MicroProfile Fault Tolerance publishes, in its specification and under these names in its compatibility
 * kit: {@code requestVolumeThreshold} is a count window that decides when it is full, {@code failureRatio} its rate, and
 * {@code successThreshold} both probes and successes to close.
 */
final class MicroProfileTimelinesTest {
    /** F a call that fails, S one that succeeds, R one that is refused, W the delay passes. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "testCircuitClosedThenOpen,              4, 0.75, 2, FFFFRRR,        OPEN",
        "testCircuitReClose,                     4, 0.75, 2, FFFFWSSS,       CLOSED",
        "testCircuitDefaultSuccessThreshold,     4, 0.75, 1, FFFFRWSFFFFR,   OPEN",
        "testCircuitHighSuccessThreshold,        4, 0.75, 3, FFFFRWSSFR,     OPEN",
        "testClassLevelCircuitOverride,          2, 1.0,  2, FFRRRRR,        OPEN",
        "testRollingWindowCircuitOpen,           4, 0.5,  2, SFFSR,          OPEN",
        "testRollingWindowCircuitOpen2,          4, 0.5,  2, SFSSFR,         OPEN",
        "aSuccessCompletesTheWindowAndTrips,     4, 0.75, 2, FFFSR,          OPEN",
        "threeFailuresAreTooFewResults,          4, 0.75, 2, FFF,            CLOSED",
        "theWindowRollsAndDoesNotTumble,         4, 0.75, 2, SSFFFR,         OPEN",
        "theOldestFailureHasLeft,                4, 0.75, 2, FSSFFS,         CLOSED",
        "afterTheRecoveryTheWindowIsEmpty,       4, 0.75, 1, FFFFRWSFFFSR,   OPEN",
        "aFailedTrialWaitsTheWholeDelay,         4, 0.75, 1, FFFFRWFRWSFFFFR, OPEN",
        "tenSuccessesCloseIt,                    4, 0.75, 10, FFFFRWSSSSSSSSSSF, CLOSED",
        "theTenthOfTenFails,                     4, 0.75, 10, FFFFRWSSSSSSSSSFR, OPEN",
        "oneRequestIsAWindow,                    1, 1.0,  1, SSFR,           OPEN"
    })
    void timeline(String name, int volume, double ratio, int successes, String calls, CircuitState last) {
        Story story = new Story();
        CircuitBreaker breaker = CircuitBreaker.builder("llm")
                .failureRateThreshold(100 * ratio)
                .window(volume)
                .minimumCalls(volume)
                .recoveryTimeout(WAIT)
                .probes(successes)
                .successesToClose(successes)
                .ticker(story.time)
                .clock(story.time)
                .build();
        StringBuilder seen = new StringBuilder();
        for (int i = 0; i < calls.length(); i++) {
            char call = calls.charAt(i);
            if (call == 'W') {
                story.time.advance(WAIT);
                seen.append('W');
                continue;
            }
            Permit permit = breaker.tryAcquire().orElse(null);
            if (permit == null) {
                seen.append('R');
            } else if (call == 'F') {
                fail(permit);
                seen.append('F');
            } else {
                permit.success();
                seen.append('S');
            }
        }

        assertThat(seen).as(name).hasToString(calls);
        assertThat(breaker.stats().state()).isEqualTo(last);
    }
}
