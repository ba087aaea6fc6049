package dev.guardedby.spring.actuate;

import static dev.guardedby.spring.actuate.HttpApplication.field;
import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.actuate.HttpApplication.Response;
import dev.guardedby.spring.keys.Keys;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** An operator looks at keys and moves them. */
@ExtendWith(OutputCaptureExtension.class)
class KeysOverHttpTest {
    private static HttpApplication application;
    private static CircuitBreaker llm;

    @BeforeAll
    static void start() {
        application = HttpApplication.start(
                "management.endpoint.guardedby.access=unrestricted",
                "guardedby.breakers.llm.failure-threshold=1",
                "guardedby.breakers.llm.max-keys=50",
                "guardedby.breakers.plain.failure-threshold=1");
        llm = application.bean(CircuitBreakerRegistry.class).get("llm");
        application.bean(Keys.class).of(llm);
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    @BeforeEach
    void closed() {
        llm.reset();
    }

    private static Response post(String json) throws Exception {
        return application.post("/guardedby/llm", json);
    }

    private static Set<String> names(String json, String path) {
        Map<String, Object> rows = JsonPath.read(json, "$." + path);
        return rows.keySet();
    }

    @Test
    void documentOfAKey_isThatOfItsBreaker() throws Exception {
        llm.forKey("acme").recordFailure();

        Response acme = application.get("/guardedby/llm?key=acme");

        assertThat(acme.status()).isEqualTo(200);
        assertThat(acme.body())
                .startsWith(
                        "{\"name\":\"llm\",\"key\":\"acme\",\"state\":\"OPEN\",\"mode\":\"ENFORCE\",\"admitting\":false,");
        assertThat(field(acme.body(), "stats.consecutiveFailures")).isEqualTo("1");
        assertThat(field(acme.body(), "settings.failure-threshold"))
                .isEqualTo("{\"value\":1,\"from\":\"breakers.llm\"}");
        assertThat(acme.body()).doesNotContain("\"keys\"");
    }

    @Test
    void documentOfTheName_saysHowTheKeysAre_andWhichRefuse() throws Exception {
        int held = llm.keys().orElseThrow().size();
        llm.forKey("closed").recordSuccess();
        for (int i = 0; i < 30; i++) {
            llm.forKey("bad" + i).recordFailure();
        }

        String document = application.get("/guardedby/llm").body();

        assertThat(field(document, "state")).isEqualTo("CLOSED");
        assertThat(field(document, "keys.held")).isEqualTo(Integer.toString(held + 31));
        assertThat(field(document, "keys.open")).isEqualTo("30");
        assertThat(field(document, "keys.halfOpen")).isEqualTo("0");
        List<String> refusing = JsonPath.read(document, "$.keys.refusing");
        assertThat(refusing).hasSize(20).isSorted().allMatch(key -> key.matches("bad\\d+"));
        assertThat(field(document, "settings.max-keys")).isEqualTo("{\"value\":50,\"from\":\"breakers.llm\"}");
        assertThat(field(document, "settings.tag-keys")).isEqualTo("{\"value\":0,\"from\":\"default\"}");
        assertThat(application.get("/guardedby/plain").body()).doesNotContain("\"keys\"");
        assertThat(names(application.get("/guardedby").body(), "breakers")).containsExactly("llm", "plain");
    }

    @Test
    void unknownKey_is404_andIsNotMade() throws Exception {
        Response unknown = application.get("/guardedby/llm?key=nobody");

        assertThat(unknown)
                .isEqualTo(new Response(404, "{\"error\":\"circuit breaker 'llm' keeps no such key at present\"}"));
        assertThat(post("{\"action\":\"hold-open\",\"key\":\"nobody\"}")).isEqualTo(unknown);
        assertThat(application.get("/guardedby/plain?key=acme"))
                .isEqualTo(new Response(404, "{\"error\":\"circuit breaker 'plain' has no keys\"}"));
        assertThat(application.get("/guardedby/nothing?key=acme").body())
                .isEqualTo("{\"error\":\"there is no circuit breaker 'nothing'; there are llm, plain\"}");
        assertThat(llm.keys().orElseThrow().find("nobody")).isEmpty();
    }

    @Test
    void actionWithAKey_isOnThatKey_andWithoutOne_onAllOfThem(CapturedOutput output) throws Exception {
        CircuitBreaker acme = llm.forKey("acme");
        CircuitBreaker umbrella = llm.forKey("umbrella");

        Response held = post("{\"action\":\"hold-open\",\"key\":\"acme\"}");
        assertThat(field(held.body(), "reason")).isEqualTo("HELD_OPEN");
        assertThat(held).isEqualTo(application.get("/guardedby/llm?key=acme"));
        post("{\"action\":\"reconfigure\",\"settings\":\"failure-threshold=9\",\"key\":\"acme\"}");
        assertThat(List.of(llm, acme, umbrella))
                .extracting(CircuitBreaker::toString)
                .containsExactly(
                        "CircuitBreaker[name=llm, state=closed, failures=0/1]",
                        "CircuitBreaker[name=llm, key=acme, state=open, failures=0/9]",
                        "CircuitBreaker[name=llm, key=umbrella, state=closed, failures=0/1]");

        assertThat(post("{\"action\":\"reset\"}").status()).isEqualTo(200);
        assertThat(post("{\"action\":\"reconfigure\",\"settings\":\"failure-threshold=1\"}")
                        .status())
                .isEqualTo(200);
        assertThat(acme).hasToString("CircuitBreaker[name=llm, key=acme, state=closed, failures=0/1]");
        assertThat(output)
                .contains("Operator's action on circuit breaker 'llm' for key 'acme': hold-open")
                .contains("Operator's action on circuit breaker 'llm' for key 'acme': reconfigure failure-threshold=9")
                .contains("Operator's action on circuit breaker 'llm': reset");
    }

    @Test
    void boundOfKeys_isNoSettingOfALiveBreaker() throws Exception {
        Response refused = post("{\"action\":\"reconfigure\",\"settings\":\"max-keys=5\"}");

        assertThat(refused.status()).isEqualTo(400);
        assertThat(field(refused.body(), "error"))
                .startsWith(
                        "'max-keys' is not a setting that a live circuit breaker can change; it has failure-threshold,");
    }

    @Test
    void health_isOneRowAName() throws Exception {
        llm.forKey("acme").recordFailure();

        assertThat(names(application.get("/health").body(), "components.guardedBy.details"))
                .containsExactly("llm", "plain");
    }
}
