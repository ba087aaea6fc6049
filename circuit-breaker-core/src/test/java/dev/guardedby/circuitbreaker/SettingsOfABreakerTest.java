package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.Story.fail;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a breaker tells of its settings. */
final class SettingsOfABreakerTest {
    private static final String WAITS = "recovery-timeout=PT5M, recovery-backoff-multiplier=1.0,"
            + " max-recovery-timeout=PT50M, recovery-jitter=0.0, ";
    private static final String PROBES = "probes=1, successes-to-close=1, probe-timeout=PT1M, ";

    private final Story story = new Story();

    @Test
    void nothingSet_isTheDefaults_withoutWhatIsOff() {
        assertThat(CircuitBreaker.of("llm").settings())
                .hasToString("{failure-threshold=5, window=100, minimum-calls=20, " + WAITS + PROBES + "mode=ENFORCE}");
    }

    @Test
    void everythingSet_isThere_typed() {
        Map<String, Object> settings = CircuitBreaker.builder("llm")
                .failureThreshold(3)
                .failureRateThreshold(50)
                .slowCallDuration(Duration.ofSeconds(20))
                .slowCallRateThreshold(80)
                .window(Duration.ofMinutes(1))
                .minimumCalls(30)
                .recoveryTimeout(Duration.ofSeconds(30))
                .recoveryBackoffMultiplier(2)
                .maxRecoveryTimeout(Duration.ofMinutes(10))
                .recoveryJitter(0.25)
                .rampUp(Duration.ofSeconds(31))
                .probes(4)
                .successesToClose(2)
                .probeTimeout(Duration.ofSeconds(7))
                .mode(Mode.OBSERVE)
                .build()
                .settings();

        assertThat(settings)
                .containsExactly(
                        Map.entry("failure-threshold", 3),
                        Map.entry("failure-rate-threshold", 50.0),
                        Map.entry("slow-call-duration", Duration.ofSeconds(20)),
                        Map.entry("slow-call-rate-threshold", 80.0),
                        Map.entry("window", Duration.ofMinutes(1)),
                        Map.entry("minimum-calls", 30),
                        Map.entry("recovery-timeout", Duration.ofSeconds(30)),
                        Map.entry("recovery-backoff-multiplier", 2.0),
                        Map.entry("max-recovery-timeout", Duration.ofMinutes(10)),
                        Map.entry("recovery-jitter", 0.25),
                        Map.entry("ramp-up", Duration.ofSeconds(31)),
                        Map.entry("probes", 4),
                        Map.entry("successes-to-close", 2),
                        Map.entry("probe-timeout", Duration.ofSeconds(7)),
                        Map.entry("mode", Mode.OBSERVE));
    }

    @Test
    void whatFollowsFromOtherSettings_isShownAsItActs() {
        assertThat(CircuitBreaker.builder("llm")
                        .failureRateThreshold(50)
                        .window(7)
                        .recoveryTimeout(Duration.ofSeconds(3))
                        .recoveryBackoffMultiplier(1.5)
                        .probes(3)
                        .build()
                        .settings())
                .hasToString("{failure-rate-threshold=50.0, window=7, minimum-calls=7, recovery-timeout=PT3S,"
                        + " recovery-backoff-multiplier=1.5, max-recovery-timeout=PT30S, recovery-jitter=0.2, probes=3,"
                        + " successes-to-close=3, probe-timeout=PT1M, mode=ENFORCE}");
    }

    @Test
    void liveChangeAndMode_areFollowed_andARefusedChangeIsNot() {
        CircuitBreaker breaker = CircuitBreaker.of("llm");
        Map<String, Object> before = breaker.settings();
        breaker.reconfigure(b -> b.failureRateThreshold(50).window(Duration.ofSeconds(10)));
        breaker.mode(Mode.DISABLED);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> breaker.reconfigure(b -> b.probes(2).minimumCalls(0)));

        assertThat(before).containsEntry("failure-threshold", 5).containsEntry("mode", Mode.ENFORCE);
        assertThat(breaker.settings())
                .hasToString("{failure-rate-threshold=50.0, window=PT10S, minimum-calls=20, " + WAITS + PROBES
                        + "mode=DISABLED}");
    }

    @Test
    void reading_movesNothing_andNobodyCanWrite() {
        CircuitBreaker breaker = story.breaker().build();
        fail(breaker, 3);
        story.time.advance(Story.WAIT);
        Map<String, Object> settings = breaker.settings();

        assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> settings.put("probes", 2));
        assertThat(story.history()).containsExactly("0s CLOSED>OPEN FAILURES");
    }
}
