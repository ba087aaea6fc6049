package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus.Unit;
import dev.guardedby.circuitbreaker.ModelPrice;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.config.ConfiguredBreakers.Entry;
import dev.guardedby.spring.config.ConfiguredBreakers.Merged;
import dev.guardedby.spring.config.ConfiguredPrices.UnknownModel;
import dev.guardedby.spring.config.GuardedByProperties.Estimate;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;

/** Warns, when the application starts, of budgets that calls under way can pass, and of cheaper models that nobody will be sent to. */
final class BudgetsCheck implements SmartInitializingSingleton {
    private final ConfiguredBreakers configured;
    private final ConfiguredPrices configuredPrices;
    private final ObjectProvider<Prices> prices;

    /**
     * A check.
     *
     * @param configuredPrices tells what becomes of models without a price
     * @param prices those in force
     */
    BudgetsCheck(ConfiguredBreakers configured, ConfiguredPrices configuredPrices, ObjectProvider<Prices> prices) {
        this.configured = configured;
        this.configuredPrices = configuredPrices;
        this.prices = prices;
    }

    @Override
    public void afterSingletonsInstantiated() {
        warnOfSoftBudgets();
        if (configuredPrices.unknownModel() == UnknownModel.REJECT) {
            prices.ifAvailable(present -> warnOfVainAdvice(present.current()));
        }
    }

    private void warnOfSoftBudgets() {
        String soft = configured.entries().stream()
                .flatMap(entry -> budgets(entry)
                        .filter(budget -> isSoft(budget, merged(entry).breaker().estimatePerCall()))
                        .map(budget -> title(budget, entry)))
                .collect(Collectors.joining(", "));
        if (!soft.isEmpty()) {
            BreakerLog.LOG.warn(
                    "Calls under way can pass these budgets, where nothing limits what one may cost: " + soft
                            + ". Write estimate-per-call, limit the answers of models by max-tokens, or refuse such"
                            + " calls by require-estimate.");
        }
    }

    private static boolean isSoft(Budget budget, @Nullable Estimate perCall) {
        Object estimated = perCall == null ? null : budget.unit() == Unit.USD ? perCall.usd() : perCall.tokens();
        return budget.unit() != Unit.CALLS
                && budget.limit().signum() > 0
                && !budget.requireEstimate()
                && estimated == null;
    }

    private void warnOfVainAdvice(PriceBook book) {
        Instant now = Instant.now();
        // Where no budget counts dollars nobody asks for a price.
        configured.entries().stream()
                .filter(entry -> budgets(entry).anyMatch(budget -> budget.unit() == Unit.USD))
                .forEach(entry -> budgets(entry)
                        .forEach(budget -> budget.degradeTo()
                                .filter(model -> !hasPrice(model, book, now))
                                .ifPresent(model -> warnOfVainAdvice(model, budget, entry, book))));
    }

    private static void warnOfVainAdvice(String model, Budget budget, Entry entry, PriceBook book) {
        BreakerLog.LOG.warn("There is no price for '" + model + "', the degrade-to of the budget "
                + title(budget, entry) + ", so calls will keep their own models" + meant(model, book));
    }

    /** Who will serve it is not known yet, so the price of whomever will do. */
    private static boolean hasPrice(String model, PriceBook book, Instant now) {
        String served = "/" + model.strip().toLowerCase(Locale.ROOT);
        return book.find(null, model, now).isPresent()
                || book.models().stream()
                        .anyMatch(
                                price -> price.model().toLowerCase(Locale.ROOT).endsWith(served));
    }

    private static String meant(String model, PriceBook book) {
        List<String> names = book.models().stream().map(ModelPrice::model).toList();
        return Spelling.nearest(model, names)
                .map(near -> "; did you mean '" + near + "'?")
                .orElse(". Write it in guardedby.prices.models.");
    }

    private static Merged merged(Entry entry) {
        return entry.settings().merged();
    }

    private static Stream<Budget> budgets(Entry entry) {
        return Stream.concat(merged(entry).budgets().stream(), merged(entry).chargeTo().stream());
    }

    private static String title(Budget budget, Entry entry) {
        return "'" + budget.name() + "' of '" + entry.name() + "'";
    }
}
