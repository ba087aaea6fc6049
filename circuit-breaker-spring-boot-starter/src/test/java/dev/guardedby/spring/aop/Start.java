package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What a call finds its breaker in, and what that makes of how it ends. */
enum Start {
    CLOSED(Mode.ENFORCE, 1),
    ONE_FAILURE_SHORT_OF_TRIPPING(Mode.ENFORCE, 2),
    OPEN(Mode.ENFORCE, 3),
    OPEN_AND_DUE(Mode.ENFORCE, 3),
    HALF_OPEN_WITH_A_FREE_SLOT(Mode.ENFORCE, 3),
    HALF_OPEN_AND_FULL(Mode.ENFORCE, 3),
    HELD_OPEN(Mode.ENFORCE, 2),
    OBSERVED_ONE_FAILURE_SHORT(Mode.OBSERVE, 2),
    OBSERVED_OPEN(Mode.OBSERVE, 3),
    OBSERVED_HALF_OPEN_AND_FULL(Mode.OBSERVE, 3),
    DISABLED(Mode.DISABLED, 2);

    static final int THRESHOLD = 3;
    static final int PROBES = 2;
    static final Duration WAIT = Duration.ofSeconds(10);
    static final Duration LEASE = Duration.ofSeconds(60);

    final long streak;
    private final Mode mode;

    Start(Mode mode, long streak) {
        this.mode = mode;
        this.streak = streak;
    }

    void reach(CircuitBreaker breaker, FakeTicker time) {
        breaker.mode(Mode.ENFORCE);
        breaker.reset();
        for (int i = 0; i < streak; i++) {
            breaker.recordFailure();
        }
        if (this == HELD_OPEN) {
            breaker.holdOpen();
        }
        if (this == OPEN_AND_DUE || isProbing()) {
            time.advance(WAIT);
        }
        // They keep their slots, and never report.
        for (int i = 0; i < othersProbing(); i++) {
            if (!breaker.acquire().isProbe()) {
                throw new AssertionError("not half-open");
            }
        }
        breaker.mode(mode);
    }

    private boolean isProbing() {
        return othersProbing() > 0;
    }

    int othersProbing() {
        return switch (this) {
            case HALF_OPEN_WITH_A_FREE_SLOT -> PROBES - 1;
            case HALF_OPEN_AND_FULL, OBSERVED_HALF_OPEN_AND_FULL -> PROBES;
            default -> 0;
        };
    }

    /** Why it refuses; null if it does not. */
    @Nullable Reason refusal() {
        return switch (this) {
            case OPEN -> Reason.OPEN;
            case HELD_OPEN -> Reason.HELD_OPEN;
            case HALF_OPEN_AND_FULL -> Reason.PROBING;
            default -> null;
        };
    }

    /** Whether it would refuse, were it not watching only. */
    boolean wouldRefuse() {
        return this == OBSERVED_OPEN || this == OBSERVED_HALF_OPEN_AND_FULL;
    }

    /** The state after a call with that outcome; null for one that was refused. */
    CircuitState stateAfter(@Nullable Outcome outcome) {
        return switch (this) {
            case CLOSED, DISABLED -> CircuitState.CLOSED;
            case ONE_FAILURE_SHORT_OF_TRIPPING, OBSERVED_ONE_FAILURE_SHORT ->
                outcome == Outcome.FAILURE ? CircuitState.OPEN : CircuitState.CLOSED;
            case OPEN, HELD_OPEN, OBSERVED_OPEN -> CircuitState.OPEN;
            case OPEN_AND_DUE, HALF_OPEN_WITH_A_FREE_SLOT ->
                outcome == Outcome.FAILURE ? CircuitState.OPEN : CircuitState.HALF_OPEN;
            case HALF_OPEN_AND_FULL, OBSERVED_HALF_OPEN_AND_FULL -> CircuitState.HALF_OPEN;
        };
    }

    long streakAfter(@Nullable Outcome outcome) {
        if (outcome == null || wouldRefuse() || outcome == Outcome.IGNORED) {
            return streak;
        }
        return outcome == Outcome.FAILURE ? streak + 1 : 0;
    }
}
