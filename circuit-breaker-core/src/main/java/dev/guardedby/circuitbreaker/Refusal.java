package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a call is refused, and until when.
 *
 * @param reason the kind of refusal
 * @param message the reason in words, for people
 * @param retryAfter the rest of the wait where the reason is {@link Reason#OPEN}; empty where nobody can tell
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
        RAMP_UP
    }

    /** Puts a refusal into words. */
    static Refusal of(Reason reason, @Nullable Decision decision, long retryNanos) {
        String message = switch (reason) {
            case OPEN -> (decision == null ? "open" : decision.inWords()) + ", next probe in " + duration(retryNanos);
            case HELD_OPEN -> "held open by an operator";
            case PROBING -> "half-open, probes are out to see whether the remote has recovered";
            case RAMP_UP -> "closed again after a recovery, and lets a growing share of the calls pass";
        };
        Optional<Duration> retryAfter = retryNanos < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(retryNanos));
        return new Refusal(reason, message, retryAfter);
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
