package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Transition;
import java.time.Duration;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.springframework.stereotype.Component;

/** Tells what happens on standard output, one line an event; as a listener it hears of every change of state and of every cost. */
@Component
final class Narrator implements CircuitBreakerListener {
    private static final String ROW = "%7s  %-9s %9s %4s  %9s %6s  %s";

    private final Queue<Runnable> untold = new ConcurrentLinkedQueue<>();
    private final AtomicReference<Cost> cost = new AtomicReference<>(Cost.ZERO);
    private final Pace pace;
    private volatile long zero;
    private volatile boolean inStory;
    private volatile CircuitState state = CircuitState.CLOSED;

    Narrator(Pace pace) {
        this.pace = pace;
        this.zero = pace.now();
    }

    /** Begins the table: time counts from here, and what follows a call is told after it, see {@link #catchUp()}. */
    void beginStory() {
        zero = pace.now();
        inStory = true;
        say(String.format(Locale.ROOT, ROW, "time", "state", "tokens in", "out", "USD", "spent", "what happened"));
    }

    /** Ends the table; from here on changes of state are told as they come. */
    void endStory() {
        inStory = false;
        catchUp();
    }

    Duration sinceBegin() {
        return Duration.ofNanos(pace.now() - zero);
    }

    /** An event that no call belongs to. */
    void event(String what) {
        row("", "", "", "", what);
    }

    /** Calls and how they ended, with all that has been booked since the last ones, and what the day's money has come to. */
    void calls(BudgetStatus budget, String how) {
        Cost booked = cost.getAndSet(Cost.ZERO);
        row(
                Long.toString(booked.inputTokens()),
                Long.toString(booked.outputTokens()),
                String.format(Locale.ROOT, "%.7f", booked.usd()),
                budget.percentSpent() + " %",
                how);
    }

    /** Tells what the last call led to. */
    void catchUp() {
        for (Runnable next = untold.poll(); next != null; next = untold.poll()) {
            next.run();
        }
    }

    @Override
    public void onCost(CircuitBreaker breaker, Cost booked, Confidence confidence) {
        cost.accumulateAndGet(booked, Cost::plus);
    }

    @Override
    public void onBudget(CircuitBreaker breaker, BudgetStatus budget, int percent) {
        afterTheCall(() -> event(percent + " % of the budget '" + budget.name() + "' are spent"));
    }

    @Override
    public void onTransition(Transition transition) {
        // HALF_OPEN comes before the call that is the probe.
        if (transition.to() == CircuitState.HALF_OPEN) {
            tell(transition);
        } else {
            afterTheCall(() -> tell(transition));
        }
    }

    /** The listener hears of an event before the caller has its result. A reader wants them the other way round. */
    private void afterTheCall(Runnable telling) {
        if (inStory) {
            untold.add(telling);
        } else {
            telling.run();
        }
    }

    private void tell(Transition transition) {
        state = transition.to();
        String wait = inWords(transition.breaker().recoveryTimeout());
        long failures = transition.evidence().failures();
        event(
                switch (transition.cause()) {
                    case FAILURES -> failures + " failures in a row: the breaker opens and refuses calls for " + wait;
                    case TRIP -> "a failure that is proof by itself: the breaker opens and refuses calls for " + wait;
                    case WAIT_OVER -> "the wait is over: one call may try, as a probe; all others are refused";
                    case PROBES_FAILED -> "the probe failed: the breaker refuses calls for another " + wait;
                    case PROBES_SUCCEEDED -> "the probe succeeded: everybody may call again";
                    default -> "an operator's order: " + transition.cause();
                });
    }

    private void row(String tokensIn, String tokensOut, String usd, String spent, String what) {
        String time = String.format(Locale.ROOT, "%.1f s", sinceBegin().toMillis() / 1000.0);
        say(String.format(Locale.ROOT, ROW, time, state, tokensIn, tokensOut, usd, spent, what));
    }

    void say(String line) {
        System.out.println(line);
    }

    /** A duration with three digits at most: {@code 2 s}, {@code 103 ms}, {@code 41 us}. */
    static String inWords(Duration duration) {
        if (duration.compareTo(Duration.ofSeconds(1)) >= 0) {
            return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0)
                    .replace(".0 s", " s");
        }
        return duration.toMillis() > 0 ? duration.toMillis() + " ms" : duration.toNanos() / 1000 + " us";
    }
}
