package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import dev.guardedby.circuitbreaker.Refusal;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.spring.config.ConfiguredBreakers.ConfiguredBudget;
import dev.guardedby.spring.config.ConfiguredBreakers.Setting;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** All there is to know about one breaker, as plain maps that any JSON writer can write. Reading it moves nothing. */
final class BreakerDocument {

    private BreakerDocument() {}

    /**
     * The document of a breaker.
     *
     * @param shown how the settings that the breaker says are in force are shown
     * @param configured what the configuration says of a budget, if it has it
     */
    static Map<String, Object> of(
            CircuitBreaker breaker,
            Function<Map<String, Object>, Map<String, Setting>> shown,
            Function<String, Optional<ConfiguredBudget>> configured) {
        Snapshot seen = Snapshot.of(breaker);
        CircuitBreakerStats stats = seen.stats();
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("name", breaker.name());
        breaker.key().ifPresent(key -> document.put("key", key));
        document.put("state", stats.state().name());
        document.put("mode", seen.mode().name());
        document.put("admitting", seen.refusal().isEmpty());
        seen.refusal()
                .ifPresent(refused -> document.put("reason", refused.reason().name()));
        document.put("message", seen.message());
        if (stats.lastStateChangeAt() != null) {
            document.put("since", stats.lastStateChangeAt().toString());
        }
        seen.refusal().flatMap(Refusal::retryAfter).ifPresent(wait -> document.put("retryAfter", wait.toString()));
        seen.last().ifPresent(last -> document.put("lastTransition", transition(last)));
        document.put("stats", stats.toMap());
        document.put("budgets", BudgetDocuments.of(breaker, configured));
        breaker.advice().ifPresent(advice -> document.put("degraded", degraded(advice)));
        breaker.keys().ifPresent(keys -> document.put("keys", keys(keys)));
        document.put("settings", settings(shown.apply(seen.settings())));
        return document;
    }

    /** Which budget advises to spend less, and by which model. */
    private static Map<String, Object> degraded(Advice advice) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("budget", advice.budget().name());
        advice.model().ifPresent(model -> document.put("model", model));
        return document;
    }

    /** How many keys there are and how they are; of those that refuse calls, a few by name. */
    private static Map<String, Object> keys(KeyedBreakers keys) {
        Map<String, Object> document = KeyStates.of(keys).counts();
        document.put("refusing", KeyStates.refusing(keys));
        return document;
    }

    private static Map<String, Object> transition(Transition last) {
        Map<String, Object> transition = new LinkedHashMap<>();
        transition.put("from", last.from().name());
        transition.put("to", last.to().name());
        transition.put("cause", last.cause().name());
        Transition.Evidence evidence = last.evidence();
        if (!evidence.rule().isEmpty()) {
            transition.put("rule", evidence.rule());
        }
        transition.put("calls", evidence.calls());
        transition.put("slow", evidence.slow());
        transition.put("hung", evidence.hung());
        transition.put("failures", evidence.failures());
        transition.put("topFailures", evidence.topFailures());
        return transition;
    }

    private static Map<String, Object> settings(Map<String, Setting> settings) {
        Map<String, Object> shown = new LinkedHashMap<>();
        settings.forEach((key, setting) -> {
            Map<String, Object> each = new LinkedHashMap<>();
            each.put("value", setting.value());
            each.put("from", setting.from());
            shown.put(key, each);
        });
        return shown;
    }
}
