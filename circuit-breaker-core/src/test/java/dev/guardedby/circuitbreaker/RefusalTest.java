package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.WAIT;
import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The exception of a refused call: it says who refused, why, and for how long. */
final class RefusalTest {
    private final Story story = new Story();

    private static CallNotPermittedException refused(CircuitBreaker breaker) {
        return catchThrowableOfType(CallNotPermittedException.class, breaker::acquire);
    }

    @Test
    void exception_saysWhoWhyAndForHowLong() {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance("PT5.8S");

        CallNotPermittedException refused = refused(breaker);

        assertThat(refused)
                .hasMessage("Circuit breaker 'llm' is open after 3 consecutive failures, next probe in 4.2 s")
                .hasToString(
                        "dev.guardedby.circuitbreaker.CallNotPermittedException: Circuit breaker 'llm' is open after"
                                + " 3 consecutive failures, next probe in 4.2 s")
                .hasNoCause();
        assertThat(refused.name()).isEqualTo("llm");
        assertThat(refused.state()).isEqualTo(CircuitState.OPEN);
        assertThat(refused.retryAfter()).contains(Duration.ofMillis(4_200));
        assertThat(refused.refusal())
                .isEqualTo(new Refusal(
                        Reason.OPEN,
                        "open after 3 consecutive failures, next probe in 4.2 s",
                        Optional.of(Duration.ofMillis(4_200))));
    }

    @Test
    void exception_hasNoStackTrace_butTakesSuppressedOnes() {
        CallNotPermittedException refused = refused(story.open(story.breaker()));
        assertThat(refused.getStackTrace()).isEmpty();

        IOException other = new IOException();
        refused.addSuppressed(other);
        refused.setStackTrace(new Throwable().getStackTrace());
        assertThat(refused.getSuppressed()).containsExactly(other);
        assertThat(refused.getStackTrace()).isEmpty();
    }

    @Test
    void exception_describesTheMomentOfTheRefusal() {
        CircuitBreaker breaker = story.open(story.breaker());
        CallNotPermittedException refused = refused(breaker);

        story.time.advance("PT4S");
        breaker.reset();

        assertThat(refused.retryAfter()).contains(WAIT);
        assertThat(refused.state()).isEqualTo(CircuitState.OPEN);
        assertThat(refused).hasMessageEndingWith("next probe in 10.0 s");
    }

    @Test
    void reasons_areToldInWords() {
        CircuitBreaker breaker = story.breaker().failureThreshold(1).build();
        fail(breaker, 1);
        assertThat(refused(breaker)).hasMessage("Circuit breaker 'llm' is open after 1 failure, next probe in 10.0 s");

        story.time.advance(WAIT);
        Permit probe = breaker.acquire();
        assertThat(refused(breaker))
                .hasMessage(
                        "Circuit breaker 'llm' is half-open, probes are out to see whether the remote has recovered")
                .satisfies(refused -> {
                    assertThat(refused.state()).isEqualTo(CircuitState.HALF_OPEN);
                    assertThat(refused.refusal().reason()).isEqualTo(Reason.PROBING);
                    assertThat(refused.retryAfter()).isEmpty();
                });

        fail(probe);
        assertThat(refused(breaker))
                .hasMessage("Circuit breaker 'llm' is open again after a failed probe, next probe in 10.0 s");

        breaker.reset();
        breaker.forceOpen();
        assertThat(refused(breaker))
                .hasMessage("Circuit breaker 'llm' is forced open by an operator, next probe in 10.0 s");

        breaker.holdOpen();
        assertThat(refused(breaker))
                .hasMessage("Circuit breaker 'llm' is held open by an operator")
                .satisfies(refused -> {
                    assertThat(refused.state()).isEqualTo(CircuitState.OPEN);
                    assertThat(refused.refusal().reason()).isEqualTo(Reason.HELD_OPEN);
                    assertThat(refused.retryAfter()).isEmpty();
                });

        CircuitBreaker strict = story.breaker().tripIf(thrown -> true).build();
        fail(strict, 1);
        assertThat(refused(strict))
                .hasMessage("Circuit breaker 'llm' is open at once after a failure that is proof by itself,"
                        + " next probe in 10.0 s");
    }

    @ParameterizedTest
    @CsvSource({
        "PT0.000000001S, 0.1 s",
        "PT0.1S,         0.1 s",
        "PT0.100000001S, 0.2 s",
        "PT1S,           1.0 s",
        "PT59.9S,        59.9 s",
        "PT59.95S,       1 min 0 s",
        "PT90S,          1 min 30 s",
        "PT1H,           1 h 0 min",
        "PT25H59M59S,    25 h 59 min",
        "PT87672H,       87672 h 0 min",
    })
    void restOfTheWait_isNeverRoundedDownToNothing(Duration wait, String words) {
        CircuitBreaker breaker = story.open(story.breaker().recoveryTimeout(wait));

        CallNotPermittedException refused = refused(breaker);

        assertThat(refused)
                .hasMessage("Circuit breaker 'llm' is open after 3 consecutive failures, next probe in " + words);
        assertThat(refused.retryAfter()).contains(wait);
    }

    @Test
    void exceptionSentOverTheWire_saysTheSame() throws Exception {
        CircuitBreaker breaker = story.open(story.breaker());
        story.time.advance("PT1S");
        CallNotPermittedException open = refused(breaker);
        breaker.holdOpen();
        CallNotPermittedException held = refused(breaker);

        for (CallNotPermittedException sent : new CallNotPermittedException[] {open, held}) {
            CallNotPermittedException received = sendOverTheWire(sent);

            assertThat(received).hasMessage(sent.getMessage());
            assertThat(received.name()).isEqualTo("llm");
            assertThat(received.state()).isEqualTo(CircuitState.OPEN);
            assertThat(received.refusal()).isEqualTo(sent.refusal());
            assertThat(received.retryAfter()).isEqualTo(sent.retryAfter());
            assertThat(received.getStackTrace()).isEmpty();
        }
    }

    @SuppressWarnings("BanSerializableRead") // what was written is our own
    private static CallNotPermittedException sendOverTheWire(CallNotPermittedException sent) throws Exception {
        ByteArrayOutputStream wire = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(wire)) {
            out.writeObject(sent);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(wire.toByteArray()))) {
            return (CallNotPermittedException) in.readObject();
        }
    }
}
