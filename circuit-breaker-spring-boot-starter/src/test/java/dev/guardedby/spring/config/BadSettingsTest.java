package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Each mistake: what is written, and what is said of it. */
class BadSettingsTest {

    record Mistake(String yaml, String message, String action, String line) {
        @Override
        public String toString() {
            return yaml;
        }
    }

    static List<Mistake> mistakes() {
        return Stream.of(unknownKeys(), values(), rules(), names(), templates(), BadRateSettings.mistakes())
                .flatMap(List::stream)
                .toList();
    }

    private static List<Mistake> unknownKeys() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.failure-treshold: 3",
                        "guardedby.breakers.llm.failure-treshold is not a setting; did you mean failure-threshold?",
                        "Write guardedby.breakers.llm.failure-threshold instead.",
                        "1:42"),
                new Mistake(
                        "guardedby: { breakers: { llm: { failureTreshold: 3 } } }",
                        "guardedby.breakers.llm.failureTreshold is not a setting; did you mean failure-threshold?",
                        "Write guardedby.breakers.llm.failure-threshold instead.",
                        "1:50"),
                new Mistake(
                        "guardedby.templates.slow.ignore-exception: [java.io.IOException]",
                        "guardedby.templates.slow.ignore-exception is not a setting; did you mean ignore-exceptions?",
                        "Write guardedby.templates.slow.ignore-exceptions instead.",
                        "1:45"),
                new Mistake(
                        "guardedby.defaults.wait: 3s",
                        "guardedby.defaults.wait is not a setting; guardedby.defaults has failure-threshold,"
                                + " failure-rate-threshold, slow-call-duration, slow-call-rate-threshold, window,"
                                + " minimum-calls, recovery-timeout, recovery-backoff-multiplier, max-recovery-timeout,"
                                + " recovery-jitter, ramp-up, probes, successes-to-close, probe-timeout,"
                                + " record-exceptions, ignore-exceptions, trip-exceptions, trip-on, mode, max-keys, tag-keys,"
                                + " budgets, charge-to, estimate-per-call, hold-timeout, charge-on-failure",
                        "Remove it, or write one of these settings instead.",
                        "1:26"),
                new Mistake(
                        "guardedby.unknwon-name: fail",
                        "guardedby.unknwon-name is not a setting; did you mean unknown-name?",
                        "Write guardedby.unknown-name instead.",
                        "1:25"),
                new Mistake(
                        "guardedby.web.problem-detail: true",
                        "guardedby.web.problem-detail is not a setting; did you mean problem-details?",
                        "Write guardedby.web.problem-details instead.",
                        "1:31"),
                new Mistake(
                        "guardedby.web: true",
                        "guardedby.web must hold settings, but was 'true'",
                        "Write settings below guardedby.web, or nothing.",
                        "1:16"),
                new Mistake(
                        "guardedby.breaker.llm.probes: 2",
                        "guardedby.breaker.llm.probes is not a setting; did you mean guardedby.breakers.llm.probes?",
                        "Write guardedby.breakers.llm.probes instead.",
                        "1:31"),
                new Mistake(
                        "guardedby.breaker.llm.trip-exceptions: [java.io.IOException]",
                        "guardedby.breaker.llm.trip-exceptions is not a setting;"
                                + " did you mean guardedby.breakers.llm.trip-exceptions?",
                        "Write guardedby.breakers.llm.trip-exceptions instead.",
                        "1:41"),
                new Mistake(
                        "guardedby.llm.mode: observe",
                        "guardedby.llm.mode is not a setting; did you mean guardedby.breakers.llm.mode?",
                        "Write guardedby.breakers.llm.mode instead.",
                        "1:21"),
                new Mistake(
                        "guardedby: { breakers: { eu.west.llm: { mode: observe } } }",
                        "guardedby.breakers.eu.west.llm.mode is not a setting;"
                                + " did you mean guardedby.breakers[eu.west.llm].mode?",
                        "Write guardedby.breakers[eu.west.llm].mode instead."
                                + " A name with dots is put in brackets, in YAML in quotes, too: \"[a.b]\".",
                        "1:47"),
                new Mistake(
                        "guardedby: { breakers: { \"Client#get(String)\": { probes: 2 } } }",
                        "guardedby.breakers.Client#get(String).probes has '#', which would be left out without a word",
                        "Write names with letters, digits, '-' and '_'."
                                + " A name with dots is put in brackets, in YAML in quotes, too: \"[a.b]\".",
                        "1:58"),
                new Mistake(
                        "guardedby: { breakers: { eu.llm: { mod: observe } } }",
                        "guardedby.breakers.eu.llm.mod is not a setting; guardedby.breakers.eu has extends,"
                                + " failure-threshold, failure-rate-threshold, slow-call-duration,"
                                + " slow-call-rate-threshold, window, minimum-calls, recovery-timeout,"
                                + " recovery-backoff-multiplier, max-recovery-timeout, recovery-jitter, ramp-up, probes,"
                                + " successes-to-close, probe-timeout, record-exceptions, ignore-exceptions,"
                                + " trip-exceptions, trip-on, mode, max-keys, tag-keys,"
                                + " budgets, charge-to, estimate-per-call, hold-timeout, charge-on-failure",
                        "Remove it, or write one of these settings instead."
                                + " A name with dots is put in brackets, in YAML in quotes, too: \"[a.b]\".",
                        "1:41"),
                new Mistake(
                        "guardedby.breakers.llm.probes.max: 3",
                        "guardedby.breakers.llm.probes.max is not a setting;"
                                + " guardedby.breakers.llm.probes has a value and no settings below it",
                        "Write the value of guardedby.breakers.llm.probes beside it.",
                        "1:36"),
                new Mistake(
                        "guardedby.breakers.llm: observe",
                        "guardedby.breakers.llm must hold settings, but was 'observe'",
                        "Write settings below guardedby.breakers.llm, or nothing.",
                        "1:25"),
                new Mistake(
                        "guardedby.defaults.extends: slow",
                        "guardedby.defaults.extends is not a setting; the defaults are what everything else extends",
                        "Move what the template says to guardedby.defaults.",
                        "1:29"));
    }

    private static List<Mistake> values() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.failure-threshold: many",
                        "guardedby.breakers.llm.failure-threshold must be a whole number, but was 'many'",
                        "Set guardedby.breakers.llm.failure-threshold to a whole number.",
                        "1:43"),
                new Mistake(
                        "guardedby.breakers.llm.probes:",
                        "guardedby.breakers.llm.probes must be a whole number, but was ''",
                        "Set guardedby.breakers.llm.probes to a whole number.",
                        "1:31"),
                new Mistake(
                        "guardedby.templates.slow.recovery-timeout: soon",
                        "guardedby.templates.slow.recovery-timeout must be a duration such as 30s or 5m, but was 'soon'",
                        "Set guardedby.templates.slow.recovery-timeout to a duration such as 30s or 5m.",
                        "1:44"),
                new Mistake(
                        "guardedby.defaults.probe-timeout: ''",
                        "guardedby.defaults.probe-timeout must be a duration such as 30s or 5m, but was ''",
                        "Set guardedby.defaults.probe-timeout to a duration such as 30s or 5m.",
                        "1:35"),
                new Mistake(
                        "guardedby.breakers.llm.mode: dry-run",
                        "guardedby.breakers.llm.mode must be one of enforce, observe, disabled, but was 'dry-run'",
                        "Set guardedby.breakers.llm.mode to one of enforce, observe, disabled.",
                        "1:30"),
                new Mistake(
                        "guardedby.breakers.llm.mode: off",
                        "guardedby.breakers.llm.mode must be one of enforce, observe, disabled, but was 'false'",
                        "Write disabled. YAML reads off and no, without quotes, as false.",
                        "1:30"),
                new Mistake(
                        "guardedby.unknown-name: never",
                        "guardedby.unknown-name must be one of near-miss, fail, allow, but was 'never'",
                        "Set guardedby.unknown-name to one of near-miss, fail, allow.",
                        "1:25"),
                new Mistake(
                        "guardedby.ledger.type: cassandra",
                        "guardedby.ledger.type must be one of memory, but was 'cassandra'",
                        "Set guardedby.ledger.type to one of memory.",
                        "1:24"),
                new Mistake(
                        "guardedby.enabled: maybe",
                        "guardedby.enabled must be true or false, but was 'maybe'",
                        "Set guardedby.enabled to true or false.",
                        "1:20"),
                new Mistake(
                        "guardedby.web.problem-details: sometimes",
                        "guardedby.web.problem-details must be true or false, but was 'sometimes'",
                        "Set guardedby.web.problem-details to true or false.",
                        "1:32"),
                new Mistake(
                        "guardedby.web.show-name: llm",
                        "guardedby.web.show-name must be true or false, but was 'llm'",
                        "Set guardedby.web.show-name to true or false.",
                        "1:26"),
                new Mistake(
                        "guardedby.health.down-when-open: maybe",
                        "guardedby.health.down-when-open must be true or false, but was 'maybe'",
                        "Set guardedby.health.down-when-open to true or false.",
                        "1:34"),
                new Mistake(
                        "guardedby.breakers.llm.record-exceptions: [java.io.IOException, com.acme.NoSuchThing]",
                        "guardedby.breakers.llm.record-exceptions[1] must be the name of an exception class,"
                                + " but there is no class 'com.acme.NoSuchThing' on the class path",
                        "Set guardedby.breakers.llm.record-exceptions[1] to the full name, with the package;"
                                + " a nested class is com.acme.Outer$Inner.",
                        "1:65"),
                new Mistake(
                        "guardedby.breakers.llm.trip-exceptions: java.io.IOException, com.acme.NoSuchThing",
                        "guardedby.breakers.llm.trip-exceptions must be the name of an exception class,"
                                + " but there is no class 'com.acme.NoSuchThing' on the class path",
                        "Set guardedby.breakers.llm.trip-exceptions to the full name, with the package;"
                                + " a nested class is com.acme.Outer$Inner.",
                        "1:41"),
                new Mistake(
                        "guardedby.breakers.llm.ignore-exceptions: [java.lang.String]",
                        "guardedby.breakers.llm.ignore-exceptions[0] must be the name of an exception class,"
                                + " but java.lang.String is not an exception",
                        "Set guardedby.breakers.llm.ignore-exceptions[0] to a class that extends java.lang.Throwable.",
                        "1:44"));
    }

    private static List<Mistake> rules() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.failure-threshold: 0",
                        "guardedby.breakers.llm.failure-threshold must be at least 1, but was 0",
                        "Set guardedby.breakers.llm.failure-threshold to at least 1.",
                        "1:43"),
                new Mistake(
                        "guardedby.breakers.llm.max-keys: 0",
                        "guardedby.breakers.llm.max-keys must be at least 1, but was 0",
                        "Set guardedby.breakers.llm.max-keys to at least 1.",
                        "1:34"),
                new Mistake(
                        "guardedby.templates.slow.tag-keys: -1",
                        "guardedby.templates.slow.tag-keys must be at least 0, but was -1",
                        "Set guardedby.templates.slow.tag-keys to at least 0.",
                        "1:36"),
                new Mistake(
                        "guardedby.templates.slow: { probes: 0, successes-to-close: 2 }",
                        "guardedby.templates.slow.probes must be at least 1, but was 0",
                        "Set guardedby.templates.slow.probes to at least 1.",
                        "1:37"),
                new Mistake(
                        "guardedby.templates.slow.successes-to-close: 0",
                        "guardedby.templates.slow.successes-to-close must be at least 1, but was 0",
                        "Set guardedby.templates.slow.successes-to-close to at least 1.",
                        "1:46"),
                new Mistake(
                        "guardedby: { templates: { slow: { successes-to-close: 2 } }, breakers: { llm: { extends: slow } } }",
                        "guardedby.templates.slow.successes-to-close must be at most probes,"
                                + " but was 2 and probes was 1, its default",
                        "Set guardedby.templates.slow.successes-to-close to at most probes, or raise probes.",
                        "1:55"),
                new Mistake(
                        "guardedby.breakers.llm.recovery-timeout: -1s",
                        "guardedby.breakers.llm.recovery-timeout must be positive, but was -1s",
                        "Set guardedby.breakers.llm.recovery-timeout to a duration above 0, such as 30s.",
                        "1:42"),
                new Mistake(
                        "guardedby.defaults.recovery-timeout: 4000d",
                        "guardedby.defaults.recovery-timeout must be at most 10 years, but was 4000d",
                        "Set guardedby.defaults.recovery-timeout to at most 10 years.",
                        "1:38"),
                new Mistake(
                        "guardedby.templates.slow.probe-timeout: 0",
                        "guardedby.templates.slow.probe-timeout must be positive, but was 0",
                        "Set guardedby.templates.slow.probe-timeout to a duration above 0, such as 30s.",
                        "1:41"),
                new Mistake(
                        "guardedby: { defaults: { probes: 2 }, breakers: { llm: { successes-to-close: 3 } } }",
                        "guardedby.breakers.llm.successes-to-close must be at most probes,"
                                + " but was 3 and guardedby.defaults.probes was 2",
                        "Set guardedby.breakers.llm.successes-to-close to at most probes, or raise probes.",
                        "1:78"),
                new Mistake(
                        "guardedby: { defaults: { successes-to-close: 2, probes: 2 }, breakers: { llm: { probes: 1 } } }",
                        "guardedby.defaults.successes-to-close must be at most probes,"
                                + " but was 2 and guardedby.breakers.llm.probes was 1",
                        "Set guardedby.defaults.successes-to-close to at most probes, or raise probes.",
                        "1:46"));
    }

    private static List<Mistake> names() {
        return List.of(
                new Mistake(
                        """
                        guardedby.breakers:
                          my-llm: { probes: 2 }
                          myLlm: { mode: observe }
                        """,
                        "guardedby.breakers has two spellings of one name, 'my-llm' (application.yml - 2:21)"
                                + " and 'myLlm' (application.yml - 3:18); case and dashes make no difference",
                        "Write the name the same way in both places, or choose names that differ in more than case and"
                                + " dashes.",
                        "3:18"),
                new Mistake(
                        "guardedby.breakers: { \"[a b]\": { probes: 2 } }",
                        "guardedby.breakers[a b]: name must be 1 to 64 letters, digits, '.', '_' or '-', but was 'a b'",
                        "Choose a name of 1 to 64 letters, digits, '.', '_' or '-'.",
                        ""));
    }

    private static List<Mistake> templates() {
        return List.of(
                new Mistake(
                        "guardedby: { templates: { slow-remote: {} }, breakers: { llm: { extends: slow-remot } } }",
                        "guardedby.breakers.llm.extends must be an entry of guardedby.templates, but was 'slow-remot';"
                                + " did you mean slow-remote?",
                        "Name a template, or write guardedby.templates.slow-remot.",
                        "1:74"),
                new Mistake(
                        "guardedby: { templates: { slow: {}, quick: {} }, breakers: { llm: { extends: other } } }",
                        "guardedby.breakers.llm.extends must be an entry of guardedby.templates, but was 'other';"
                                + " there are slow, quick",
                        "Name a template, or write guardedby.templates.other.",
                        "1:78"),
                new Mistake(
                        "guardedby.breakers.llm.extends: slow",
                        "guardedby.breakers.llm.extends must be an entry of guardedby.templates, but was 'slow';"
                                + " there are none",
                        "Name a template, or write guardedby.templates.slow.",
                        "1:33"),
                new Mistake(
                        "guardedby.templates.slow.extends: quick",
                        "guardedby.templates.slow.extends must be an entry of guardedby.templates, but was 'quick';"
                                + " there are slow",
                        "Name a template, or write guardedby.templates.quick.",
                        "1:35"),
                new Mistake(
                        "guardedby.templates: { a: { extends: b }, b: { extends: c }, c: { extends: b } }",
                        "guardedby.templates.c.extends closes a circle: templates.a > templates.b > templates.c >"
                                + " templates.b",
                        "Remove one of these extends.",
                        "1:76"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void startUpFails_withWhatIsWrittenAndWhatWouldBeRight(Mistake mistake) {
        BadConfigurationException refused = catchThrowableOfType(
                BadConfigurationException.class,
                () -> Written.yaml(mistake.yaml).read());

        FailureAnalysis analysis = new BadConfigurationFailureAnalyzer().analyze(refused);
        String where = mistake.line.isEmpty() ? "" : "\n\n    Written in: application.yml - " + mistake.line;
        assertThat(analysis.getDescription()).isEqualTo(mistake.message + where);
        assertThat(analysis.getAction()).isEqualTo(mistake.action);
    }

    @Test
    void elementInTheMiddleOfAList_isNotPutIntoTheListOfAWeakerSource() {
        BadConfigurationException refused = catchThrowableOfType(
                BadConfigurationException.class,
                () -> Written.yaml("guardedby.defaults: { \"record-exceptions[1]\": java.io.EOFException }")
                        .andFile("base.yml", "guardedby.defaults.record-exceptions: [java.io.IOException]")
                        .read());

        assertThat(new BadConfigurationFailureAnalyzer().analyze(refused).getDescription())
                .isEqualTo("guardedby.defaults.record-exceptions[1] is without the elements before it;"
                        + " a list replaces the whole list\n\n    Written in: application.yml - 1:47");
    }

    @Test
    void variableWithABadValue_failsToo() {
        BadConfigurationException refused = catchThrowableOfType(
                BadConfigurationException.class,
                () -> Written.yaml("")
                        .andVariable("GUARDEDBY_BREAKERS_LLM_PROBES", "many")
                        .read());

        assertThat(new BadConfigurationFailureAnalyzer().analyze(refused).getDescription())
                .isEqualTo("guardedby.breakers.llm.probes must be a whole number, but was 'many'\n\n    Written in:"
                        + " \"GUARDEDBY_BREAKERS_LLM_PROBES\" from property source"
                        + " \"GUARDEDBY_BREAKERS_LLM_PROBES-systemEnvironment\"");
    }
}
