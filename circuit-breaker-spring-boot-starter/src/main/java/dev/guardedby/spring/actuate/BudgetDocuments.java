package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.config.ConfiguredBreakers.ConfiguredBudget;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** How the budgets of one breaker stand, as plain maps. */
final class BudgetDocuments {

    private BudgetDocuments() {}

    /**
     * The budgets of a breaker.
     *
     * @param configured what the configuration says of a budget, if it has it
     */
    static List<Map<String, Object>> of(
            CircuitBreaker breaker, Function<String, Optional<ConfiguredBudget>> configured) {
        return breaker.budgets().stream()
                .map(status -> document(breaker, status, configured.apply(status.name())))
                .toList();
    }

    private static Map<String, Object> document(
            CircuitBreaker breaker, BudgetStatus status, Optional<ConfiguredBudget> configured) {
        boolean shared = configured.map(ConfiguredBudget::shared).orElse(false);
        // Code may have put another budget in the place of the one of that name.
        Optional<Budget> said =
                configured.map(ConfiguredBudget::budget).filter(budget -> budget.unit() == status.unit());
        Optional<BudgetWindow> window = said.map(Budget::window);
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("name", status.name());
        document.put("unit", status.unit().name());
        window.ifPresent(each -> document.put("window", each.words()));
        document.put("scope", breaker.key().isPresent() && !shared ? "key" : "breaker");
        document.put("shared", shared);
        document.put("limit", status.limit());
        document.put("spent", status.spent());
        document.put("held", status.held());
        Instant resetsAt = status.resetsAt();
        if (resetsAt != null) {
            ZoneId zone = window.flatMap(BudgetWindow::zone).orElse(ZoneOffset.UTC);
            document.put("resetsAt", DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(resetsAt.atZone(zone)));
        }
        document.put("kind", status.kind().name());
        said.ifPresent(budget -> {
            document.put("warnAt", budget.warnAt());
            budget.degradeAt().ifPresent(percent -> document.put("degradeAt", percent));
            budget.degradeTo().ifPresent(model -> document.put("degradeTo", model));
        });
        return document;
    }
}
