package dev.guardedby.circuitbreaker;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells listeners what happened, outside every lock, and keeps what they throw away from callers.
 *
 * <p>Transitions go out one at a time and in order: each period knows its successor, and whoever finds nobody delivering
 * walks along them until the last. A thread that moves the breaker while another one delivers leaves the delivery to that
 * one; a listener that moves the breaker gets that event after it returns.
 */
final class Deliveries {
    private static final System.Logger LOG = System.getLogger(CircuitBreaker.class.getName());

    private final List<CircuitBreakerListener> listeners;
    private final List<CircuitBreakerListener> listenersToResults;
    /** The last period that was delivered; only the delivering thread touches it, {@link #requests} hands it on. */
    private Period delivered;

    private final AtomicInteger requests = new AtomicInteger();

    Deliveries(List<CircuitBreakerListener> listeners, Period first) {
        this.listeners = listeners;
        this.listenersToResults =
                listeners.stream().filter(CircuitBreakerListener::wantsResults).toList();
        this.delivered = first;
    }

    void transitions() {
        if (requests.getAndIncrement() != 0) {
            return;
        }
        int answered = 1;
        do {
            for (Period next = delivered.takeNext(); next != null; next = delivered.takeNext()) {
                delivered = next;
                Transition transition = next.transition;
                if (transition != null) {
                    tellAll(listener -> listener.onTransition(transition));
                }
            }
            answered = requests.addAndGet(-answered);
        } while (answered != 0);
    }

    /** Whether anybody wants to hear of results. */
    boolean tellsResults() {
        return !listenersToResults.isEmpty();
    }

    void result(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
        // A plain loop: this is on the path of every call, where a lambda would be garbage.
        for (int i = 0; i < listenersToResults.size(); i++) {
            CircuitBreakerListener listener = listenersToResults.get(i);
            try {
                listener.onResult(breaker, outcome, durationNanos, failure);
            } catch (Throwable broken) {
                logBroken(listener, broken);
            }
        }
    }

    void refused(CircuitBreaker breaker, Refusal refusal) {
        tellAll(listener -> listener.onRefused(breaker, refusal));
    }

    void cost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
        tellAll(listener -> listener.onCost(breaker, cost, confidence));
    }

    void budget(CircuitBreaker breaker, BudgetStatus budget, int percent) {
        tellAll(listener -> listener.onBudget(breaker, budget, percent));
    }

    private void tellAll(Consumer<CircuitBreakerListener> event) {
        for (CircuitBreakerListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (Throwable broken) {
                logBroken(listener, broken);
            }
        }
    }

    private static void logBroken(CircuitBreakerListener listener, Throwable broken) {
        warn("Circuit breaker listener " + listener.getClass().getName() + " threw", broken);
    }

    /** Logs what code of the user threw; a logger that throws as well must not reach the caller either. */
    static void warn(String message, Throwable broken) {
        if (broken instanceof StackOverflowError) {
            // No room for a logger, which might break for ever where it is first used.
            return;
        }
        try {
            LOG.log(Level.WARNING, message, broken);
        } catch (Throwable ignored) {
            // There is nobody left to tell.
        }
    }
}
