package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * The time during which a permit is current for a thread.
 *
 * <p>Calls made inside know that they are inside: a call to a breaker that is half-open, made within a probe of that same
 * breaker, rides on the probe instead of being refused by it. Close it in the thread that attached it; scopes closed out of
 * order end all the same.
 *
 * @see Permit#attach()
 */
public final class Scope implements AutoCloseable {
    private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

    private final Permit permit;
    private final @Nullable Scope outer;
    private volatile boolean closed;

    private Scope(Permit permit, @Nullable Scope outer) {
        this.permit = permit;
        this.outer = outer;
    }

    static Scope of(Permit permit) {
        Scope scope = new Scope(permit, innermostOpen());
        CURRENT.set(scope);
        return scope;
    }

    /** Whether this thread is inside a probe that the period admitted. */
    static boolean insideProbeOf(Period period) {
        for (Scope scope = CURRENT.get(); scope != null; scope = scope.outer) {
            if (!scope.closed && scope.permit.isProbeOf(period)) {
                return true;
            }
        }
        return false;
    }

    /** Ends the scope; what was current before is current again. A second call is a no-op. */
    @Override
    public void close() {
        closed = true;
        Scope current = innermostOpen();
        if (current == null) {
            CURRENT.remove();
        } else {
            CURRENT.set(current);
        }
    }

    // One that another thread has closed is still the current one here; kept, each would hold the next for ever.
    private static @Nullable Scope innermostOpen() {
        Scope scope = CURRENT.get();
        while (scope != null && scope.closed) {
            scope = scope.outer;
        }
        return scope;
    }
}
