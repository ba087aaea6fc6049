package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.LEASE;
import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static dev.guardedby.circuitbreaker.Story.trip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

/** The evidence that a transition carries. */
final class EvidenceTest {
    private final Story story = new Story();

    private static Evidence evidence(CircuitBreaker breaker) {
        return breaker.lastTransition().orElseThrow().evidence();
    }

    @Test
    void trip_isExplainedByTheFailuresInARow() {
        CircuitBreaker breaker = story.breaker().build();

        breaker.acquire().failure(new SocketTimeoutException("secret token 123"));
        breaker.acquire().failure(new ConnectException());
        breaker.acquire().failure(new SocketTimeoutException());

        Transition tripped = breaker.lastTransition().orElseThrow();
        assertThat(tripped)
                .isEqualTo(new Transition(
                        breaker,
                        CircuitState.CLOSED,
                        CircuitState.OPEN,
                        Cause.FAILURES,
                        FakeTime.START,
                        new Evidence(
                                "failure-threshold 3",
                                3,
                                3,
                                0,
                                0,
                                Map.of("java.net.SocketTimeoutException", 2L, "java.net.ConnectException", 1L))));
        assertThat(tripped.evidence().topFailures().keySet())
                .containsExactly("java.net.SocketTimeoutException", "java.net.ConnectException");
        assertThat(tripped.toString()).doesNotContain("secret");
    }

    @Test
    void proofByOneFailure_isExplainedByThatOne() {
        CircuitBreaker breaker =
                story.breaker().tripExceptions(EOFException.class).build();
        fail(breaker, 1);
        breaker.acquire().failure(new EOFException());

        assertThat(evidence(breaker))
                .isEqualTo(new Evidence(
                        "trip-if", 1, 1, 0, 0, Map.of("java.io.EOFException", 1L, "java.io.IOException", 1L)));
    }

    @Test
    void recovery_isExplainedByItsProbes() {
        CircuitBreaker breaker = story.open(story.breaker().probes(3).successesToClose(2));
        story.time.advance(WAIT);

        fail(breaker, 1);
        assertThat(evidence(breaker))
                .as("the wait is over")
                .isEqualTo(new Evidence("recovery-timeout", 0, 0, 0, 0, Map.of()));
        breaker.acquire().success();
        breaker.acquire().success();
        assertThat(evidence(breaker))
                .isEqualTo(new Evidence(
                        "successes-to-close 2 of probes 3", 3, 1, 0, 0, Map.of("java.io.IOException", 1L)));
    }

    @Test
    void failedRecovery_isExplainedByItsProbes() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(3).successesToClose(2));
        breaker.acquire().failure(new ConnectException());
        breaker.acquire().failure(new UnknownHostException());

        assertThat(evidence(breaker))
                .isEqualTo(new Evidence(
                        "successes-to-close 2 of probes 3",
                        2,
                        2,
                        0,
                        0,
                        Map.of("java.net.ConnectException", 1L, "java.net.UnknownHostException", 1L)));
    }

    @Test
    void idleDecision_isExplainedByItsProbes() {
        CircuitBreaker breaker = story.halfOpen(story.breaker().probes(9).successesToClose(5));
        fail(breaker, 2);
        story.time.advance(LEASE);
        assertThat(breaker.state()).isEqualTo(CircuitState.OPEN);

        assertThat(evidence(breaker))
                .isEqualTo(new Evidence(
                        "successes-to-close 5 of probes 9", 2, 2, 0, 0, Map.of("java.io.IOException", 2L)));
    }

    @Test
    void operatorsTransitions_nameNoRule() {
        CircuitBreaker breaker = story.breaker().build();
        fail(breaker, 2);
        breaker.forceOpen();
        assertThat(evidence(breaker)).isEqualTo(new Evidence("", 0, 0, 0, 0, Map.of("java.io.IOException", 2L)));

        breaker.reset();
        assertThat(evidence(breaker)).isEqualTo(new Evidence("", 0, 0, 0, 0, Map.of()));
    }

    @Test
    void failuresToldWithoutAnException_nameNone() {
        CircuitBreaker breaker = story.breaker().build();
        trip(breaker);

        assertThat(evidence(breaker)).isEqualTo(new Evidence("failure-threshold 3", 3, 3, 0, 0, Map.of()));
    }

    @Test
    void wrappedFailure_isNamedByWhatIsInside() {
        CircuitBreaker breaker = story.breaker().build();
        breaker.acquire().failure(new CompletionException(new ExecutionException(new ConnectException())));
        breaker.acquire().failure(new IllegalStateException(new ConnectException()));
        breaker.acquire().failure(new CompletionException(null));

        assertThat(evidence(breaker).topFailures())
                .isEqualTo(Map.of(
                        "java.net.ConnectException", 1L,
                        "java.lang.IllegalStateException", 1L,
                        "java.util.concurrent.CompletionException", 1L));
    }

    @Test
    void topFailures_areTheFiveMostFrequent_mostFrequentFirst() {
        CircuitBreaker breaker = story.breaker().failureThreshold(100).build();
        List<Exception> kinds = List.of(
                new EOFException(),
                new IOException(),
                new ConnectException(),
                new SocketTimeoutException(),
                new UnknownHostException(),
                new FileNotFoundException(),
                new IllegalStateException());
        for (int times = 1; times <= kinds.size(); times++) {
            for (int i = 0; i < times; i++) {
                breaker.acquire().failure(kinds.get(times - 1));
            }
        }
        breaker.forceOpen();

        Map<String, Long> top = evidence(breaker).topFailures();
        assertThat(top.entrySet())
                .containsExactly(
                        Map.entry("java.lang.IllegalStateException", 7L),
                        Map.entry("java.io.FileNotFoundException", 6L),
                        Map.entry("java.net.UnknownHostException", 5L),
                        Map.entry("java.net.SocketTimeoutException", 4L),
                        Map.entry("java.net.ConnectException", 3L));
        assertThatThrownBy(top::clear).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void evidence_isOfThePeriodThatEnded_andOnlyOfRecordedFailures() {
        CircuitBreaker breaker =
                story.breaker().ignoreExceptions(EOFException.class).build();
        breaker.acquire().failure(new ConnectException());
        breaker.reset();
        breaker.acquire().failure(new EOFException());
        fail(breaker, 3);

        assertThat(evidence(breaker).topFailures()).isEqualTo(Map.of("java.io.IOException", 3L));

        story.time.advance(WAIT);
        breaker.acquire().failure(new UnknownHostException());
        assertThat(evidence(breaker).topFailures()).isEqualTo(Map.of("java.net.UnknownHostException", 1L));
    }

    @Test
    void lastTwentyTransitions_areKept_theOldestFirst() {
        CircuitBreaker breaker = story.breaker().build();
        assertThat(breaker.transitions()).isEmpty();

        for (int i = 0; i < 10; i++) {
            breaker.holdOpen();
            breaker.reset();
        }
        breaker.forceOpen();

        assertThat(breaker.transitions()).hasSize(20);
        assertThat(breaker.transitions().get(0).message()).isEqualTo("closed: reset by an operator");
        assertThat(breaker.transitions().get(18).message()).isEqualTo("closed: reset by an operator");
        assertThat(breaker.transitions().get(19).message()).isEqualTo("forced open by an operator");
    }

    @Test
    void failureThatOpened_isAmongTheTopFailures_howeverRareItIs() {
        CircuitBreaker breaker = story.breaker()
                .failureThreshold(100)
                .tripExceptions(SecurityException.class)
                .build();
        for (int i = 0; i < 3; i++) {
            breaker.acquire().failure(new EOFException());
            breaker.acquire().failure(new FileNotFoundException());
            breaker.acquire().failure(new ConnectException());
            breaker.acquire().failure(new SocketTimeoutException());
            breaker.acquire().failure(new UnknownHostException());
        }
        breaker.acquire().failure(new SecurityException());

        assertThat(evidence(breaker).topFailures())
                .hasSize(5)
                .containsEntry("java.lang.SecurityException", 1L)
                .containsEntry("java.io.EOFException", 3L);
    }

    @Test
    void slowProbe_isCalledSlow() {
        CircuitBreaker breaker = story.halfOpen(
                story.breaker().slowCallDuration(Duration.ofSeconds(1)).slowCallRateThreshold(50));
        Permit probe = breaker.acquire();
        story.time.advance(Duration.ofSeconds(1));
        probe.success();

        assertThat(breaker.lastTransition().orElseThrow().message()).isEqualTo("open again after a slow probe");
        assertThat(evidence(breaker).slow()).isEqualTo(1);
    }
}
