package dev.guardedby.spring.actuate;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.ConfiguredBreakers;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.util.StringUtils;

/** What an operator asks of a breaker, in the flat texts that Actuator takes; those that are not given are null. */
record OperatorAction(
        @Nullable String action,
        @Nullable String mode,
        @Nullable String settings,
        @Nullable String budget,
        @Nullable String limit,
        @Nullable String amount,
        @Nullable String reason) {
    private static final Map<String, Consumer<CircuitBreaker>> MOVES = new LinkedHashMap<>();
    private static final String MODE = "mode";
    private static final String SET_LIMIT = "set-limit";
    private static final String ADJUST = "adjust";
    private static final String RECONFIGURE = "reconfigure";
    private static final List<String> ACTIONS;
    private static final Set<String> OPENING = Set.of("force-open", "hold-open");
    /** A reason goes into the log, where a line break would make up a line. */
    private static final Pattern REASON = Pattern.compile("[^\\p{Cntrl}\\u0080-\\u009f\\u2028\\u2029]{1,200}");

    private static final Pattern OF_A_UNIT = Pattern.compile("^(usd|tokens|calls) (?=must )");

    static {
        MOVES.put("force-open", CircuitBreaker::forceOpen);
        MOVES.put("hold-open", CircuitBreaker::holdOpen);
        MOVES.put("force-close", CircuitBreaker::forceClose);
        MOVES.put("reset", CircuitBreaker::reset);
        ACTIONS = Stream.concat(MOVES.keySet().stream(), Stream.of(MODE, SET_LIMIT, ADJUST, RECONFIGURE))
                .toList();
    }

    /** Refuses a parameter that goes with another action: whoever sends it means something else. */
    private void refuseMisplaced() {
        refuseWithout("settings", settings, RECONFIGURE);
        refuseWithout(MODE, mode, MODE);
        refuseWithout("budget", budget, SET_LIMIT, ADJUST);
        refuseWithout("limit", limit, SET_LIMIT);
        refuseWithout("amount", amount, ADJUST);
        refuseWithout("reason", reason, ADJUST);
    }

    private void refuseWithout(String parameter, @Nullable String value, String... owners) {
        if (value != null && !Set.of(owners).contains(Objects.requireNonNull(action))) {
            throw invalid(parameter + " goes with the action" + (owners.length > 1 ? "s " : " ")
                    + String.join(" and ", owners) + " alone, but the action was '" + action + "'");
        }
    }

    /**
     * Does it.
     *
     * @return what was done, for the log
     * @throws InvalidEndpointRequestException if something is missing or wrong; then nothing was done
     */
    String applyTo(CircuitBreaker breaker, ConfiguredBreakers configured) {
        if (action == null || !ACTIONS.contains(action)) {
            throw invalid("action", ACTIONS, action);
        }
        refuseMisplaced();
        if (breaker.mode() == Mode.DISABLED && OPENING.contains(action)) {
            throw new NoEffectException(action + " has no effect on " + StringUtils.uncapitalize(breaker.title())
                    + ", which is disabled; switch its mode to enforce first");
        }
        return switch (action) {
            case MODE -> action + " " + switched(breaker);
            case SET_LIMIT -> action + " " + limited(breaker);
            case ADJUST -> action + " " + adjusted(breaker);
            case RECONFIGURE -> action + " " + reconfigured(breaker, configured);
            default -> moved(breaker, action);
        };
    }

    private static String moved(CircuitBreaker breaker, String action) {
        Objects.requireNonNull(MOVES.get(action)).accept(breaker);
        return action;
    }

    private String switched(CircuitBreaker breaker) {
        Mode wanted = Arrays.stream(Mode.values())
                .filter(each -> each.name().equalsIgnoreCase(mode))
                .findFirst()
                .orElseThrow(() -> invalid(
                        MODE,
                        Arrays.stream(Mode.values()).map(OperatorAction::word).toList(),
                        mode));
        breaker.mode(wanted);
        return word(wanted);
    }

    private String limited(CircuitBreaker breaker) {
        String name = budget(breaker);
        BigDecimal wanted = number("limit", limit);
        refusing("limit", () -> breaker.limit(name, wanted));
        return "of budget " + name + " to " + inUnit(breaker, name, wanted);
    }

    private String adjusted(CircuitBreaker breaker) {
        String name = budget(breaker);
        BigDecimal change = number("amount", amount);
        if (reason == null || reason.isBlank() || !REASON.matcher(reason).matches()) {
            throw invalid("reason must be 1 to 200 characters, not blank and without control characters, but was "
                    + (reason == null ? "missing" : "of " + reason.length()));
        }
        refusing("amount", () -> breaker.adjust(name, change, reason));
        return "budget " + name + " by " + inUnit(breaker, name, change) + " (" + reason + ")";
    }

    private String budget(CircuitBreaker breaker) {
        if (budget == null) {
            throw invalid(
                    "budget", breaker.budgets().stream().map(BudgetStatus::name).toList(), null);
        }
        return budget;
    }

    private static String inUnit(CircuitBreaker breaker, String budget, BigDecimal amount) {
        return amount.toPlainString()
                + breaker.budgets().stream()
                        .filter(status -> status.name().equals(budget))
                        .map(status -> " " + status.unit())
                        .findFirst()
                        .orElse("");
    }

    private static BigDecimal number(String parameter, @Nullable String text) {
        try {
            return new BigDecimal(Objects.requireNonNullElse(text, ""));
        } catch (NumberFormatException e) {
            throw invalid(parameter + " must be a number, but was " + (text == null ? "missing" : "'" + text + "'"));
        }
    }

    private String reconfigured(CircuitBreaker breaker, ConfiguredBreakers configured) {
        if (settings == null) {
            throw invalid("settings must be pairs such as failure-threshold=5,window=100, but was missing");
        }
        try {
            // What holds now, rather than what was sent: no one else's text gets into the log.
            return configured.reconfigure(breaker, settings).entrySet().stream()
                    .map(setting -> setting.getKey() + "=" + setting.getValue())
                    .collect(Collectors.joining(","));
        } catch (IllegalArgumentException e) {
            throw invalid(String.valueOf(e.getMessage()));
        }
    }

    /** Says a refusal of the core about the parameter, where it is about the unit that a budget has. */
    private static void refusing(String parameter, Runnable change) {
        try {
            change.run();
        } catch (IllegalArgumentException e) {
            throw invalid(OF_A_UNIT.matcher(String.valueOf(e.getMessage())).replaceFirst(parameter + " "));
        }
    }

    private static String word(Mode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }

    private static InvalidEndpointRequestException invalid(
            String parameter, List<String> allowed, @Nullable String value) {
        return invalid(parameter + " must be one of " + (allowed.isEmpty() ? "none" : String.join(", ", allowed))
                + ", but was " + (value == null ? "missing" : "'" + value + "'"));
    }

    private static InvalidEndpointRequestException invalid(String message) {
        return new InvalidEndpointRequestException(message, message);
    }
}
