package dev.guardedby.circuitbreaker;

import java.time.Duration;

/**
 * An outage played through before there is a real one.
 *
 * <p>A class that is initialized for the first time on an exhausted stack is broken for the life of the JVM, be it ours or one
 * of the JDK's, such as {@code java.time.Clock}. A guarded call that overflows the stack may be the first failure there is, so
 * whatever a failure, a trip, a refusal and a recovery need is initialized while there is room.
 */
final class Rehearsal {
    static {
        long[] now = {0};
        CircuitBreaker breaker = CircuitBreaker.builder("rehearsal")
                .failureThreshold(1)
                .failureRateThreshold(100)
                .minimumCalls(1)
                .recoveryTimeout(Duration.ofNanos(1))
                .ticker(() -> now[0])
                .listener(new CircuitBreakerListener() {})
                .build();
        try {
            breaker.run(() -> {
                throw new RehearsedException();
            });
        } catch (RehearsedException expected) {
            breaker.tryAcquire().ifPresent(Permit::ignore);
        }
        now[0] = 1;
        breaker.tryAcquire().ifPresent(Permit::success);
    }

    private Rehearsal() {}

    /** Sees to it that the outage has been played. */
    static void once() {}

    private static final class RehearsedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        RehearsedException() {
            super(null, null, false, false);
        }
    }
}
