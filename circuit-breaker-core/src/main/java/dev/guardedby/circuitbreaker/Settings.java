package dev.guardedby.circuitbreaker;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a breaker was told: the one home of each setting and its default.
 *
 * <p>A builder writes to its own; the breaker gets a checked copy, which nobody writes to any more.
 */
final class Settings implements Cloneable {
    int failureThreshold = 5;
    Duration recoveryTimeout = Duration.ofMinutes(5);
    int probes = 1;

    @Nullable Integer successesToClose;

    Duration probeTimeout = Duration.ofMinutes(1);
    OutcomeRules rules = OutcomeRules.DEFAULT;
    Mode mode = Mode.ENFORCE;
    List<CircuitBreakerListener> listeners = List.of();
    LongSupplier ticker = System::nanoTime;
    InstantSource clock = InstantSource.system();

    int successesToClose() {
        return successesToClose == null ? probes : successesToClose;
    }

    void add(CircuitBreakerListener listener) {
        List<CircuitBreakerListener> more = new ArrayList<>(listeners);
        more.add(listener);
        listeners = List.copyOf(more);
    }

    /** A copy that holds together, or an exception that names what does not. */
    Settings checked() {
        Require.atLeast(1, "failure-threshold", failureThreshold);
        Require.positive("recovery-timeout", recoveryTimeout);
        Require.atLeast(1, "probes", probes);
        Require.atLeast(1, "successes-to-close", successesToClose());
        Require.atMost("successes-to-close", successesToClose(), "probes", probes);
        Require.positive("probe-timeout", probeTimeout);
        try {
            return (Settings) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
