package dev.guardedby.circuitbreaker;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The time during which permits are current for a thread.
 *
 * <p>Calls made inside know that they are inside: a call to a breaker that is half-open, made within a probe of that same
 * breaker, rides on the probe instead of being refused by it. Close it in the thread that attached it; scopes closed out of
 * order end all the same.
 *
 * <p>Work that goes on in another thread is still inside: take {@link #current()} along, and {@link #attach()} it there.
 *
 * @see Permit#attach()
 */
public final class Scope implements AutoCloseable {
    private static final ThreadLocal<@Nullable Scope> CURRENT = new ThreadLocal<>();

    private final List<Permit> permits;
    /** Whether the scopes around it are out of sight: this thread works for somebody else. */
    private final boolean alone;

    private final @Nullable Scope outer;
    volatile boolean closed;

    private Scope(List<Permit> permits, boolean alone, @Nullable Scope outer) {
        this.permits = permits;
        this.alone = alone;
        this.outer = outer;
    }

    static Scope of(Permit permit) {
        return attached(List.of(permit), false);
    }

    private static Scope attached(List<Permit> permits, boolean alone) {
        Scope scope = new Scope(permits, alone, innermostOpen());
        CURRENT.set(scope);
        return scope;
    }

    /** The innermost scope that this thread is in; it knows those around it. */
    public static Optional<Scope> current() {
        Scope scope = innermostOpen();
        return scope == null || (scope.alone && scope.permits.isEmpty()) ? Optional.empty() : Optional.of(scope);
    }

    /** Makes no permit current for the present thread, until the answer is closed. */
    public static Scope outside() {
        return attached(List.of(), true);
    }

    /**
     * Makes what is current where this scope was attached current for the present thread, and nothing else, until the answer
     * is closed: its permits and those of the scopes around it, also when they have been closed meanwhile.
     */
    public Scope attach() {
        // Each once: a scope attached within itself, again and again, must not grow.
        Set<Permit> all = new LinkedHashSet<>();
        for (Scope scope = this; scope != null; scope = scope.alone ? null : scope.outer) {
            all.addAll(scope.permits);
        }
        return attached(List.copyOf(all), true);
    }

    /** Whether this thread is inside a probe that the period admitted. */
    static boolean insideProbeOf(Period period) {
        for (Scope scope = CURRENT.get(); scope != null; scope = scope.outer) {
            if (scope.closed) {
                continue;
            }
            if (scope.permits.stream().anyMatch(permit -> permit.isProbeOf(period))) {
                return true;
            }
            if (scope.alone) {
                return false;
            }
        }
        return false;
    }

    /** What the innermost call costs that this thread is in and a budget concerns. */
    static @Nullable Charge innermostCharge() {
        for (Scope scope = CURRENT.get(); scope != null; scope = scope.outer) {
            if (scope.closed) {
                continue;
            }
            for (Permit permit : scope.permits) {
                if (permit.charge() != null) {
                    return permit.charge();
                }
            }
            if (scope.alone) {
                return null;
            }
        }
        return null;
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
