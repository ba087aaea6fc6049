package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.spring.config.ConfiguredBreakers.ConfiguredBudget;
import dev.guardedby.spring.config.ConfiguredBreakers.Setting;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Budgets in {@code application.yml}. */
@ExtendWith(OutputCaptureExtension.class)
final class BudgetSettingsTest {
    private static final ZoneId UTC = ZoneId.of("UTC");
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    private static BigDecimal usd(String amount) {
        return new BigDecimal(amount);
    }

    private static List<String> budgets(ConfiguredBreakers configured, String breaker) {
        return configured.builder(breaker, Ledger.inMemory()).build().budgets().stream()
                .map(status -> status.name() + " " + status.limit().toPlainString() + " " + status.unit())
                .toList();
    }

    @Test
    void everything_canBeWritten_andIsShown() {
        ConfiguredBreakers configured = Written.yaml("""
                        guardedby:
                          breakers:
                            llm:
                              budgets:
                                daily:
                                  usd: 25.00
                                  window: day
                                  zone: Europe/Berlin
                                  warn-at: [50, 80]
                                  degrade-at: 90
                                  require-estimate: true
                                burst: { tokens: 200000, window: 10m }
                                run: { usd: 0.50, window: call }
                                monthly: { calls: 1000, window: month }
                              charge-to: [team]
                              estimate-per-call: { usd: 0.02, tokens: 2000 }
                              hold-timeout: 5m
                              charge-on-failure: [java.net.SocketTimeoutException]
                          budgets:
                            team: { usd: 500, window: month }
                        """).read();
        Map<String, Setting> shown = configured.settings("llm");

        assertThat(configured.budget("llm", "daily"))
                .contains(new ConfiguredBudget(
                        Budget.usd("daily", usd("25"))
                                .per(BudgetWindow.day(BERLIN))
                                .warnAt(50, 80)
                                .degradeAt(90)
                                .requireEstimate(true)
                                .build(),
                        false));
        assertThat(configured.budget("llm", "monthly"))
                .contains(new ConfiguredBudget(
                        Budget.calls("monthly", 1000)
                                .per(BudgetWindow.month(UTC))
                                .build(),
                        false));
        assertThat(configured.budget("llm", "team"))
                .contains(new ConfiguredBudget(
                        Budget.usd("team", usd("500"))
                                .per(BudgetWindow.month(UTC))
                                .build(),
                        true));
        assertThat(configured.budget("other", "daily")).isEmpty();
        assertThat(budgets(configured, "llm"))
                .containsExactlyInAnyOrder(
                        "daily 25 USD", "burst 200000 TOKENS", "run 0.5 USD", "monthly 1000 CALLS", "team 500 USD");
        assertThat(shown.get("budgets").value())
                .isEqualTo(Map.of(
                        "daily",
                        Map.of(
                                "usd",
                                usd("25"),
                                "window",
                                "day",
                                "zone",
                                "Europe/Berlin",
                                "warn-at",
                                List.of(50, 80),
                                "degrade-at",
                                90,
                                "require-estimate",
                                true),
                        "burst",
                        Map.of("tokens", usd("200000"), "window", "10m"),
                        "run",
                        Map.of("usd", usd("0.5"), "window", "call"),
                        "monthly",
                        Map.of("calls", usd("1000"), "window", "month", "zone", "UTC")));
        assertThat(shown)
                .containsEntry("charge-to", new Setting(List.of("team"), "breakers.llm"))
                .containsEntry(
                        "estimate-per-call", new Setting(Map.of("usd", usd("0.02"), "tokens", 2000L), "breakers.llm"))
                .containsEntry("hold-timeout", new Setting("PT5M", "breakers.llm"))
                .containsEntry(
                        "charge-on-failure", new Setting(List.of("java.net.SocketTimeoutException"), "breakers.llm"));
    }

    @Test
    void withoutAnything_thereIsNone() {
        assertThat(Written.yaml("guardedby.enabled: true").read().settings("llm"))
                .containsEntry("budgets", new Setting("none", "default"))
                .containsEntry("charge-to", new Setting(List.of(), "default"))
                .containsEntry("estimate-per-call", new Setting("none", "default"))
                .containsEntry("hold-timeout", new Setting("none", "default"))
                .containsEntry("charge-on-failure", new Setting("read timeouts", "default"));
    }

    @Test
    void layers_addUpByTheNameOfTheBudget_andReplaceEachOthersValuesAndLists() {
        ConfiguredBreakers configured = Written.yaml("""
                        guardedby:
                          defaults:
                            budgets:
                              daily: { usd: 10, window: day, zone: Europe/Berlin, warn-at: [50, 80] }
                              hourly: { calls: 100, window: hour }
                            charge-to: [team]
                            estimate-per-call: { usd: 0.02, tokens: 2000 }
                          templates:
                            cheap:
                              budgets:
                                daily: { usd: 1 }
                                half: { window: 10m }
                          breakers:
                            llm:
                              extends: cheap
                              budgets:
                                Daily: { warn-at: [90] }
                                half: { calls: 5 }
                                hourly: { tokens: 7 }
                              charge-to: [firm]
                              estimate-per-call: { usd: 0.5 }
                          budgets:
                            team: { usd: 500, window: month }
                            firm: { usd: 5000, window: lifetime }
                        """).read();

        assertThat(budgets(configured, "llm"))
                .containsExactly("Daily 1 USD", "half 5 CALLS", "hourly 7 TOKENS", "firm 5000 USD");
        assertThat(configured.budget("llm", "Daily").orElseThrow().budget())
                .isEqualTo(Budget.usd("Daily", usd("1"))
                        .per(BudgetWindow.day(BERLIN))
                        .warnAt(90)
                        .build());
        assertThat(budgets(configured, "other")).containsExactly("daily 10 USD", "hourly 100 CALLS", "team 500 USD");
        assertThat(configured.settings("llm"))
                .containsEntry(
                        "estimate-per-call", new Setting(Map.of("usd", usd("0.5"), "tokens", 2000L), "breakers.llm"));
        assertThat(configured.settings("other").get("budgets").from()).isEqualTo("defaults");
    }

    @Test
    void environmentVariable_changesABudget_orMakesOne(CapturedOutput output) {
        ConfiguredBreakers configured = Written.yaml("""
                        guardedby.breakers.llm-api.budgets.daily: { usd: 10, window: day }
                        """)
                .andVariables(Map.of(
                        "GUARDEDBY_BREAKERS_LLMAPI_BUDGETS_DAILY_USD", "3",
                        "GUARDEDBY_BREAKERS_LLMAPI_BUDGETS_DAILY_WARNAT", "50,90",
                        "GUARDEDBY_BREAKERS_SEARCH_BUDGETS_HOURLY_CALLS", "7",
                        "GUARDEDBY_BREAKERS_SEARCH_BUDGETS_HOURLY_WINDOW", "hour",
                        "GUARDEDBY_BREAKERS_SEARCH_BUDGETS_HOURLY_WARMAT", "5"))
                .read();

        assertThat(budgets(configured, "llm-api")).containsExactly("daily 3 USD");
        assertThat(configured.budget("llm-api", "daily").orElseThrow().budget().warnAt())
                .containsExactly(50, 90);
        assertThat(budgets(configured, "search")).containsExactly("hourly 7 CALLS");
        assertThat(output.toString().lines().filter(line -> line.contains("Environment variable")))
                .hasSize(1)
                .first()
                .asString()
                .contains("GUARDEDBY_BREAKERS_SEARCH_BUDGETS_HOURLY_WARMAT is not a setting and is ignored;"
                        + " did you mean GUARDEDBY_BREAKERS_SEARCH_BUDGETS_HOURLY_WARNAT?");
    }

    record Mistake(String yaml, String message) {
        @Override
        public String toString() {
            return yaml;
        }
    }

    private static Mistake daily(String yaml, String message) {
        return new Mistake(
                "guardedby.breakers.llm.budgets.daily: { " + yaml + " }",
                "guardedby.breakers.llm.budgets.daily" + message);
    }

    static List<Mistake> mistakes() {
        return List.of(
                daily("window: day", " must have exactly one of usd, tokens and calls, but has none"),
                daily(
                        "usd: 25, tokens: 100, window: day",
                        " must have exactly one of usd, tokens and calls, but has usd (25) and tokens (100)"),
                daily("usd: 25", " needs window, but has none"),
                daily(
                        "usd: 25, window: dayly",
                        ".window must be call, hour, day, week, month, lifetime or a length with its unit such as 10m,"
                                + " but was dayly"),
                daily(
                        "usd: 25, window: 600",
                        ".window must be call, hour, day, week, month, lifetime or a length with its unit such as 10m,"
                                + " but was 600"),
                daily("usd: 25, window: 0s", ".window must be positive, but was 0s"),
                daily("usd: -1, window: day", ".usd must not be negative, but was -1"),
                daily("usd: 1e300, window: day", ".usd must be at most 9223372036.854775807, but was 1.0E300"),
                daily("usd: .nan, window: day", ".usd must be a number, but was 'NaN'"),
                daily("usd: 0.0000000001, window: day", ".usd must have at most 9 decimals, but was 1.0E-10"),
                daily("tokens: 1.5, window: day", ".tokens must be a whole number, but was '1.5'"),
                daily(
                        "calls: -9223372036854775808, window: day",
                        ".calls must not be negative, but was -9223372036854775808"),
                daily(
                        "usd: 1, window: day, zone: Europe/Berln",
                        ".zone must be a time zone such as Europe/Berlin or UTC, but was 'Europe/Berln'"),
                daily(
                        "usd: 1, window: 10m, zone: UTC",
                        ".zone goes with a window of hour, day, week or month, but window was 10m"),
                daily(
                        "usd: 1, window: day, warn-at: [80, 50]",
                        ".warn-at must be percentages from 1 to 100 in ascending order, but was [80, 50]"),
                daily("usd: 1, window: day, degrade-at: 101", ".degrade-at must be from 1 to 100, but was 101"),
                daily("usd: 1, window: day, warm-at: 50", ".warm-at is not a setting; did you mean warn-at?"),
                daily(
                        "usd: 1, window: day, require-estimate: often",
                        ".require-estimate must be true or false, but was 'often'"),
                new Mistake(
                        "guardedby.breakers.llm.budget.daily.window: day",
                        "guardedby.breakers.llm.budget.daily.window is not a setting;"
                                + " did you mean guardedby.breakers.llm.budgets.daily.window?"),
                new Mistake(
                        "guardedby.breakers.llm.budgets.daily: 25",
                        "guardedby.breakers.llm.budgets.daily must hold settings, but was '25'"),
                new Mistake(
                        "guardedby.breakers.llm.budgets: { daily: { usd: 1, window: day }, Daily: { usd: 2 } }",
                        "guardedby.breakers.llm.budgets has two spellings of one name, 'daily'"),
                new Mistake(
                        "guardedby.breakers.llm.budgets: { \"[a b]\": { usd: 1, window: day } }",
                        "guardedby.breakers.llm.budgets[a b]: name must be 1 to 64 letters"),
                new Mistake(
                        "guardedby.defaults.budgets.daily: { usd: 1 }",
                        "guardedby.defaults.budgets.daily needs window, but has none"),
                new Mistake(
                        "guardedby.templates.t.budgets.daily: { usd: -1, window: day }",
                        "guardedby.templates.t.budgets.daily.usd must not be negative, but was -1"),
                new Mistake(
                        "guardedby: { budgets: { team: { usd: 1, window: day } }, breakers: { llm: { charge-to: [teem] } } }",
                        "guardedby.breakers.llm.charge-to must name entries of guardedby.budgets, but was 'teem';"
                                + " did you mean team?"),
                new Mistake(
                        "guardedby.templates.t.charge-to: team",
                        "guardedby.templates.t.charge-to must name entries of guardedby.budgets, but was 'team';"
                                + " there are none"),
                new Mistake(
                        "guardedby: { budgets: { team: { usd: 1, window: day } }, breakers: { llm:"
                                + " { charge-to: [team], budgets: { team: { usd: 1, window: day } } } } }",
                        "guardedby.breakers.llm.charge-to must name other budgets than the breaker's own,"
                                + " but both have 'team'"),
                new Mistake(
                        "guardedby.budgets.team: { usd: 1, window: call }",
                        "guardedby.budgets.team.window must be hour, day, week, month, lifetime or a length such as 10m,"
                                + " because breakers share it, but was call"),
                new Mistake("guardedby.budgets.team: { usd: 1 }", "guardedby.budgets.team needs window, but has none"),
                new Mistake(
                        "guardedby.breakers.llm.estimate-per-call: { usd: 0 }",
                        "guardedby.breakers.llm.estimate-per-call.usd must be above 0 and at most 1000000, but was 0"),
                new Mistake(
                        "guardedby.breakers.llm.estimate-per-call: { tokens: -5 }",
                        "guardedby.breakers.llm.estimate-per-call.tokens must be at least 1 and at most 1000000000000,"
                                + " but was -5"),
                new Mistake(
                        "guardedby.breakers.llm.estimate-per-call: 0.02",
                        "guardedby.breakers.llm.estimate-per-call must hold settings, but was '0.02'"),
                new Mistake(
                        "guardedby.breakers.llm.hold-timeout: 0s",
                        "guardedby.breakers.llm.hold-timeout must be positive, but was 0s"),
                new Mistake(
                        "guardedby.breakers.llm.charge-on-failure: [com.acme.Gone]",
                        "guardedby.breakers.llm.charge-on-failure[0] must be the name of an exception class, but there is"
                                + " no class 'com.acme.Gone' on the class path"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void mistake_stopsTheStart_andIsNamed(Mistake mistake) {
        BadConfigurationException refused = catchThrowableOfType(
                BadConfigurationException.class,
                () -> Written.yaml(mistake.yaml()).read());

        assertThat(refused).hasMessageStartingWith(mistake.message());
        assertThat(refused.action()).isNotBlank();
    }

    @Test
    void breakers_shareOneLedger_whichIsTheApplicationsWhereItHasOne() {
        ApplicationContextRunner context = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(GuardedByAutoConfiguration.class))
                .withPropertyValues(
                        "guardedby.budgets.team.usd=1",
                        "guardedby.budgets.team.window=lifetime",
                        "guardedby.defaults.charge-to=team");
        Ledger own = Ledger.inMemory();

        context.run(started -> assertThat(spentOfTeam(started.getBean(CircuitBreakerRegistry.class)))
                .isEqualTo("0.75"));
        context.withBean(Ledger.class, () -> own).run(started -> {
            assertThat(started).getBean(Ledger.class).isSameAs(own);
            assertThat(spentOfTeam(started.getBean(CircuitBreakerRegistry.class)))
                    .isEqualTo("0.75");
        });
        context.withBean(Ledger.class, () -> own)
                .run(started -> assertThat(spentOfTeam(started.getBean(CircuitBreakerRegistry.class)))
                        .as("what an earlier application left in the same ledger")
                        .isEqualTo("1.5"));
    }

    private static String spentOfTeam(CircuitBreakerRegistry registry) {
        registry.get("one").recordCost(0, 0, usd("0.5"));
        registry.get("other").recordCost(0, 0, usd("0.25"));
        return registry.get("third").budgets().stream()
                .map(BudgetStatus::spent)
                .map(BigDecimal::toPlainString)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void milliseconds_areWarnedOf(CapturedOutput output) {
        assertThat(Written.yaml(
                                "guardedby.breakers.llm: { hold-timeout: 500, budgets: { b: { calls: 1, window: 1h } } }")
                        .read()
                        .settings("llm")
                        .get("hold-timeout")
                        .value())
                .isEqualTo(Duration.ofMillis(500).toString());
        assertThat(output).contains("guardedby.breakers.llm.hold-timeout is read as 500 ms; write 500s for seconds");
    }
}
