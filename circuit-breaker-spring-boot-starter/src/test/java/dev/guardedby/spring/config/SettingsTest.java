package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.HttpAnswer;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.spring.config.ConfiguredBreakers.Setting;
import dev.guardedby.spring.config.ConfiguredBreakers.UnknownName;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class SettingsTest {

    @Test
    void nothingWritten_isTheDefaults() {
        ConfiguredBreakers configured = Written.yaml("").read();

        assertThat(configured.names()).isEmpty();
        assertThat(configured.unknownName()).isEqualTo(UnknownName.NEAR_MISS);
        assertThat(shown(configured, "any"))
                .containsExactly(
                        "failure-threshold = 5 (default)",
                        "failure-rate-threshold = none (default)",
                        "slow-call-duration = none (default)",
                        "slow-call-rate-threshold = none (default)",
                        "window = 100 (default)",
                        "minimum-calls = 20 (default)",
                        "recovery-timeout = PT5M (default)",
                        "recovery-backoff-multiplier = 1.0 (default)",
                        "max-recovery-timeout = PT50M (default)",
                        "recovery-jitter = 0.0 (default)",
                        "ramp-up = none (default)",
                        "probes = 1 (default)",
                        "successes-to-close = 1 (default)",
                        "probe-timeout = PT1M (default)",
                        "record-exceptions = [] (default)",
                        "ignore-exceptions = [] (default)",
                        "trip-exceptions = [] (default)",
                        "trip-on = [retry-after, quota-exhausted, key-revoked] (default)",
                        "mode = enforce (default)",
                        "max-keys = 10000 (default)",
                        "tag-keys = 0 (default)",
                        "budgets = none (default)",
                        "charge-to = [] (default)",
                        "estimate-per-call = none (default)",
                        "hold-timeout = none (default)",
                        "charge-on-failure = read timeouts (default)");
    }

    @Test
    void everythingWritten_isWhatTheBreakerIsBuiltWith() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby.breakers.llm:
                  failure-threshold: 3
                  failure-rate-threshold: 50
                  slow-call-duration: 20s
                  slow-call-rate-threshold: 80.5
                  window: 60s
                  minimum-calls: 200
                  recovery-timeout: 30s
                  recovery-backoff-multiplier: 2
                  max-recovery-timeout: 10m
                  recovery-jitter: 0.25
                  ramp-up: 31s
                  probes: 4
                  successes-to-close: 2
                  probe-timeout: 7s
                  mode: observe
                """).read();

        assertThat(configured.builder("llm", Ledger.inMemory()).build().settings())
                .hasToString("{failure-threshold=3, failure-rate-threshold=50.0, slow-call-duration=PT20S,"
                        + " slow-call-rate-threshold=80.5, window=PT1M, minimum-calls=200, recovery-timeout=PT30S,"
                        + " recovery-backoff-multiplier=2.0, max-recovery-timeout=PT10M, recovery-jitter=0.25,"
                        + " ramp-up=PT31S, probes=4, successes-to-close=2, probe-timeout=PT7S, mode=OBSERVE}");
        assertThat(shown(configured, "llm"))
                .containsExactly(
                        "failure-threshold = 3 (breakers.llm)",
                        "failure-rate-threshold = 50.0 (breakers.llm)",
                        "slow-call-duration = PT20S (breakers.llm)",
                        "slow-call-rate-threshold = 80.5 (breakers.llm)",
                        "window = PT1M (breakers.llm)",
                        "minimum-calls = 200 (breakers.llm)",
                        "recovery-timeout = PT30S (breakers.llm)",
                        "recovery-backoff-multiplier = 2.0 (breakers.llm)",
                        "max-recovery-timeout = PT10M (breakers.llm)",
                        "recovery-jitter = 0.25 (breakers.llm)",
                        "ramp-up = PT31S (breakers.llm)",
                        "probes = 4 (breakers.llm)",
                        "successes-to-close = 2 (breakers.llm)",
                        "probe-timeout = PT7S (breakers.llm)",
                        "record-exceptions = [] (default)",
                        "ignore-exceptions = [] (default)",
                        "trip-exceptions = [] (default)",
                        "trip-on = [retry-after, quota-exhausted, key-revoked] (default)",
                        "mode = observe (breakers.llm)",
                        "max-keys = 10000 (default)",
                        "tag-keys = 0 (default)",
                        "budgets = none (default)",
                        "charge-to = [] (default)",
                        "estimate-per-call = none (default)",
                        "hold-timeout = none (default)",
                        "charge-on-failure = read timeouts (default)");
    }

    @Test
    void entry_liesOverTemplates_overDefaults_keyByKey() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  unknown-name: fail
                  defaults: { failure-threshold: 7, probes: 9, mode: observe, ignore-exceptions: [java.io.IOException] }
                  templates:
                    slow: { probes: 4, probe-timeout: 2m, ignore-exceptions: [] }
                    slower: { extends: slow, recovery-timeout: 10m, record-exceptions: [java.io.IOException, java.lang.ArithmeticException] }
                  breakers:
                    llm: { extends: slower, recovery-timeout: 30s, successes-to-close: 2, record-exceptions: java.lang.IllegalStateException }
                """).read();

        assertThat(configured.unknownName()).isEqualTo(UnknownName.FAIL);
        assertThat(shown(configured, "llm"))
                .containsExactly(
                        "failure-threshold = 7 (defaults)",
                        "failure-rate-threshold = none (default)",
                        "slow-call-duration = none (default)",
                        "slow-call-rate-threshold = none (default)",
                        "window = 100 (default)",
                        "minimum-calls = 20 (default)",
                        "recovery-timeout = PT30S (breakers.llm)",
                        "recovery-backoff-multiplier = 1.0 (default)",
                        "max-recovery-timeout = PT5M (default)",
                        "recovery-jitter = 0.0 (default)",
                        "ramp-up = none (default)",
                        "probes = 4 (templates.slow)",
                        "successes-to-close = 2 (breakers.llm)",
                        "probe-timeout = PT2M (templates.slow)",
                        "record-exceptions = [java.lang.IllegalStateException] (breakers.llm)",
                        "ignore-exceptions = [] (templates.slow)",
                        "trip-exceptions = [] (default)",
                        "trip-on = [retry-after, quota-exhausted, key-revoked] (default)",
                        "mode = observe (defaults)",
                        "max-keys = 10000 (default)",
                        "tag-keys = 0 (default)",
                        "budgets = none (default)",
                        "charge-to = [] (default)",
                        "estimate-per-call = none (default)",
                        "hold-timeout = none (default)",
                        "charge-on-failure = read timeouts (default)");
    }

    @Test
    void settings_areThoseTheBreakerIsBuiltWith() {
        CircuitBreaker breaker =
                Written.yaml("""
                guardedby.breakers.llm:
                  failure-threshold: 2
                  recovery-timeout: 30s
                  record-exceptions: [java.io.IOException]
                  ignore-exceptions: [java.io.FileNotFoundException]
                  trip-exceptions: [java.io.EOFException]
                """).read().builder("llm", Ledger.inMemory()).build();

        assertThat(List.of(
                                breaker.failureThreshold(),
                                breaker.recoveryTimeout().toString(),
                                breaker.outcomeOf(new java.io.IOException()),
                                breaker.outcomeOf(new java.io.FileNotFoundException()),
                                breaker.outcomeOf(new IllegalStateException()))
                        .toString())
                .isEqualTo("[2, PT30S, FAILURE, IGNORED, SUCCESS]");
        breaker.tryAcquire().orElseThrow().failure(new java.io.EOFException());
        assertThat(breaker).hasToString("CircuitBreaker[name=llm, state=open, failures=1/2]");
    }

    @Test
    void tripOn_isReplacedAsAWhole_andEmptySwitchesItOff() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  templates.customers-keys.trip-on: [retry-after, QUOTA_EXHAUSTED]
                  breakers:
                    unset: {}
                    silent: { extends: customers-keys, trip-on: [] }
                    some: { extends: customers-keys }
                    one: { trip-on: key-revoked }
                """)
                .andVariable("GUARDEDBY_BREAKERS_BLANK_TRIPON", "")
                .read();

        assertThat(List.of("unset", "silent", "some", "one", "blank"))
                .extracting(name -> configured.settings(name).get("trip-on"))
                .containsExactly(
                        new Setting(List.of("retry-after", "quota-exhausted", "key-revoked"), "default"),
                        new Setting(List.of(), "breakers.silent"),
                        new Setting(List.of("retry-after", "quota-exhausted"), "templates.customers-keys"),
                        new Setting(List.of("key-revoked"), "breakers.one"),
                        new Setting(List.of(), "breakers.blank"));
        assertThat(List.of("unset", "silent", "some", "blank"))
                .extracting(name -> afterRevokedKey(readingRevokedKeys(configured, name)))
                .containsExactly(CircuitState.OPEN, CircuitState.CLOSED, CircuitState.CLOSED, CircuitState.CLOSED);
    }

    @Test
    void tripOn_staysAsItIsWritten_whenAnotherSettingChangesLive() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby.breakers:
                  waits: { trip-on: [retry-after] }
                  silent: { trip-on: [] }
                  unset: {}
                """).read();

        assertThat(List.of("waits", "silent", "unset"))
                .extracting(name -> {
                    CircuitBreaker breaker = readingRevokedKeys(configured, name);
                    assertThat(LiveChange.read("failure-threshold=7").applyTo(breaker))
                            .isEqualTo(Map.of("failure-threshold", 7));
                    return afterRevokedKey(breaker);
                })
                .containsExactly(CircuitState.CLOSED, CircuitState.CLOSED, CircuitState.OPEN);
    }

    private static CircuitBreaker readingRevokedKeys(ConfiguredBreakers configured, String name) {
        HttpAnswer revoked = new HttpAnswer(401, header -> Optional.empty(), List.of("invalid_api_key"));
        return configured
                .builder(name, Ledger.inMemory())
                .answers(outcome -> Optional.of(revoked))
                .build();
    }

    private static CircuitState afterRevokedKey(CircuitBreaker breaker) {
        breaker.acquire().failure(new IllegalStateException());
        return breaker.state();
    }

    @Test
    void durationWithoutAUnit_isMilliseconds_whichIsWarnedOfOnce(CapturedOutput output) {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  defaults.probe-timeout: 5
                  templates.slow.recovery-timeout: "30"
                  breakers:
                    llm: { extends: slow, probe-timeout: 7s }
                    mail: { extends: slow }
                """).read();

        assertThat(shown(configured, "llm")).contains("recovery-timeout = PT0.03S (templates.slow)");
        assertThat(output.toString()
                        .lines()
                        .filter(line -> line.contains("is read as"))
                        .map(line -> line.replaceFirst("^.* (guardedby\\.)", "$1")))
                .containsExactlyInAnyOrder(
                        "guardedby.templates.slow.recovery-timeout is read as 30 ms; write 30s for seconds",
                        "guardedby.defaults.probe-timeout is read as 5 ms; write 5s for seconds");
    }

    @Test
    void entryThatSaysNothing_isAnEntry() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  breakers:
                    braces: {}
                    blank:
                """).read();

        assertThat(configured.names()).containsExactlyInAnyOrder("braces", "blank");
    }

    @Test
    void namesThatDifferInCaseAndDashes_areOneEntry() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  breakers:
                    my-llm: { failure-threshold: 2 }
                    Under_score: { failure-threshold: 3 }
                    "[a.b]": { failure-threshold: 4 }
                """).read();

        assertThat(configured.names()).containsExactlyInAnyOrder("my-llm", "Under_score", "a.b");
        assertThat(configured.entryOf("MyLlm")).contains("my-llm");
        assertThat(configured.entryOf("my.llm")).isEmpty();
        assertThat(configured.settings("myLLM").get("failure-threshold")).isEqualTo(new Setting(2, "breakers.my-llm"));
        assertThat(configured.settings("Under_score").get("failure-threshold"))
                .isEqualTo(new Setting(3, "breakers.Under_score"));
        assertThat(configured.settings("a.b").get("failure-threshold")).isEqualTo(new Setting(4, "breakers[a.b]"));
    }

    @Test
    void sameNameInTwoFiles_isOneEntry() {
        ConfiguredBreakers configured = Written.yaml("guardedby.breakers.llm: { failure-threshold: 2 }")
                .andFile("base.yml", "guardedby.breakers: { llm: { failure-threshold: 9, probes: 3 } }")
                .read();

        assertThat(shown(configured, "llm"))
                .contains("failure-threshold = 2 (breakers.llm)", "probes = 3 (breakers.llm)");
    }

    @Test
    void variables_speakOfEntriesWithDashes_inBothWaysThatBootReads() {
        ConfiguredBreakers configured = Written.yaml("guardedby.breakers.my-llm: { failure-threshold: 2, probes: 2 }")
                .andVariable("GUARDEDBY_BREAKERS_MYLLM_FAILURETHRESHOLD", "4")
                .andVariable("GUARDEDBY_BREAKERS_MY_LLM_PROBE_TIMEOUT", "7s")
                .andVariable("GUARDEDBY_BREAKERS_MYLLM_IGNOREEXCEPTIONS_0", "java.io.IOException")
                .read();

        assertThat(configured.names()).containsExactly("my-llm");
        assertThat(shown(configured, "my-llm"))
                .contains(
                        "failure-threshold = 4 (breakers.my-llm)",
                        "probes = 2 (breakers.my-llm)",
                        "probe-timeout = PT7S (breakers.my-llm)",
                        "ignore-exceptions = [java.io.IOException] (breakers.my-llm)");
    }

    @Test
    void variableAlone_makesAnEntry_forTheNameAsCodeSpellsIt() {
        ConfiguredBreakers configured = Written.yaml("")
                .andVariable("GUARDEDBY_BREAKERS_LLM_MODE", "observe")
                .read();

        assertThat(configured.names()).containsExactly("llm");
        assertThat(shown(configured, "LLM")).contains("mode = observe (breakers.llm)");
    }

    @Test
    void unknownVariable_isOnlyWarnedOf(CapturedOutput output) {
        ConfiguredBreakers configured = Written.yaml("guardedby.breakers.llm: { failure-threshold: 2 }")
                .andVariable("GUARDEDBY_BREAKERS_LLM_FAILURETRESHOLD", "4")
                .andVariable("GUARDEDBY_SOMETHING_ELSE", "x")
                .read();

        assertThat(shown(configured, "llm")).contains("failure-threshold = 2 (breakers.llm)");
        assertThat(output)
                .contains("Environment variable GUARDEDBY_BREAKERS_LLM_FAILURETRESHOLD is not a setting and is ignored;"
                        + " did you mean GUARDEDBY_BREAKERS_LLM_FAILURETHRESHOLD?")
                .contains("Environment variable GUARDEDBY_SOMETHING_ELSE is not a setting and is ignored.");
    }

    @Test
    void variablesThatAreRead_areNotWarnedOf(CapturedOutput output) {
        Written.yaml("guardedby.breakers.my-llm.probes: 2")
                .andVariable("GUARDEDBY_BREAKERS_MY_LLM_PROBE_TIMEOUT", "7s")
                .andVariable("GUARDEDBY_BREAKERS_MYLLM_IGNOREEXCEPTIONS_0", "java.io.IOException")
                .andVariable("GUARDEDBY_UNKNOWNNAME", "allow")
                .andVariable("GUARDEDBY_DEFAULTS_FAILURETHRESHOLD", "3")
                .read();

        assertThat(output).doesNotContain("is not a setting");
    }

    @Test
    void unknownSystemProperty_isOnlyWarnedOf(CapturedOutput output) {
        ConfiguredBreakers configured = Written.yaml("")
                .andSystemProperties(Map.of("guardedby.defaults.prbes", "4", "guardedby.breakers.a.b.mode", "observe"))
                .read();

        assertThat(configured.names()).isEmpty();
        assertThat(output)
                .contains("guardedby.defaults.prbes is not a setting; did you mean probes? It is ignored"
                        + " (\"guardedby.defaults.prbes\" from property source \"systemProperties\").");
    }

    @Test
    void placeholders_areResolved() {
        ConfiguredBreakers configured = Written.yaml("""
                threshold: 8
                template: quick
                guardedby:
                  templates.quick.probes: 3
                  breakers.llm: { failure-threshold: "${threshold}", extends: "${template}", probe-timeout: "${unset:9s}" }
                """).read();

        assertThat(shown(configured, "llm"))
                .contains(
                        "failure-threshold = 8 (breakers.llm)",
                        "probes = 3 (templates.quick)",
                        "probe-timeout = PT9S (breakers.llm)");
    }

    @Test
    void switchedOff_readsNothingElse() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  enabled: false
                  breakers.llm.failure-treshold: many
                  breakers.LLM.probes: 2
                """).read();

        assertThat(configured.names()).isEmpty();
        assertThat(configured.settings("llm")).isEqualTo(Collections.emptyMap());
    }

    /** {@code "probes = 4 (templates.slow)"}. */
    static List<String> shown(ConfiguredBreakers configured, String breaker) {
        Map<String, Setting> settings = configured.settings(breaker);
        return settings.entrySet().stream()
                .map(setting -> setting.getKey() + " = " + setting.getValue().value() + " ("
                        + setting.getValue().from() + ")")
                .collect(Collectors.toList());
    }
}
