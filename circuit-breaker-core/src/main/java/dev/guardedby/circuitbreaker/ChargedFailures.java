package dev.guardedby.circuitbreaker;

import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * Which failures cost what was held for the call: those after which the remote may have done its work all the same.
 *
 * <p>By default these are read timeouts. A connection that never came about cost nothing.
 */
final class ChargedFailures {
    static final ChargedFailures READ_TIMEOUTS = new ChargedFailures(ChargedFailures::isReadTimeout);

    /** By its name, for a runtime may lack the module; that of connecting is a subclass. */
    private static final String HTTP_TIMEOUT = "java.net.http.HttpTimeoutException";

    // Causes can be chained in a circle; nobody nests this many of them on purpose.
    private static final int DEEPEST_CAUSE = 32;

    private final Predicate<Throwable> rule;

    private ChargedFailures(Predicate<Throwable> rule) {
        this.rule = rule;
    }

    static ChargedFailures of(Class<?>[] types) {
        return new ChargedFailures(OutcomeRules.anyOf(types));
    }

    /** Whether the failure is one of them, or was caused by one: applications and clients wrap what a socket throws. */
    boolean include(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < DEEPEST_CAUSE; depth++) {
            if (rule.test(cause)) {
                return true;
            }
            cause = OutcomeRules.cause(cause);
        }
        return false;
    }

    private static boolean isReadTimeout(Throwable cause) {
        if (cause instanceof SocketTimeoutException) {
            return !isOfConnecting(cause);
        }
        // OkHttp's limit for a whole call has no class of its own: a thread that was interrupted has the same, and
        // other words.
        return cause.getClass().getName().equals(HTTP_TIMEOUT)
                || (cause.getClass() == InterruptedIOException.class && "timeout".equals(cause.getMessage()));
    }

    // The JDK and HTTP clients throw one class for both, or a subclass, and say in words which it was.
    private static boolean isOfConnecting(Throwable timeout) {
        String message = timeout.getMessage();
        return timeout.getClass().getSimpleName().contains("Connect")
                || (message != null && message.toLowerCase(Locale.ROOT).contains("connect"));
    }
}
