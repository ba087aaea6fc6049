package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Writes one line for each change of a breaker's state, a warning when it opens, an information when it recovers, and a warning
 * for each level of a budget that is passed.
 */
final class BreakerLog implements CircuitBreakerListener {
    /** The one logger that operators watch; its level is all there is to configure. */
    static final Log LOG = LogFactory.getLog("dev.guardedby");

    private static final Set<Cause> OPERATORS =
            EnumSet.of(Cause.FORCE_OPEN, Cause.HOLD_OPEN, Cause.FORCE_CLOSE, Cause.RESET, Cause.MODE);

    @Override
    public void onTransition(Transition transition) {
        CircuitBreaker breaker = transition.breaker();
        String line = breaker.title() + " is " + transition.message();
        if (breaker.key().isPresent() && OPERATORS.contains(transition.cause())) {
            // Of the name there is a line already, and of its keys there may be thousands.
            LOG.debug(line);
        } else if (transition.to() == CircuitState.OPEN) {
            LOG.warn(line + observed(transition) + mostOften(transition));
        } else {
            LOG.info(line);
        }
    }

    @Override
    public void onBudget(CircuitBreaker breaker, BudgetStatus budget, int percent) {
        LOG.warn(breaker.title() + " has spent " + percent + " percent of its budget '" + budget.name() + "': "
                + budget.spent().toPlainString() + " of " + budget.limit().toPlainString() + " "
                + unit(budget) + (budget.resetsAt() == null ? "" : ", until " + budget.resetsAt()));
    }

    private static String unit(BudgetStatus budget) {
        return switch (budget.unit()) {
            case USD -> "USD";
            case TOKENS -> "tokens";
            case CALLS -> "calls";
        };
    }

    /** So that it slows no call down. */
    @Override
    public boolean wantsResults() {
        return false;
    }

    private static String observed(Transition transition) {
        return transition.breaker().mode() == Mode.OBSERVE ? " (observed only, every call passes)" : "";
    }

    /** The names of the exceptions and never their messages, which may hold secrets. */
    private static String mostOften(Transition transition) {
        if (transition.evidence().failures() == 0) {
            // An operator's doing: what failed before is no reason.
            return "";
        }
        String top = transition.evidence().topFailures().entrySet().stream()
                .map(failure -> failure.getKey() + " (" + failure.getValue() + ")")
                .collect(Collectors.joining(", "));
        return top.isEmpty() ? "" : "; most often " + top;
    }
}
