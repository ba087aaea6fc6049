package dev.guardedby.spring.config;

import dev.guardedby.spring.config.BadSettingsTest.Mistake;
import java.util.List;
import java.util.stream.Stream;

/** Mistakes about rates, windows, slow calls and waits. */
final class BadRateSettings {
    private BadRateSettings() {}

    static List<Mistake> mistakes() {
        return Stream.of(values(), rules(), pairs()).flatMap(List::stream).toList();
    }

    private static List<Mistake> values() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.failure-rate-treshold: 50",
                        "guardedby.breakers.llm.failure-rate-treshold is not a setting; did you mean failure-rate-threshold?",
                        "Write guardedby.breakers.llm.failure-rate-threshold instead.",
                        "1:47"),
                new Mistake(
                        "guardedby.breakers.llm.minimumcals: 5",
                        "guardedby.breakers.llm.minimumcals is not a setting; did you mean minimum-calls?",
                        "Write guardedby.breakers.llm.minimum-calls instead.",
                        "1:37"),
                new Mistake(
                        "guardedby.breakers.llm.window: 60 s",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was '60 s'",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: abc",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was 'abc'",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: 1.5",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was '1.5'",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: 99999999999",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was '99999999999'",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: ''",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was ''",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: 100 calls",
                        "guardedby.breakers.llm.window must be a number of calls such as 100, or a duration such as 60s, but was '100 calls'",
                        "Set guardedby.breakers.llm.window to a number of calls such as 100, or a duration such as 60s.",
                        "1:32"),
                new Mistake(
                        "guardedby.defaults.failure-rate-threshold: 50%",
                        "guardedby.defaults.failure-rate-threshold must be a number, but was '50%'",
                        "Set guardedby.defaults.failure-rate-threshold to a number.",
                        "1:44"),
                new Mistake(
                        "guardedby.breakers.llm.recovery-jitter: ''",
                        "guardedby.breakers.llm.recovery-jitter must be a number, but was ''",
                        "Set guardedby.breakers.llm.recovery-jitter to a number.",
                        "1:41"),
                new Mistake(
                        "guardedby.breakers.llm.minimum-calls: 2.5",
                        "guardedby.breakers.llm.minimum-calls must be a whole number, but was '2.5'",
                        "Set guardedby.breakers.llm.minimum-calls to a whole number.",
                        "1:39"),
                new Mistake(
                        "guardedby.breakers.llm.ramp-up: later",
                        "guardedby.breakers.llm.ramp-up must be a duration such as 30s or 5m, but was 'later'",
                        "Set guardedby.breakers.llm.ramp-up to a duration such as 30s or 5m.",
                        "1:33"));
    }

    private static List<Mistake> rules() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.window: 0",
                        "guardedby.breakers.llm.window must be at least 1, but was 0",
                        "Set guardedby.breakers.llm.window to at least 1.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: -5",
                        "guardedby.breakers.llm.window must be at least 1, but was -5",
                        "Set guardedby.breakers.llm.window to at least 1.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.window: -5s",
                        "guardedby.breakers.llm.window must be positive, but was -5s",
                        "Set guardedby.breakers.llm.window to a duration above 0, such as 30s.",
                        "1:32"),
                new Mistake(
                        "guardedby.templates.t.window: 0s",
                        "guardedby.templates.t.window must be positive, but was 0s",
                        "Set guardedby.templates.t.window to a duration above 0, such as 30s.",
                        "1:31"),
                new Mistake(
                        "guardedby.breakers.llm.window: 4000d",
                        "guardedby.breakers.llm.window must be at most 10 years, but was 4000d",
                        "Set guardedby.breakers.llm.window to at most 10 years.",
                        "1:32"),
                new Mistake(
                        "guardedby.breakers.llm.failure-rate-threshold: 0",
                        "guardedby.breakers.llm.failure-rate-threshold must be above 0 and at most 100, but was 0",
                        "Set guardedby.breakers.llm.failure-rate-threshold to above 0 and at most 100.",
                        "1:48"),
                new Mistake(
                        "guardedby.templates.t.failure-rate-threshold: 100.5",
                        "guardedby.templates.t.failure-rate-threshold must be above 0 and at most 100, but was 100.5",
                        "Set guardedby.templates.t.failure-rate-threshold to above 0 and at most 100.",
                        "1:47"),
                new Mistake(
                        "guardedby.breakers.llm.failure-rate-threshold: .nan",
                        "guardedby.breakers.llm.failure-rate-threshold must be above 0 and at most 100, but was NaN",
                        "Set guardedby.breakers.llm.failure-rate-threshold to above 0 and at most 100.",
                        "1:48"),
                new Mistake(
                        "guardedby.templates.t.slow-call-rate-threshold: -1",
                        "guardedby.templates.t.slow-call-rate-threshold must be above 0 and at most 100, but was -1",
                        "Set guardedby.templates.t.slow-call-rate-threshold to above 0 and at most 100.",
                        "1:49"),
                new Mistake(
                        "guardedby.templates.t.slow-call-duration: 0s",
                        "guardedby.templates.t.slow-call-duration must be positive, but was 0s",
                        "Set guardedby.templates.t.slow-call-duration to a duration above 0, such as 30s.",
                        "1:43"),
                new Mistake(
                        "guardedby.defaults.minimum-calls: 0",
                        "guardedby.defaults.minimum-calls must be at least 1, but was 0",
                        "Set guardedby.defaults.minimum-calls to at least 1.",
                        "1:35"),
                new Mistake(
                        "guardedby.breakers.llm.recovery-backoff-multiplier: 0.5",
                        "guardedby.breakers.llm.recovery-backoff-multiplier must be at least 1, but was 0.5",
                        "Set guardedby.breakers.llm.recovery-backoff-multiplier to at least 1.",
                        "1:53"),
                new Mistake(
                        "guardedby.breakers.llm.recovery-backoff-multiplier: .inf",
                        "guardedby.breakers.llm.recovery-backoff-multiplier must be finite, but was Infinity",
                        "Set guardedby.breakers.llm.recovery-backoff-multiplier to finite.",
                        "1:53"),
                new Mistake(
                        "guardedby.templates.t.max-recovery-timeout: 0s",
                        "guardedby.templates.t.max-recovery-timeout must be positive, but was 0s",
                        "Set guardedby.templates.t.max-recovery-timeout to a duration above 0, such as 30s.",
                        "1:45"),
                new Mistake(
                        "guardedby.breakers.llm.recovery-jitter: 1",
                        "guardedby.breakers.llm.recovery-jitter must be at least 0 and below 1, but was 1",
                        "Set guardedby.breakers.llm.recovery-jitter to at least 0 and below 1.",
                        "1:41"),
                new Mistake(
                        "guardedby.templates.t.recovery-jitter: -0.1",
                        "guardedby.templates.t.recovery-jitter must be at least 0 and below 1, but was -0.1",
                        "Set guardedby.templates.t.recovery-jitter to at least 0 and below 1.",
                        "1:40"),
                new Mistake(
                        "guardedby.breakers.llm.ramp-up: 0s",
                        "guardedby.breakers.llm.ramp-up must be positive, but was 0s",
                        "Set guardedby.breakers.llm.ramp-up to a duration above 0, such as 30s.",
                        "1:33"));
    }

    private static List<Mistake> pairs() {
        return List.of(
                new Mistake(
                        "guardedby.breakers.llm.minimum-calls: 101",
                        "guardedby.breakers.llm.minimum-calls must be at most window, but was 101 and window was 100, its default",
                        "Set guardedby.breakers.llm.minimum-calls to at most window, or raise window.",
                        "1:39"),
                new Mistake(
                        "guardedby: { defaults: { minimum-calls: 30 }, breakers: { llm: { window: 10 } } }",
                        "guardedby.defaults.minimum-calls must be at most window, but was 30 and guardedby.breakers.llm.window was 10",
                        "Set guardedby.defaults.minimum-calls to at most window, or raise window.",
                        "1:41"),
                new Mistake(
                        "guardedby: { defaults: { window: 60s }, templates: { t: { window: 9 } }, breakers: { llm: { extends: t, minimum-calls: 10 } } }",
                        "guardedby.breakers.llm.minimum-calls must be at most window, but was 10 and guardedby.templates.t.window was 9",
                        "Set guardedby.breakers.llm.minimum-calls to at most window, or raise window.",
                        "1:120"),
                new Mistake(
                        "guardedby.breakers.llm.slow-call-rate-threshold: 80",
                        "guardedby.breakers.llm.slow-call-rate-threshold needs slow-call-duration, but was 80 and slow-call-duration was not set",
                        "Set slow-call-duration, too, or remove guardedby.breakers.llm.slow-call-rate-threshold.",
                        "1:50"),
                new Mistake(
                        "guardedby: { templates: { t: { slow-call-duration: 20s } }, breakers: { llm: { extends: t } } }",
                        "guardedby.templates.t.slow-call-duration needs slow-call-rate-threshold, but was 20s and slow-call-rate-threshold was not set",
                        "Set slow-call-rate-threshold, too, or remove guardedby.templates.t.slow-call-duration.",
                        "1:52"),
                new Mistake(
                        "guardedby.defaults.max-recovery-timeout: 1m",
                        "guardedby.defaults.max-recovery-timeout must be at least recovery-timeout, but was 1m and recovery-timeout was PT5M, its default",
                        "Set guardedby.defaults.max-recovery-timeout to at least recovery-timeout, or lower recovery-timeout.",
                        "1:42"),
                new Mistake(
                        "guardedby: { templates: { t: { recovery-timeout: 2m } }, breakers: { llm: { extends: t, max-recovery-timeout: 90s } } }",
                        "guardedby.breakers.llm.max-recovery-timeout must be at least recovery-timeout, but was 90s and guardedby.templates.t.recovery-timeout was 2m",
                        "Set guardedby.breakers.llm.max-recovery-timeout to at least recovery-timeout, or lower recovery-timeout.",
                        "1:111"));
    }
}
