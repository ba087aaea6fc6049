package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Scope;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What work is inside of, to be taken along where it goes on in another thread: the innermost guarded call, on which costs are
 * recorded, and the probes around it, on which calls to the same breakers ride.
 *
 * @param call the innermost call, or null outside all
 * @param scope the innermost permit and those around it, or null if there is none to ride on
 */
record Inside(@Nullable GuardedCall call, @Nullable Scope scope) {
    /** Under which it is in a Reactor context, and known to whoever propagates contexts. */
    static final String KEY = "guardedby.call";

    /** Nothing at all. */
    static final Inside NOTHING = new Inside(null, null);

    /** What the present thread is inside of. */
    static Inside present() {
        GuardedCall call = GuardedCall.innermost();
        Scope scope = Scope.current().orElse(null);
        return call == null && scope == null ? NOTHING : new Inside(call, scope);
    }

    /** What is known, or else what the present thread is inside of. */
    static Inside orPresent(@Nullable Inside known) {
        return known == null ? present() : known;
    }

    /** Asks a breaker for leave as a call that is made inside of this would. */
    void check(CircuitBreaker breaker) {
        within(() -> {
            breaker.checkPermitted();
            return this;
        });
    }

    /** Does something with the permits around it that a call made inside of this would have. */
    <T> T within(Supplier<T> action) {
        Scope scope = attachScope();
        try {
            return action.get();
        } finally {
            if (scope != null) {
                scope.close();
            }
        }
    }

    boolean isNothing() {
        return call == null && scope == null;
    }

    /** Makes the present thread be inside of this, and of nothing else, for a while. */
    Visit enter() {
        return new Visit(GuardedCall.enter(call), attachScope());
    }

    /** The part of {@link #enter} that is about permits; null if there is nothing to change. */
    @Nullable Scope attachScope() {
        Scope present = Scope.current().orElse(null);
        if (present == scope) {
            return null;
        }
        return scope == null ? Scope.outside() : scope.attach();
    }

    /** The time that a thread is inside of something; to be ended on that thread. */
    record Visit(@Nullable GuardedCall before, @Nullable Scope attached) {
        void end() {
            if (attached != null) {
                attached.close();
            }
            GuardedCall.enter(before);
        }
    }
}
