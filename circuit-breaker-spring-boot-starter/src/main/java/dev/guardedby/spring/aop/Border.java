package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Inside.Visit;
import org.jspecify.annotations.Nullable;

/**
 * The border of one call that hands out its results while it runs. What the receiver does with them is no part of the call, even
 * where it happens deep inside of a request for the next.
 *
 * @param inside what the source, and all that is upstream of it, is inside of
 * @param around what the receiver is inside of
 */
record Border(Inside inside, Inside around) {

    /** Goes in. */
    Visit enter() {
        return inside.enter();
    }

    /** Goes out, if this thread is in; null if it is not. */
    @Nullable Visit leave() {
        return GuardedCall.innermost() == inside.call() ? around.enter() : null;
    }

    /** Goes back to where {@link #leave} came from. */
    static void back(@Nullable Visit away) {
        if (away != null) {
            away.end();
        }
    }
}
