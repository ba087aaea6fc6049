package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Refusal;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.spring.config.ConfiguredBreakers.ConfiguredBudget;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Writes one line for each change of a breaker's state, a warning when it opens, an information when it recovers, and a warning
 * for each level of a budget that is passed, when a budget begins to refuse, and when budgets are charged nothing. It is for one breaker
 * with its keys.
 */
final class BreakerLog implements CircuitBreakerListener {
    /** The one logger that operators watch; its level is all there is to configure. */
    static final Log LOG = LogFactory.getLog("dev.guardedby");

    private static final Set<Cause> OPERATORS =
            EnumSet.of(Cause.FORCE_OPEN, Cause.HOLD_OPEN, Cause.FORCE_CLOSE, Cause.RESET, Cause.MODE);
    /** So long nothing was refused in one way before it is news again, unless a window says when that is. */
    private static final Duration QUIET = Duration.ofMinutes(10);

    /** So many calls without a told cost are news; of fewer it may yet be told. */
    private static final int ENOUGH = 10;

    private static final Pattern SUBJECT =
            Pattern.compile("([^']*'[^']*'(?: of circuit breaker '[^']*')?)(?: for key '[^']*')?([^'0-9]*)");

    private final LongSupplier ticker;
    private final ConfiguredBreakers configured;
    /** When a refusal is news again, by budget and way of refusing. There are as many as that, for all keys have them together. */
    private final Map<String, AtomicLong> newsFrom = new ConcurrentHashMap<>();

    private final AtomicInteger uncharged = new AtomicInteger();
    private volatile boolean isCostTold;

    /**
     * A log with nothing in it.
     *
     * @param ticker the time of the breaker
     * @param configured tells what becomes of calls at a level
     */
    BreakerLog(LongSupplier ticker, ConfiguredBreakers configured) {
        this.ticker = ticker;
        this.configured = configured;
    }

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
                + unit(budget.unit()) + (budget.resetsAt() == null ? "" : ", until " + budget.resetsAt())
                + degraded(breaker, budget, percent));
    }

    private String degraded(CircuitBreaker breaker, BudgetStatus status, int percent) {
        Budget budget = configured
                .budget(breaker.name(), status.name())
                .map(ConfiguredBudget::budget)
                .orElse(null);
        if (budget == null || budget.degradeAt().orElse(0) != percent) {
            return "";
        }
        return budget.degradeTo()
                .map(model -> "; from now on calls are advised to ask the model '" + model + "'")
                .orElse("; from now on calls are advised to spend less");
    }

    /** A budget that no call is charged to protects nobody, and looks as though nothing were spent. */
    @Override
    public void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
        if (confidence != Confidence.UNKNOWN) {
            // Read first: every call of every thread comes by here.
            if (!isCostTold && !cost.equals(Cost.ZERO)) {
                isCostTold = true;
            }
        } else if (!isCostTold && chargesNothing(cost) && uncharged.incrementAndGet() == ENOUGH) {
            warnOfNothingCharged(breaker, cost);
        }
    }

    private static boolean chargesNothing(Cost cost) {
        return cost.nanoUsd() == 0 || tokens(cost) == 0;
    }

    private void warnOfNothingCharged(CircuitBreaker breaker, Cost cost) {
        // Not of the breaker, which would ask the ledger.
        String budgets = configured
                .budgets(breaker.name())
                .filter(budget -> switch (budget.unit()) {
                    case USD -> cost.nanoUsd() == 0;
                    case TOKENS -> tokens(cost) == 0;
                    case CALLS -> false;
                })
                .map(budget -> "'" + budget.name() + "' (" + unit(budget.unit()) + ")")
                .collect(Collectors.joining(", "));
        if (!budgets.isEmpty()) {
            LOG.warn(breaker.parent().orElse(breaker).title() + " has made " + ENOUGH
                    + " calls of which nobody has told the cost, and nothing is charged for such"
                    + " calls to " + budgets
                    + ". Return what the client answers and set guardedby.prices, write 'cost' at the annotation, record"
                    + " the cost by a CostRecorder, or write estimate-per-call.");
        }
    }

    private static long tokens(Cost cost) {
        return cost.inputTokens() + cost.outputTokens();
    }

    /**
     * A budget refuses every call until its window ends, and of a name that has keys one after the other may run out: the first
     * of each window is written, and the others are counted.
     */
    @Override
    public void onRefused(CircuitBreaker breaker, Refusal refusal) {
        if (refusal.reason() == Reason.BUDGET && isNews(refusal)) {
            LOG.warn(breaker.title() + " is " + refusal.message()
                    + (breaker.key().isPresent() ? "; this is not written of further keys" : ""));
        }
    }

    private boolean isNews(Refusal refusal) {
        long now = ticker.getAsLong();
        long next = now + refusal.retryAfter().orElse(QUIET).toNanos();
        AtomicLong known = newsFrom.get(subject(refusal));
        if (known == null) {
            known = newsFrom.putIfAbsent(subject(refusal), new AtomicLong(next));
            if (known == null) {
                return true;
            }
        }
        long seen = known.get();
        if (now - seen >= 0) {
            return known.compareAndSet(seen, next);
        }
        if (refusal.retryAfter().isEmpty()) {
            known.set(next);
        }
        return false;
    }

    /** Which budget refuses, and in which way: the words up to the first amount, which is different each time. */
    private static String subject(Refusal refusal) {
        Matcher words = SUBJECT.matcher(refusal.message());
        return words.lookingAt() ? words.group(1) + words.group(2) : "";
    }

    private static String unit(BudgetStatus.Unit unit) {
        return switch (unit) {
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
