package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Transition;
import java.time.Duration;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Tells what happens on standard output, one line an event; as a listener it hears of every change of state. */
@Component
final class Narrator implements CircuitBreakerListener {
    private static final String ROW = "%7s  %-9s %9s %4s  %9s  %s";

    private final Queue<Transition> untold = new ConcurrentLinkedQueue<>();
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
        say(String.format(Locale.ROOT, ROW, "time", "state", "tokens in", "out", "USD", "what happened"));
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
        row("", "", "", what);
    }

    /** Calls, what they cost and how they ended; a cost is null where the model did not say. */
    void calls(@Nullable Cost cost, String how) {
        row(
                cost == null ? "unknown" : Long.toString(cost.inputTokens()),
                cost == null ? "" : Long.toString(cost.outputTokens()),
                cost == null ? "" : String.format(Locale.ROOT, "%.7f", cost.usd()),
                how);
    }

    /** Tells the changes of state that the last call led to. */
    void catchUp() {
        for (Transition next = untold.poll(); next != null; next = untold.poll()) {
            tell(next);
        }
    }

    @Override
    public void onTransition(Transition transition) {
        // The listener hears of a change before the caller has its result. A reader wants them the other way round,
        // but for HALF_OPEN, which comes before the call that is the probe.
        if (inStory && transition.to() != CircuitState.HALF_OPEN) {
            untold.add(transition);
        } else {
            tell(transition);
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

    private void row(String tokensIn, String tokensOut, String usd, String what) {
        String time = String.format(Locale.ROOT, "%.1f s", sinceBegin().toMillis() / 1000.0);
        say(String.format(Locale.ROOT, ROW, time, state, tokensIn, tokensOut, usd, what));
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
