package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Answer.End;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One call, and what is to be seen afterwards. */
final class Trial {
    static final String NAME = "llm";
    private static final int PROBES = 3;
    private static final int NEEDED = 2;
    private static final int THRESHOLD = 3;

    /** What a call meets. */
    enum Start {
        CLOSED,
        RAMPING_UP,
        HALF_OPEN,
        OPEN,
        HELD_OPEN,
        OPEN_AND_OBSERVED,
        DISABLED;

        boolean refuses() {
            return this == OPEN || this == HELD_OPEN;
        }

        CircuitState state() {
            return switch (this) {
                case CLOSED, RAMPING_UP, DISABLED -> CircuitState.CLOSED;
                case HALF_OPEN -> CircuitState.HALF_OPEN;
                case OPEN, HELD_OPEN, OPEN_AND_OBSERVED -> CircuitState.OPEN;
            };
        }

        /** The state after something ended the period, or did not. */
        CircuitState stateAfter(End end) {
            return switch (end) {
                case NOTHING -> state();
                case A_TRIP -> this == DISABLED ? CircuitState.CLOSED : CircuitState.OPEN;
                case A_RESET -> CircuitState.CLOSED;
                case BEING_HELD_OPEN -> this == DISABLED ? CircuitState.CLOSED : CircuitState.OPEN;
            };
        }

        /** Whether a call admitted before that is stale; one that is in the totals only belongs to no period at all. */
        boolean makesStale(End end) {
            return switch (this) {
                case CLOSED, RAMPING_UP, HALF_OPEN -> end != End.NOTHING;
                case DISABLED -> end == End.A_RESET;
                case OPEN, HELD_OPEN, OPEN_AND_OBSERVED -> false;
            };
        }
    }

    private final FakeTime time = new FakeTime();
    private final Start start;
    private final Scenario scenario;
    private final CircuitBreaker breaker;
    private final CircuitBreakerStats before;
    private int entered;
    private long admitted;

    Trial(Start start, UnaryOperator<CircuitBreaker.Builder> policy, Scenario scenario) {
        this.start = start;
        this.scenario = scenario;
        CircuitBreaker.Builder builder = CircuitBreaker.builder(NAME)
                .failureThreshold(THRESHOLD)
                .recoveryTimeout(Story.WAIT)
                .probes(PROBES)
                .successesToClose(NEEDED)
                // Rules of the answers that trip meanwhile.
                .tripIf(Answer.KeyRevoked.class::isInstance)
                .ticker(time)
                .clock(time);
        if (start == Start.RAMPING_UP) {
            builder.rampUp(Duration.ofHours(1));
        }
        breaker = scenario.answer().rules().apply(policy.apply(builder)).build();
        reach();
        before = breaker.stats();
    }

    private void reach() {
        if (start == Start.HELD_OPEN) {
            breaker.holdOpen();
        } else if (start == Start.DISABLED) {
            breaker.mode(Mode.DISABLED);
        } else if (start != Start.CLOSED) {
            Story.trip(breaker);
        }
        if (start == Start.OPEN_AND_OBSERVED) {
            breaker.mode(Mode.OBSERVE);
        }
        if (start == Start.HALF_OPEN || start == Start.RAMPING_UP) {
            time.advance(Story.WAIT);
            assertThat(breaker.state()).isEqualTo(CircuitState.HALF_OPEN);
        }
        if (start == Start.RAMPING_UP) {
            breaker.run(() -> {});
            breaker.run(() -> {});
        }
    }

    void check() {
        Object seen;
        Thread thread = Thread.currentThread();
        try {
            if (scenario.answer().isInterrupted()) {
                thread.interrupt();
            }
            seen = scenario.call().call(breaker, this::remote);
        } catch (Throwable thrown) {
            seen = thrown;
        }
        assertThat(Thread.interrupted())
                .as("interrupt flag")
                .isEqualTo(scenario.answer().isInterrupted());
        if (start.refuses()) {
            checkRefusal(seen);
        } else {
            checkCall(seen);
        }
        checkThatItStillCloses();
    }

    private @Nullable Object remote() throws Throwable {
        entered++;
        admitted++;
        endThePeriod();
        if (scenario.answer().thrown() != null) {
            throw scenario.answer().thrown();
        }
        return scenario.answer().result();
    }

    private void endThePeriod() {
        switch (scenario.answer().end()) {
            case NOTHING -> {}
            case A_RESET -> breaker.reset();
            case BEING_HELD_OPEN -> breaker.holdOpen();
            case A_TRIP -> trip();
        }
    }

    /** In another thread, for in this one it would ride on the probe; ramping up, the first few are refused. */
    private void trip() {
        Permit other = CompletableFuture.supplyAsync(() -> Stream.generate(breaker::tryAcquire)
                        .limit(20)
                        .flatMap(Optional::stream)
                        .findFirst()
                        .orElseThrow())
                .join();
        admitted++;
        other.failure(new Answer.KeyRevoked());
    }

    private void checkRefusal(@Nullable Object seen) {
        assertThat(entered).as("calls made").isZero();
        if (seen != CallShape.REFUSED) {
            assertThat(seen)
                    .isInstanceOfSatisfying(
                            CallNotPermittedException.class,
                            refused -> assertThat(refused.refusal().reason())
                                    .isEqualTo(start == Start.OPEN ? Refusal.Reason.OPEN : Refusal.Reason.HELD_OPEN));
        }
        CircuitBreakerStats stats = breaker.stats();
        assertThat(results(stats)).as("results").isEqualTo(results(before));
        assertThat(stats.totalRejected() - before.totalRejected()).isOne();
        assertThat(stats.state()).isEqualTo(CircuitState.OPEN);
    }

    private void checkCall(@Nullable Object seen) {
        assertThat(entered).as("calls made").isOne();
        Throwable thrown = scenario.answer().thrown();
        Object given = thrown != null
                ? thrown
                : scenario.shape().equals("run") ? null : scenario.answer().result();
        assertThat(seen).as("what the caller sees").isSameAs(given);

        End end = scenario.answer().end();
        boolean stale = start.makesStale(end) && scenario.outcome() != null;
        CircuitBreakerStats stats = breaker.stats();
        Map<Outcome, Long> expected = new EnumMap<>(Outcome.class);
        if (scenario.outcome() != null) {
            expected.put(scenario.outcome(), 1L);
        }
        // The one that tripped meanwhile.
        if (admitted > 1) {
            expected.merge(Outcome.FAILURE, 1L, Long::sum);
        }
        assertThat(added(stats)).as("successes, failures, ignored").isEqualTo(expected);
        long reported = admitted - (scenario.outcome() == null ? 1 : 0);
        assertThat(results(stats) - results(before))
                .as("results of all that were admitted and reported")
                .isEqualTo(reported);
        assertThat(stats.stale() - before.stale()).as("stale").isEqualTo(stale ? 1 : 0);
        assertThat(stats.unreported() - before.unreported()).isEqualTo(scenario.unreported() ? 1 : 0);
        assertThat(stats.late()).isZero();
        assertThat(stats.totalRejected() - before.totalRejected())
                .as("refusals, but for those of a ramp-up that one had to get past")
                .isLessThanOrEqualTo(start == Start.RAMPING_UP ? 20 : 0);

        boolean moves = scenario.outcome() == Outcome.FAILURE
                && scenario.answer().isProof()
                && end == End.NOTHING
                && start != Start.DISABLED;
        assertThat(stats.state()).isEqualTo(moves ? CircuitState.OPEN : start.stateAfter(end));
        if (stats.state() == CircuitState.HALF_OPEN) {
            checkSlots();
        }
    }

    /** After a call that was a probe: the free slots are exactly those that are left, however often one asks. */
    private void checkSlots() {
        int used = scenario.outcome() == Outcome.SUCCESS || scenario.outcome() == Outcome.FAILURE ? 1 : 0;
        int held = scenario.outcome() == null ? 1 : 0;
        for (int round = 0; round < 2; round++) {
            assertThat(freeSlots()).as("free slots").isEqualTo(PROBES - used - held);
        }
        if (held > 0) {
            time.advance(Story.LEASE);
            for (int round = 0; round < 2; round++) {
                assertThat(freeSlots()).as("free slots after the lease").isEqualTo(PROBES);
            }
        }
    }

    private int freeSlots() {
        List<Permit> taken = new ArrayList<>();
        for (Optional<Permit> one = breaker.tryAcquire(); one.isPresent(); one = breaker.tryAcquire()) {
            taken.add(one.get());
            assertThat(taken).as("slots without end").hasSizeLessThan(10);
        }
        assertThat(taken).allMatch(Permit::isProbe);
        taken.forEach(Permit::close);
        return taken.size();
    }

    private void checkThatItStillCloses() {
        breaker.mode(Mode.ENFORCE);
        if (breaker.state() == CircuitState.OPEN && breaker.timeUntilRetry().isEmpty()) {
            breaker.reset();
        }
        for (int round = 0; round < 2 * PROBES && breaker.state() != CircuitState.CLOSED; round++) {
            time.advance(Story.WAIT.plus(Story.LEASE));
            breaker.tryAcquire().ifPresent(Permit::success);
        }
        assertThat(breaker.state()).as("after successes").isEqualTo(CircuitState.CLOSED);
        Story.trip(breaker);
        assertThat(breaker.state()).as("after failures").isEqualTo(CircuitState.OPEN);
        time.advance(Story.WAIT);
        assertThat(freeSlots()).as("free slots of a new recovery").isEqualTo(PROBES);
    }

    private Map<Outcome, Long> added(CircuitBreakerStats stats) {
        Map<Outcome, Long> added = new EnumMap<>(Outcome.class);
        added.put(Outcome.SUCCESS, stats.totalSuccesses() - before.totalSuccesses());
        added.put(Outcome.FAILURE, stats.totalFailures() - before.totalFailures());
        added.put(Outcome.IGNORED, stats.totalIgnored() - before.totalIgnored());
        added.values().removeIf(count -> count == 0);
        return added;
    }

    private static long results(CircuitBreakerStats stats) {
        return stats.totalSuccesses() + stats.totalFailures() + stats.totalIgnored();
    }
}
