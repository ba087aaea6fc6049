package dev.guardedby.circuitbreaker;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The time for which one account of a budget is kept.
 *
 * @param start the first instant of it; {@link Instant#MIN} where it has no beginning
 * @param end the first instant after it; {@link Instant#MAX}, which then is part of it, where it has no end
 * @param id stable text, the same for all instants of the span and different for all others of all windows, such as
 *     {@code day:Europe/Berlin:2026-11-24}
 */
public record Span(Instant start, Instant end, String id) {
    /** Whether the instant is part of it. */
    public boolean contains(Instant instant) {
        return !instant.isBefore(start) && (instant.isBefore(end) || end.equals(Instant.MAX));
    }

    /** When the next account begins; null where none ever does. */
    public @Nullable Instant resetsAt() {
        return end.equals(Instant.MAX) ? null : end;
    }
}
