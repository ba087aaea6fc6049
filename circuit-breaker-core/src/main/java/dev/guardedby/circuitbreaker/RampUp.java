package dev.guardedby.circuitbreaker;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets a growing share of the calls pass after a recovery, so that a remote that has just come back is not met by everybody
 * at once.
 *
 * <p>The share grows from a tenth to all, evenly over the length. Which calls pass is no matter of chance: each attempt adds
 * the share to a credit, and a whole credit lets a call pass; the first one does.
 */
final class RampUp {
    private static final long WHOLE = 1L << 40;
    private static final double FIRST_SHARE = 0.1;

    private final long startedAt;
    private final long lengthNanos;
    private final AtomicLong credit = new AtomicLong(WHOLE);

    RampUp(long startedAt, long lengthNanos) {
        this.startedAt = startedAt;
        this.lengthNanos = lengthNanos;
    }

    boolean isOver(long now) {
        return now - startedAt >= lengthNanos;
    }

    /** Takes part in the pattern: whether this attempt passes. */
    boolean admit(long now) {
        long share = share(now);
        long before;
        long after;
        do {
            before = credit.get();
            after = before + share;
            after = after >= WHOLE ? after - WHOLE : after;
        } while (!credit.compareAndSet(before, after));
        return before + share >= WHOLE;
    }

    /** Takes part in the pattern if this attempt does not pass, and says so; one that would pass is still to be made. */
    boolean refuse(long now) {
        long share = share(now);
        long before;
        do {
            before = credit.get();
            if (before + share >= WHOLE) {
                return false;
            }
        } while (!credit.compareAndSet(before, before + share));
        return true;
    }

    /** Whether the next attempt would pass. */
    boolean wouldAdmit(long now) {
        return credit.get() + share(now) >= WHOLE;
    }

    private long share(long now) {
        double progress = (double) Math.max(0, now - startedAt) / lengthNanos;
        return (long) (WHOLE * Math.min(1, FIRST_SHARE + (1 - FIRST_SHARE) * progress));
    }
}
