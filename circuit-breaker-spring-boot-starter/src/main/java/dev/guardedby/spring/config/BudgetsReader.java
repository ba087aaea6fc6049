package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetWindow;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.origin.Origin;

/**
 * Reads the budgets of a breaker and those that breakers share, and refuses what cannot be one.
 *
 * <p>Budgets of one name are one budget, to which each layer of the breaker adds what the layers before it leave open. What is
 * counted and how much of it is one thing there: {@code tokens} of a breaker take the place of {@code usd} of the defaults.
 */
final class BudgetsReader {
    private static final List<String> UNITS = List.of("usd", "tokens", "calls");
    private static final String WINDOW = "window";
    private static final String ZONE = "zone";
    private static final String WINDOWS = "hour, day, week, month, lifetime or a length such as 10m";
    private static final ZoneId UTC = ZoneId.of("UTC");
    private static final String WAS = ", but was ";

    private final Sources sources;
    private final Values values;
    private final Map<String, Budget> shared = new LinkedHashMap<>();

    BudgetsReader(Sources sources, Values values) {
        this.sources = sources;
        this.values = values;
        for (Entries.Entry entry : entries(Sources.ROOT)) {
            Layers at = new Layers(sources, List.of(Layer.of(entry)));
            shared.put(Spelling.canonical(entry.name), shared(at, budget(entry.name, at)));
        }
    }

    private Iterable<Entries.Entry> entries(ConfigurationPropertyName root) {
        return new Entries(sources, root.append(Schema.BUDGETS), GuardedByProperties.Budget.class).all();
    }

    private static Budget shared(Layers at, Budget budget) {
        if (budget.window().equals(BudgetWindow.call())) {
            throw refused(at, WINDOW, "must be " + WINDOWS + ", because breakers share it" + WAS + "call");
        }
        return budget;
    }

    /** The budgets of a breaker itself, those of its strongest layer first. */
    List<Budget> own(Layers breaker) {
        return own(breaker, true);
    }

    /** Judges what there is of the budgets of a template, which breakers may complete. */
    void check(Layers template) {
        List<Budget> complete = own(template, false);
        chargedTo(template, complete);
    }

    private List<Budget> own(Layers breaker, boolean whole) {
        Map<String, List<Layer>> layers = new LinkedHashMap<>();
        Map<String, String> names = new LinkedHashMap<>();
        for (Layer layer : breaker.all()) {
            for (ConfigurationPropertyName root : layer.roots()) {
                for (Entries.Entry entry : entries(root)) {
                    String name = Spelling.canonical(entry.name);
                    names.putIfAbsent(name, entry.name);
                    layers.computeIfAbsent(name, made -> new ArrayList<>()).add(Layer.of(entry));
                }
            }
        }
        List<Budget> budgets = new ArrayList<>();
        layers.forEach((name, places) -> {
            Layers at = new Layers(sources, places);
            if (whole || isWhole(at)) {
                budgets.add(budget(Objects.requireNonNull(names.get(name)), at));
            } else {
                values(at);
            }
        });
        return budgets;
    }

    private static boolean isWhole(Layers at) {
        return at.written(WINDOW) != null && at.speaking(UNITS.stream()).isPresent();
    }

    /** The first layer of a breaker that has a budget. */
    Optional<Layer> speaking(Layers breaker) {
        return breaker.all().stream()
                .filter(layer -> layer.roots().stream()
                        .anyMatch(root -> entries(root).iterator().hasNext()))
                .findFirst();
    }

    /**
     * The shared budgets that a breaker charges to.
     *
     * @param own its own budgets
     */
    List<Budget> chargedTo(Layers breaker, List<Budget> own) {
        List<Budget> charged = new ArrayList<>();
        for (String name : breaker.bind(values, GuardedByProperties.Breaker.class, Schema.CHARGE_TO::equals)
                .chargeTo()) {
            Budget budget = shared.get(Spelling.canonical(name));
            if (budget == null) {
                throw refused(
                        breaker,
                        Schema.CHARGE_TO,
                        "must name entries of guardedby.budgets" + WAS + "'" + name + "'; " + meant(name));
            }
            if (own.stream().anyMatch(other -> other.name().equals(budget.name()))) {
                throw refused(
                        breaker,
                        Schema.CHARGE_TO,
                        "must name other budgets than the breaker's own, but both have '" + budget.name() + "'");
            }
            charged.add(budget);
        }
        return charged;
    }

    private String meant(String name) {
        List<String> known = shared.values().stream().map(Budget::name).toList();
        return Spelling.nearest(name, known)
                .map(nearest -> "did you mean " + nearest + "?")
                .orElse("there are " + (known.isEmpty() ? "none" : String.join(", ", known)));
    }

    private GuardedByProperties.Budget values(Layers at) {
        return at.bind(values, GuardedByProperties.Budget.class, key -> true);
    }

    private Budget budget(String name, Layers at) {
        GuardedByProperties.Budget written = values(at);
        Budget.Builder budget = checked(at, () -> limit(name, unit(at), written));
        BudgetWindow window = window(at, written.window(), written.zone());
        return checked(at, () -> {
            budget.per(window)
                    .warnAt(written.warnAt().stream()
                            .mapToInt(Integer::intValue)
                            .toArray())
                    .requireEstimate(written.requireEstimate());
            if (written.degradeAt() != null) {
                budget.degradeAt(written.degradeAt());
            }
            if (written.degradeTo() != null) {
                budget.degradeTo(written.degradeTo());
            }
            return budget.build();
        });
    }

    /** The one unit of the strongest layer that has any. */
    private String unit(Layers at) {
        List<String> units = at.speaking(UNITS.stream())
                .map(layer -> UNITS.stream()
                        .filter(unit -> layer.find(sources, unit) != null)
                        .toList())
                .orElse(List.of());
        if (units.size() != 1) {
            String budget = "guardedby." + at.label();
            throw new BadConfigurationException(
                    budget + " must have exactly one of usd, tokens and calls, but has "
                            + (units.isEmpty()
                                    ? "none"
                                    : units.stream().map(unit -> said(at, unit)).collect(Collectors.joining(" and "))),
                    "Write one budget for each unit.",
                    units.isEmpty() ? null : Origin.from(at.written(units.get(0))));
        }
        return units.get(0);
    }

    private String said(Layers at, String key) {
        return key + " (" + values.text(Objects.requireNonNull(at.written(key))) + ")";
    }

    private static Budget.Builder limit(String name, String unit, GuardedByProperties.Budget written) {
        return switch (unit) {
            case "usd" -> Budget.usd(name, Objects.requireNonNull(written.usd()));
            case "tokens" -> Budget.tokens(name, Objects.requireNonNull(written.tokens()));
            default -> Budget.calls(name, Objects.requireNonNull(written.calls()));
        };
    }

    private BudgetWindow window(Layers at, @Nullable String words, @Nullable ZoneId zone) {
        if (words == null) {
            String budget = "guardedby." + at.label();
            throw new BadConfigurationException(
                    budget + " needs window, but has none",
                    "Set " + budget + ".window to " + (at.label().startsWith(Schema.BUDGETS + ".") ? "" : "call, ")
                            + WINDOWS + ".",
                    null);
        }
        BudgetWindow window = checked(at, () -> BudgetWindow.parse(words, zone == null ? UTC : zone));
        // A weaker layer may well have said it of another window.
        boolean meant = zone != null && at.speaking(Stream.of(ZONE, WINDOW)).equals(at.speaking(Stream.of(ZONE)));
        if (meant && window.zone().isEmpty()) {
            throw refused(at, ZONE, "goes with a window of hour, day, week or month, but window was " + words);
        }
        return window;
    }

    /** Says a refusal of the core about the key as it was written. */
    private <T> T checked(Layers at, Supplier<T> made) {
        try {
            return made.get();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            int rule = message.indexOf(" must ");
            String key = message.substring(0, Math.max(0, rule));
            ConfigurationProperty property = key.isEmpty() ? null : at.written(key);
            if (property == null) {
                throw new BadConfigurationException(
                        "guardedby." + at.label() + ": " + message, "Write another " + key + ".", null);
            }
            throw refused(at, key, asWritten(message.substring(rule + 1), property));
        }
    }

    /** The rule, with the value in the words of who wrote it, unless that is but one element of a list. */
    private String asWritten(String broken, ConfigurationProperty property) {
        int was = broken.indexOf(WAS);
        return was < 0 || property.getName().isLastElementIndexed()
                ? broken
                : broken.substring(0, was) + WAS + values.text(property);
    }

    private static BadConfigurationException refused(Layers at, String key, String broken) {
        ConfigurationProperty property = at.written(key);
        ConfigurationPropertyName name = Objects.requireNonNull(property).getName();
        String written = Sources.written(name.isLastElementIndexed() ? name.getParent() : name);
        return new BadConfigurationException(written + " " + broken, "Correct " + written + ".", Origin.from(property));
    }
}
