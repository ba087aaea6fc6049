package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.io.Serial;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A breaker refused the call: nothing was sent to the remote.
 *
 * <p>It has no stack trace and builds its message when that is read, because a refusal must be cheap during an outage.
 * No breaker counts it as a failure.
 */
public class CallNotPermittedException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    private final String name;
    private final @Nullable String key;
    private final CircuitState state;
    private final Reason reason;
    private final @Nullable Decision decision;
    private final long retryNanos;

    CallNotPermittedException(CircuitBreaker breaker, State refusing, long now) {
        super(null, null, true, false);
        this.name = breaker.name();
        this.key = breaker.key().orElse(null);
        this.state = refusing.circuitState();
        this.reason = refusing.reason();
        this.decision = refusing.period.decision;
        this.retryNanos = refusing.retryNanos(now);
    }

    /** A refusal by a budget, which {@link #refusal} puts into words. */
    CallNotPermittedException(CircuitBreaker breaker, CircuitState state) {
        super(null, null, true, false);
        this.name = breaker.name();
        this.key = breaker.key().orElse(null);
        this.state = state;
        this.reason = Reason.BUDGET;
        this.decision = null;
        this.retryNanos = Refusal.NOBODY_KNOWS;
    }

    /** The name of the breaker. */
    public String name() {
        return name;
    }

    /** The key whose calls the breaker guards; empty for the breaker of the name itself. */
    public Optional<String> key() {
        return Optional.ofNullable(key);
    }

    /** The state in which the breaker refused. */
    public CircuitState state() {
        return state;
    }

    /** Why the call was refused. */
    public Refusal refusal() {
        return Refusal.of(reason, decision, retryNanos);
    }

    /** How long the caller should wait, as it was at the refusal; empty where nobody can tell. */
    public Optional<Duration> retryAfter() {
        return refusal().retryAfter();
    }

    @Override
    public String getMessage() {
        return CircuitBreaker.title(name, key) + " is " + refusal().message();
    }
}
