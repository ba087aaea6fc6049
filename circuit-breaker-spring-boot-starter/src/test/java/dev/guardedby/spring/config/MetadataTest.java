package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Ledger;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What an IDE shows while somebody writes {@code application.yml}. */
class MetadataTest {
    private static final String DEFAULTS = "guardedby.defaults.";

    private final String metadata = metadata();

    private static String metadata() {
        try (InputStream file =
                MetadataTest.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private List<Map<String, Object>> keys() {
        return JsonPath.read(metadata, "$.properties[?(@.name =~ /guardedby\\..*/)]");
    }

    @Test
    void everyKey_isDescribed_withItsDefault() {
        assertThat(keys()).allSatisfy(key -> assertThat(key).containsKey("description"));
        assertThat(keys())
                .extracting(key -> key.get("name") + " = " + key.get("defaultValue"))
                .contains(
                        "guardedby.aspect-order = null",
                        "guardedby.breakers = null",
                        "guardedby.budgets = null",
                        "guardedby.defaults.budgets = null",
                        "guardedby.defaults.charge-on-failure = null",
                        "guardedby.defaults.charge-to = null",
                        "guardedby.defaults.estimate-per-call.tokens = null",
                        "guardedby.defaults.estimate-per-call.usd = null",
                        "guardedby.defaults.failure-rate-threshold = null",
                        "guardedby.defaults.failure-threshold = 5",
                        "guardedby.defaults.hold-timeout = 15m",
                        "guardedby.defaults.ignore-exceptions = null",
                        "guardedby.defaults.max-keys = 10000",
                        "guardedby.defaults.max-recovery-timeout = null",
                        "guardedby.defaults.minimum-calls = 20",
                        "guardedby.defaults.mode = enforce",
                        "guardedby.defaults.probe-timeout = 60s",
                        "guardedby.defaults.probes = 1",
                        "guardedby.defaults.ramp-up = null",
                        "guardedby.defaults.record-exceptions = null",
                        "guardedby.defaults.recovery-backoff-multiplier = 1",
                        "guardedby.defaults.recovery-jitter = null",
                        "guardedby.defaults.recovery-timeout = 5m",
                        "guardedby.defaults.slow-call-duration = null",
                        "guardedby.defaults.slow-call-rate-threshold = null",
                        "guardedby.defaults.successes-to-close = null",
                        "guardedby.defaults.tag-keys = 0",
                        "guardedby.defaults.trip-exceptions = null",
                        "guardedby.defaults.trip-on = [\"retry-after\",\"quota-exhausted\",\"key-revoked\"]",
                        "guardedby.defaults.window = 100",
                        "guardedby.enabled = true",
                        "guardedby.health.down-when-open = false",
                        "guardedby.ledger.type = memory",
                        "guardedby.prices.import = null",
                        "guardedby.prices.models = null",
                        "guardedby.prices.unknown = reject",
                        "guardedby.templates = null",
                        "guardedby.unknown-name = near-miss",
                        "guardedby.web.problem-details = false",
                        "guardedby.web.show-name = false")
                .doesNotContain("guardedby.defaults.extends = null");
    }

    @Test
    void everyDefault_isThatOfTheCore_andNoneIsLeftOutThatIsOfOneValue() {
        Map<String, String> written = new TreeMap<>();
        for (Map<String, Object> key : keys()) {
            String name = key.get("name").toString();
            if (name.startsWith(DEFAULTS) && key.containsKey("defaultValue")) {
                written.put(
                        name.substring(DEFAULTS.length()),
                        key.get("defaultValue").toString());
            }
        }
        // As if somebody wrote all of them.
        StringBuilder yaml = new StringBuilder("guardedby.breakers.written:\n");
        written.forEach((name, value) ->
                yaml.append("  ").append(name).append(": ").append(value).append('\n'));
        Map<String, Object> core = CircuitBreaker.of("core").settings();

        assertThat(Written.yaml(yaml.toString())
                        .read()
                        .builder("written", Ledger.inMemory())
                        .build()
                        .settings())
                .isEqualTo(core)
                .containsOnlyKeys(core.keySet());
        assertThat(core.keySet())
                .filteredOn(key -> !written.containsKey(key))
                .as("defaults that follow from other settings, and are put in words")
                .containsExactly("max-recovery-timeout", "recovery-jitter", "successes-to-close");
    }

    @Test
    void everyDefaultOfKeys_isThatWhereNobodyWrites() {
        assertThat(keys())
                .filteredOn(key -> key.get("name").toString().matches("guardedby\\.defaults\\.(max|tag)-keys"))
                .extracting(key -> key.get("name") + " = " + key.get("defaultValue"))
                .containsExactlyInAnyOrder(
                        "guardedby.defaults.max-keys = "
                                + Written.yaml("guardedby.enabled: true").read().maxKeys("llm"),
                        "guardedby.defaults.tag-keys = "
                                + Written.yaml("guardedby.enabled: true").read().tagKeys("llm"));
    }

    @Test
    void descriptions_sayWhatTheDefaultIs_whereItIsNoPlainValue() {
        assertThat(keys())
                .filteredOn(key -> key.get("name").toString().matches("guardedby\\.defaults\\.(?!.*exceptions).*")
                        && !key.containsKey("defaultValue"))
                .allSatisfy(key -> assertThat(key.get("description").toString()).contains("By default, "))
                .hasSize(12);
    }

    @Test
    void hints_areValuesThatBind() {
        List<String> choices = JsonPath.read(metadata, "$.hints[?(@.name =~ /.*(mode|unknown-name)/)].values[*].value");
        assertThat(choices).containsExactlyInAnyOrder("near-miss", "fail", "allow", "enforce", "observe", "disabled");

        List<Map<String, Object>> hints = JsonPath.read(metadata, "$.hints[?(@.name =~ /.*defaults.*/)]");
        assertThat(hints)
                .filteredOn(hint -> hint.containsKey("values"))
                .extracting(hint -> hint.get("name").toString().substring(DEFAULTS.length()))
                .containsExactlyInAnyOrder(
                        "failure-rate-threshold",
                        "slow-call-rate-threshold",
                        "window",
                        "recovery-backoff-multiplier",
                        "trip-on",
                        "mode");
        for (Map<String, Object> hint : hints) {
            if (!hint.containsKey("values")) {
                continue;
            }
            String key = hint.get("name").toString().substring(DEFAULTS.length());
            List<Object> values = JsonPath.read(hint, "$.values[*].value");
            for (Object value : values) {
                ConfiguredBreakers configured = Written.yaml("guardedby.templates.t." + key + ": " + value)
                        .read();
                assertThat(configured.names()).isEmpty();
            }
        }
    }
}
