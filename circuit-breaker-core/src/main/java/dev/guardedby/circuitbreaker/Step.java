package dev.guardedby.circuitbreaker;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One step of a guarded call, such as one call of a model in a loop of tools: leave to make it, and what it cost.
 *
 * <p>Say how it ended, once or, if that is known better later, again: the last word counts. What the steps of a call cost is what the
 * call costs, unless a cost is recorded on its permit while it runs; a step that is begun after the call's report is added to either, or
 * stands in place of a hold that was charged because nobody knew. A step of which nobody says how it ended costs what it holds. In the totals
 * it counts with the end of the call, and what it is said to cost less after that is not taken out of them. Thread-safe.
 *
 * @see Permit#step(Estimate)
 */
public final class Step {
    private final Permit permit;
    private final Reserved reserved;
    /** Whether the call has reserved for it; not so where it had ended before. */
    private final boolean withinCall;
    /** The last word; null until then. */
    private volatile @Nullable Said said;

    /**
     * What a step was said to cost.
     *
     * @param recorded the part of it that somebody knew, which counts in the totals
     */
    record Said(Cost cost, Confidence confidence, Cost recorded) {}

    Step(Permit permit, Reserved reserved, boolean withinCall) {
        this.permit = permit;
        this.reserved = reserved;
        this.withinCall = withinCall;
    }

    /** What was reserved for it. */
    public Cost hold() {
        return reserved.cost();
    }

    /**
     * The step has ended.
     *
     * @param cost what it cost
     * @param confidence how far that can be trusted; the dollars of what is {@link Confidence#UNKNOWN} are charged, not recorded
     * @throws IllegalArgumentException if the cost is above 10^12 tokens or 1,000,000 USD; then the step has not ended
     */
    public void end(Cost cost, Confidence confidence) {
        cost.requireRecordable();
        Objects.requireNonNull(confidence, "confidence");
        say(new Said(cost, confidence, confidence == Confidence.UNKNOWN ? cost.tokens() : cost));
    }

    /** What it costs if it has ended well and nobody knows: what it holds, or what its {@link Estimate} said is likely, if that is less. */
    public Cost costIfUnknown() {
        return reserved.usual();
    }

    /** The step has ended, or was given up after it began, and nobody knows what it cost: {@link #costIfUnknown()}. */
    public void endUnknown() {
        say(new Said(reserved.usual(), Confidence.UNKNOWN, Cost.ZERO));
    }

    /**
     * The step has failed: it costs what it holds if the failure is one of the breaker's {@code charge-on-failure} or the caller has given
     * it up, and else nothing.
     */
    public void fail(Throwable failure) {
        Objects.requireNonNull(failure, "failure");
        if (permit.isCharged(failure)) {
            say(new Said(reserved.cost(), Confidence.UNKNOWN, Cost.ZERO));
        } else {
            say(new Said(Cost.ZERO, Confidence.REPORTED, Cost.ZERO));
        }
    }

    private void say(Said now) {
        said = now;
        permit.ended(this);
    }

    /** The last word on a step that has ended; where two come at the same time, both find the same. */
    Said lastWord() {
        return Objects.requireNonNull(said);
    }

    Reserved reserved() {
        return reserved;
    }

    boolean isWithinCall() {
        return withinCall;
    }
}
