package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** An operator changes settings of a live breaker: all that is written, or nothing. */
@ExtendWith(OutputCaptureExtension.class)
class ReconfigureOverHttpTest {
    private static HttpApplication application;

    @BeforeAll
    static void start() {
        application = HttpApplication.start("management.endpoint.guardedby.access=unrestricted");
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    @Test
    void reconfigure_changesALiveBreaker_whichAnswersWithWhatHolds(CapturedOutput output) throws Exception {
        CircuitBreaker breaker = application.bean(CircuitBreakerRegistry.class).get("tuned");
        breaker.acquire().failure(new IOException());

        Response response = application.post(
                "/guardedby/tuned",
                "{\"action\":\"reconfigure\",\"settings\":\"failureThreshold=7, window=60s ,recovery-jitter=0.5,mode=observe\"}");

        assertThat(response.status()).isEqualTo(200);
        assertThat(response).isEqualTo(application.get("/guardedby/tuned"));
        assertThat(field(response.body(), "settings.failure-threshold")).isEqualTo(runtime("7"));
        assertThat(field(response.body(), "settings.window")).isEqualTo(runtime("\"PT1M\""));
        assertThat(field(response.body(), "settings.mode")).isEqualTo(runtime("\"observe\""));
        assertThat(field(response.body(), "settings.probes")).isEqualTo("{\"value\":1,\"from\":\"default\"}");
        assertThat(field(response.body(), "mode")).isEqualTo("OBSERVE");
        assertThat(breaker).hasToString("CircuitBreaker[name=tuned, state=closed, failures=1/7]");
        assertThat(output)
                .contains("Operator's action on circuit breaker 'tuned': reconfigure"
                        + " failure-threshold=7,window=PT1M,recovery-jitter=0.5,mode=observe");
    }

    private static String runtime(String value) {
        return "{\"value\":" + value + ",\"from\":\"runtime\"}";
    }

    static List<Arguments> badChanges() {
        String it = "failure-threshold, failure-rate-threshold, slow-call-duration, slow-call-rate-threshold, window,"
                + " minimum-calls, recovery-timeout, recovery-backoff-multiplier, max-recovery-timeout, recovery-jitter,"
                + " ramp-up, probes, successes-to-close, probe-timeout, mode, hold-timeout";
        return List.of(
                bad("failure-threshold=0", "failure-threshold must be at least 1, but was 0"),
                bad("failure-threshold=2,probes=many", "probes must be a whole number, but was 'many'"),
                bad("probes=", "probes must be a whole number, but was ''"),
                bad("probes=1.5", "probes must be a whole number, but was '1.5'"),
                bad(
                        "window=60 s",
                        "window must be a number of calls such as 100, or a duration such as 60s, but was '60 s'"),
                bad("recovery-timeout=soon", "recovery-timeout must be a duration such as 30s or 5m, but was 'soon'"),
                bad(
                        "recovery-timeout=${user.name}",
                        "recovery-timeout must be a duration such as 30s or 5m, but was '${user.name}'"),
                bad("failure-rate-threshold=half", "failure-rate-threshold must be a number, but was 'half'"),
                bad("mode=off", "mode must be one of enforce, observe, disabled, but was 'off'"),
                bad(
                        "failure-threshold=2,minimum-calls=30,window=10",
                        "minimum-calls must be at most window, but minimum-calls was 30 and window was 10"),
                bad(
                        "slow-call-duration=2s",
                        "slow-call-duration needs slow-call-rate-threshold, but slow-call-duration was PT2S and"
                                + " slow-call-rate-threshold was not set"),
                bad("failure-treshold=2", "failure-treshold is not a setting; did you mean failure-threshold?"),
                bad("colour=red", "'colour' is not a setting that a live circuit breaker can change; it has " + it),
                bad("extends=slow", "'extends' is not a setting that a live circuit breaker can change; it has " + it),
                bad(
                        "ignore-exceptions=java.io.IOException",
                        "'ignore-exceptions' is not a setting that a live circuit breaker can change; it has " + it),
                bad("probes=2,PROBES=3", "probes must be given once, but was given twice"),
                bad("probes=2,", "settings must be pairs such as failure-threshold=5,window=100, but was 'probes=2,'"),
                bad("", "settings must be pairs such as failure-threshold=5,window=100, but was ''"));
    }

    private static Arguments bad(String settings, String error) {
        return Arguments.of(settings, error);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badChanges")
    void badChange_is400_namesWhatIsWrong_andChangesNothing(String settings, String error) throws Exception {
        CircuitBreaker breaker = application.bean(CircuitBreakerRegistry.class).get("untouched");
        Map<String, Object> before = breaker.settings();

        Response response = application.post(
                "/guardedby/untouched", "{\"action\":\"reconfigure\",\"settings\":\"" + settings + "\"}");

        assertThat(response).isEqualTo(new Response(400, "{\"error\":\"" + error + "\"}"));
        assertThat(breaker.settings()).isEqualTo(before);
    }

    @Test
    void settings_goWithReconfigure_andReconfigureWithSettings() throws Exception {
        CircuitBreaker breaker = application.bean(CircuitBreakerRegistry.class).get("alone");

        assertThat(application.post("/guardedby/alone", "{\"action\":\"reset\",\"settings\":\"probes=2\"}"))
                .isEqualTo(new Response(
                        400,
                        "{\"error\":\"settings goes with the action reconfigure alone, but the action was 'reset'\"}"));
        assertThat(application.post("/guardedby/alone", "{\"action\":\"reconfigure\"}"))
                .isEqualTo(
                        new Response(
                                400,
                                "{\"error\":\"settings must be pairs such as failure-threshold=5,window=100, but was missing\"}"));
        assertThat(application
                        .post("/guardedby/alone", "{\"action\":\"reconfigure\",\"mode\":\"observe\"}")
                        .status())
                .isEqualTo(400);
        assertThat(application
                        .post("/guardedby/nobody", "{\"action\":\"reconfigure\",\"settings\":\"probes=2\"}")
                        .status())
                .isEqualTo(404);
        assertThat(breaker.settings()).isEqualTo(CircuitBreaker.of("alone").settings());
    }
}
