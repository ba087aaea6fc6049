package dev.guardedby.spring.config;

import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Transition;
import java.util.stream.Collectors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/** Writes one line for each change of a breaker's state: a warning when it opens, an information when it recovers. */
final class BreakerLog implements CircuitBreakerListener {
    /** The one logger that operators watch; its level is all there is to configure. */
    static final Log LOG = LogFactory.getLog("dev.guardedby");

    @Override
    public void onTransition(Transition transition) {
        String breaker = "Circuit breaker '" + transition.breaker().name() + "' is ";
        switch (transition.to()) {
            case OPEN -> LOG.warn(breaker + opened(transition) + observed(transition) + mostOften(transition));
            case HALF_OPEN -> LOG.info(breaker + "half-open: the wait is over, the next calls are probes");
            case CLOSED -> LOG.info(breaker + "closed: " + closed(transition));
        }
    }

    private static String opened(Transition transition) {
        long failures = transition.evidence().failures();
        return switch (transition.cause()) {
            case FAILURES -> "open after " + failures + (failures == 1 ? " failure" : " consecutive failures");
            case TRIP -> "open at once after a failure that is proof by itself" + proof(transition);
            case PROBES_FAILED -> "open again after a failed probe";
            case FORCE_OPEN -> "forced open by an operator";
            case HOLD_OPEN -> "held open by an operator";
            default -> "open";
        };
    }

    private static String proof(Transition transition) {
        String rule = transition.evidence().rule();
        return rule.startsWith("trip-on") ? " (" + rule + ")" : "";
    }

    private static String closed(Transition transition) {
        return switch (transition.cause()) {
            case PROBES_SUCCEEDED -> "the remote has recovered";
            case FORCE_CLOSE -> "forced by an operator";
            case RESET -> "reset by an operator";
            case MODE -> "its mode was switched";
            default -> "calls pass";
        };
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
