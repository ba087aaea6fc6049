package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a call is refused, and until when.
 *
 * @param reason the kind of refusal
 * @param message the reason in words, for people
 * @param retryAfter the rest of the wait where the reason is {@link Reason#OPEN}, the time until the next window where a budget
 *     of a calendar window is spent; empty where nobody can tell
 */
public record Refusal(Reason reason, String message, Optional<Duration> retryAfter) {
    /** The kinds of refusal. */
    public enum Reason {
        /** The breaker is open and waits. */
        OPEN,
        /** An operator holds the breaker open until told otherwise. */
        HELD_OPEN,
        /** The breaker is half-open and all probes are out. */
        PROBING,
        /** The breaker has recovered and lets only a growing share of the calls pass. */
        RAMP_UP,
        /** A budget has nothing left for the call. */
        BUDGET
    }

    /** In place of a time to wait. */
    static final long NOBODY_KNOWS = -1;

    /** Puts a refusal into words. */
    static Refusal of(Reason reason, @Nullable Decision decision, long retryNanos) {
        String message = switch (reason) {
            case OPEN -> (decision == null ? "open" : decision.inWords()) + ", next probe in " + duration(retryNanos);
            case HELD_OPEN -> "held open by an operator";
            case PROBING -> "half-open, probes are out to see whether the remote has recovered";
            case RAMP_UP -> "closed again after a recovery, and lets a growing share of the calls pass";
            case BUDGET -> "out of budget";
        };
        Optional<Duration> retryAfter = retryNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(retryNanos));
        return new Refusal(reason, message, retryAfter);
    }

    /** Puts the refusal of a budget into words. */
    static Refusal of(BudgetRefusal why) {
        BudgetStatus budget = why.status();
        Kind kind = why.kind();
        String window = why.window();
        BigDecimal needed = why.needed();
        String name = "budget '" + budget.name() + "'" + (why.owner() == null ? "" : " of " + why.owner());
        String limit = limit(budget, window);
        if (budget.limit().signum() == 0 && kind != Kind.STORE) {
            // Whatever the call may cost, and the next window changes nothing.
            String message = "out of " + name + ", whose limit of " + limit + " lets no call pass; raise the limit";
            return new Refusal(Reason.BUDGET, message, Optional.empty());
        }
        Optional<Duration> retryAfter = kind == Kind.EXHAUSTED ? untilReset(budget) : Optional.empty();
        String message = switch (kind) {
            case EXHAUSTED ->
                "out of " + name + ", " + spent(budget) + limit + " are spent" + needed(needed) + "; "
                        + relief(budget, window, retryAfter);
            case RESERVED ->
                "out of " + name + " for now, " + spent(budget) + limit + " are spent and " + plain(budget.held())
                        + " held by calls under way" + needed(needed) + "; try again when they have ended";
            case TOO_LARGE ->
                "out of " + name + " for this call, which may cost " + (needed == null ? "" : plain(needed) + ", ")
                        + "more than all of the " + limit + "; lower its estimate or raise the limit";
            case UNPRICED ->
                "cut off by " + name
                        + (why.model() == null
                                ? ", because nobody knows what this call may cost in " + unit(budget)
                                        + "; set a price or estimate-per-call"
                                : " in " + unit(budget) + ", because there is no price for model '" + why.model()
                                        + "'; set one");
            case STORE -> "cut off from " + name + ", whose store does not answer; calls pass again when it does";
        };
        return new Refusal(Reason.BUDGET, message, retryAfter);
    }

    private static Optional<Duration> untilReset(BudgetStatus budget) {
        if (budget.resetsAt() == null) {
            return Optional.empty();
        }
        Duration rest = Duration.between(budget.asOf(), budget.resetsAt());
        // A wall clock that is years off makes rests that no long holds in nanoseconds.
        return Optional.of(
                rest.isNegative() ? Duration.ZERO : rest.compareTo(Require.LONGEST) > 0 ? Require.LONGEST : rest);
    }

    private static String relief(BudgetStatus budget, String window, Optional<Duration> rest) {
        if (rest.isPresent()) {
            return "it resets in " + duration(rest.get().toNanos()) + ", at " + budget.resetsAt();
        }
        return switch (window) {
            case "call" -> "nothing further passes inside this call";
            case "lifetime" -> "it never resets, so raise the limit or correct what was spent";
            default -> "what was spent is forgotten after " + window;
        };
    }

    private static String spent(BudgetStatus budget) {
        return plain(budget.spent()) + " of ";
    }

    private static String needed(@Nullable BigDecimal amount) {
        return amount == null ? "" : ", and this call may cost " + plain(amount);
    }

    private static String limit(BudgetStatus budget, String window) {
        String amount = plain(budget.limit()) + " " + unit(budget);
        return window.equals("lifetime") ? amount + " in all" : amount + " per " + window;
    }

    private static String unit(BudgetStatus budget) {
        return switch (budget.unit()) {
            case USD -> "USD";
            case TOKENS, CALLS -> budget.unit().name().toLowerCase(Locale.ROOT);
        };
    }

    private static String plain(BigDecimal amount) {
        return amount.toPlainString();
    }

    private static String duration(long nanos) {
        // Rounded up: "0.0 s" would be a promise that the next call passes.
        long tenths = Math.max(1, (nanos + 99_999_999) / 100_000_000);
        long seconds = tenths / 10;
        // Plain concatenation: listeners may want the words of every refusal, and a format costs more than the refusal.
        if (seconds < 60) {
            return seconds + "." + tenths % 10 + " s";
        }
        return seconds < 3600
                ? seconds / 60 + " min " + seconds % 60 + " s"
                : seconds / 3600 + " h " + seconds / 60 % 60 + " min";
    }
}
