package dev.guardedby.spring.config;

import static dev.guardedby.spring.config.SettingsTest.shown;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.spring.config.ConfiguredBreakers.Setting;
import org.junit.jupiter.api.Test;

/** Which rule holds, over which window, where several layers speak. */
class RateSettingsTest {

    @Test
    void rate_takesThePlaceOfTheDefaultStreak_butNotOfOneThatIsWritten_whereverThatIs() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  templates:
                    rated: { failure-rate-threshold: 50 }
                    both: { extends: rated, failure-threshold: 5 }
                  breakers:
                    llm: { extends: rated }
                    mail: { extends: both }
                    bank: { failure-rate-threshold: 50, failure-threshold: 9 }
                """).read();
        ConfiguredBreakers withDefault = Written.yaml("""
                guardedby:
                  defaults.failure-threshold: 7
                  breakers.llm.failure-rate-threshold: 50
                """).read();

        assertThat(thresholds(configured, "llm")).isEqualTo("0, none (default)");
        assertThat(thresholds(configured, "mail")).isEqualTo("5, 5 (templates.both)");
        assertThat(thresholds(configured, "bank")).isEqualTo("9, 9 (breakers.bank)");
        assertThat(thresholds(withDefault, "llm")).isEqualTo("7, 7 (defaults)");
        assertThat(thresholds(withDefault, "any")).isEqualTo("7, 7 (defaults)");
    }

    private static String thresholds(ConfiguredBreakers configured, String breaker) {
        Setting shown = configured.settings(breaker).get("failure-threshold");
        return configured.builder(breaker, Ledger.inMemory()).build().failureThreshold() + ", " + shown.value() + " ("
                + shown.from() + ")";
    }

    @Test
    void window_isOfCallsOrOfTime_andALayerMaySwitch() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  defaults.window: 60s
                  templates.counted.window: 30
                  breakers:
                    plain: {}
                    counted: { window: 100 }
                    back: { extends: counted, window: PT2M }
                    small: { extends: counted, window: "7" }
                """).read();
        ConfiguredBreakers counted = Written.yaml("""
                guardedby: { defaults: { window: 250 }, breakers: { timed: { window: 1500ms } } }
                """).read();

        assertThat(shown(configured, "plain")).contains("window = PT1M (defaults)", "minimum-calls = 20 (default)");
        assertThat(shown(configured, "counted")).contains("window = 100 (breakers.counted)");
        assertThat(shown(configured, "back")).contains("window = PT2M (breakers.back)");
        assertThat(shown(configured, "small")).contains("window = 7 (breakers.small)", "minimum-calls = 7 (default)");
        assertThat(shown(counted, "timed")).contains("window = PT1.5S (breakers.timed)");
        assertThat(shown(counted, "any")).contains("window = 250 (defaults)");
    }

    @Test
    void whatFollowsFromOtherSettings_isADefault() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby.breakers.llm: { recovery-timeout: 3s, recovery-backoff-multiplier: 1.5, probes: 3 }
                """).read();

        assertThat(shown(configured, "llm"))
                .contains(
                        "max-recovery-timeout = PT30S (default)",
                        "recovery-jitter = 0.2 (default)",
                        "successes-to-close = 3 (default)");
    }

    @Test
    void pairOfATemplate_isJudgedWithTheBreakerThatExtendsIt() {
        ConfiguredBreakers configured = Written.yaml("""
                guardedby:
                  templates:
                    slow: { slow-call-duration: 20s, successes-to-close: 2, minimum-calls: 500, max-recovery-timeout: 1s }
                    rate: { slow-call-rate-threshold: 80 }
                  breakers.llm:
                    extends: slow
                    slow-call-rate-threshold: 70
                    probes: 3
                    window: 1000
                    recovery-timeout: 500ms
                """).read();

        assertThat(shown(configured, "llm"))
                .contains(
                        "slow-call-duration = PT20S (templates.slow)",
                        "slow-call-rate-threshold = 70.0 (breakers.llm)",
                        "minimum-calls = 500 (templates.slow)",
                        "max-recovery-timeout = PT1S (templates.slow)",
                        "probes = 3 (breakers.llm)",
                        "successes-to-close = 2 (templates.slow)");
    }

    @Test
    void variables_setTheNewKeysToo() {
        ConfiguredBreakers configured = Written.yaml("guardedby.breakers.llm.window: 60s")
                .andVariable("GUARDEDBY_BREAKERS_LLM_WINDOW", "50")
                .andVariable("GUARDEDBY_BREAKERS_LLM_FAILURERATETHRESHOLD", "12.5")
                .read();

        assertThat(shown(configured, "llm"))
                .contains("window = 50 (breakers.llm)", "failure-rate-threshold = 12.5 (breakers.llm)");
    }
}
