package dev.guardedby.spring.aop;

import java.io.IOException;
import java.net.SocketTimeoutException;
import org.jspecify.annotations.Nullable;

/** The ways in which a guarded call comes to its end. */
enum Ending {
    RESULT,
    /** Null, an empty publisher. */
    NO_RESULT,
    /** One that a {@code failOnResult} rule takes for a failure. */
    BAD_RESULT,
    FAILURE,
    IGNORED_FAILURE,
    ERROR,
    /** A breaker inside the call has refused. */
    REFUSED_FURTHER_IN,
    /** The remote's own timeout. */
    TIMEOUT_INSIDE,
    FAILURE_AFTER_AN_ITEM,
    /** The method throws and returns nothing that could fail. */
    THROWN_BEFORE_ANYTHING_IS_RETURNED,
    ERROR_BEFORE_ANYTHING_IS_RETURNED,
    /** Null where a publisher or a stage should be. */
    NULL_RETURNED,
    CANCELLED_BEFORE_AN_ITEM,
    CANCELLED_AFTER_AN_ITEM,
    /** The caller's own timeout. */
    TIMEOUT_OUTSIDE,
    MORE_SIGNALS_AFTER_COMPLETION,
    MORE_SIGNALS_AFTER_A_FAILURE,
    /** An {@link Error} that reactive libraries throw and do not signal. */
    FATAL_ERROR_AT_SUBSCRIPTION,
    FATAL_ERROR_AT_REQUEST;

    static final class BadRequest extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** What the remote fails with, or null if it does not. */
    @Nullable Throwable failure() {
        return switch (this) {
            case FAILURE, FAILURE_AFTER_AN_ITEM, MORE_SIGNALS_AFTER_A_FAILURE, THROWN_BEFORE_ANYTHING_IS_RETURNED ->
                new IOException("down");
            case IGNORED_FAILURE -> new BadRequest();
            case ERROR, ERROR_BEFORE_ANYTHING_IS_RETURNED -> new AssertionError("broken");
            case FATAL_ERROR_AT_SUBSCRIPTION, FATAL_ERROR_AT_REQUEST -> new NoClassDefFoundError("gone");
            case REFUSED_FURTHER_IN -> Script.refusal();
            case TIMEOUT_INSIDE -> new SocketTimeoutException("slow");
            default -> null;
        };
    }

    boolean isBeforeAnythingIsReturned() {
        return this == THROWN_BEFORE_ANYTHING_IS_RETURNED || this == ERROR_BEFORE_ANYTHING_IS_RETURNED;
    }

    boolean isFatal() {
        return this == FATAL_ERROR_AT_SUBSCRIPTION || this == FATAL_ERROR_AT_REQUEST;
    }

    /** Whether it is the caller who ends the call. */
    boolean isOutside() {
        return this == CANCELLED_BEFORE_AN_ITEM || this == CANCELLED_AFTER_AN_ITEM || this == TIMEOUT_OUTSIDE;
    }
}
