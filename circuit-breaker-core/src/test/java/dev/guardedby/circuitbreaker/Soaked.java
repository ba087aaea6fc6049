package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Refusal.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A breaker of {@link SoakTest} with short waits, and what must hold of it while all threads stand still. */
final class Soaked {
    private static final Duration WAIT = Duration.ofMillis(3);
    private static final Duration LEASE = Duration.ofMillis(10);
    private static final Duration UNHURRIED = Duration.ofMinutes(1);

    final CircuitBreaker breaker;
    /** Whether it is used without permits, too; then slots without a permit may be out. */
    final boolean isManual;

    private final boolean isListenedTo;
    private final AtomicLong told = new AtomicLong();

    private Soaked(CircuitBreaker.Builder builder, boolean isManual, boolean isListenedTo) {
        this.isManual = isManual;
        this.isListenedTo = isListenedTo;
        if (isListenedTo) {
            builder.listener(new CircuitBreakerListener() {
                @Override
                public void onTransition(Transition transition) {
                    told.incrementAndGet();
                }
            });
        }
        this.breaker = builder.build();
    }

    static List<Soaked> ofEveryPolicy() {
        List<Soaked> all = new ArrayList<>();
        for (boolean isListenedTo : new boolean[] {false, true}) {
            String suffix = isListenedTo ? "-told" : "";
            all.add(new Soaked(shortWaits("default" + suffix), false, isListenedTo));
            all.add(new Soaked(shortWaits("manual" + suffix), true, isListenedTo));
            all.add(new Soaked(
                    shortWaits("count-window" + suffix).failureRateThreshold(50).window(50), false, isListenedTo));
            all.add(new Soaked(
                    shortWaits("time-window" + suffix).failureRateThreshold(50).window(Duration.ofMillis(200)),
                    false,
                    isListenedTo));
            all.add(new Soaked(
                    shortWaits("slow-calls" + suffix)
                            .slowCallDuration(Duration.ofMillis(1))
                            .slowCallRateThreshold(50)
                            .window(30),
                    false,
                    isListenedTo));
            all.add(new Soaked(shortWaits("ramp-up" + suffix).rampUp(Duration.ofMillis(20)), false, isListenedTo));
            all.add(new Soaked(
                    shortWaits("backoff" + suffix)
                            .recoveryBackoffMultiplier(2)
                            .maxRecoveryTimeout(WAIT.multipliedBy(8))
                            .probes(4)
                            .successesToClose(3),
                    false,
                    isListenedTo));
        }
        return all;
    }

    private static CircuitBreaker.Builder shortWaits(String name) {
        return CircuitBreaker.builder(name)
                .recoveryTimeout(WAIT)
                .probeTimeout(LEASE)
                .ignoreExceptions(IllegalArgumentException.class);
    }

    String name() {
        return breaker.name();
    }

    /** No count drifts: the breaker has counted what the threads have, and has told of each transition. */
    void assertCounts(Tally tally) {
        CircuitBreakerStats stats = breaker.stats();
        assertThat(new long[] {
                    stats.totalSuccesses(),
                    stats.totalFailures(),
                    stats.totalIgnored(),
                    stats.unreported(),
                    stats.totalRejected()
                })
                .as("successes, failures, ignored, unreported, rejected of %s", name())
                .containsExactly(tally.successes, tally.failures, tally.ignored, tally.unreported, tally.refused);
        assertThat(tally.admitted + tally.manual)
                .as("admitted and manual of %s", name())
                .isEqualTo(tally.ended() + tally.underWay());
        if (isListenedTo) {
            assertThat(told)
                    .as("transitions told of %s", name())
                    .hasValue(stats.timesOpened() + stats.timesHalfOpened() + stats.timesClosed());
        }
    }

    /** With no call under way, whoever comes to a half-open breaker gets a slot; true if it was half-open. */
    boolean assertNoSlotIsMissing(Tally tally) {
        if (breaker.mode() != Mode.ENFORCE || breaker.stats().state() != CircuitState.HALF_OPEN) {
            return false;
        }
        if (isManual) {
            LockSupport.parkNanos(LEASE.toNanos());
        }
        Optional<Permit> permit = breaker.tryAcquire();
        if (permit.isEmpty()) {
            // The look of this very admission may have found that it is time to decide, and opened it.
            assertThat(breaker.stats().state()).as(breaker + " misses a slot").isEqualTo(CircuitState.OPEN);
            tally.owner.refused++;
            return true;
        }
        permit.get().ignore();
        tally.owner.ended(Outcome.IGNORED);
        return true;
    }

    /** From whatever it has come to, it opens, gives all its probes and no more, and closes. */
    void assertRecovers(Tally tally) {
        // This thread may be held up by others for longer than the short times that the soak is made with.
        breaker.reconfigure(settings -> settings.probeTimeout(UNHURRIED));
        if (breaker.name().startsWith("slow-calls")) {
            breaker.reconfigure(settings -> settings.slowCallDuration(UNHURRIED));
        }
        breaker.reset();
        breaker.forceOpen();
        do {
            LockSupport.parkNanos(WAIT.toNanos());
        } while (breaker.state() == CircuitState.OPEN);
        List<Permit> probes = new ArrayList<>();
        for (int i = 0; i < (int) breaker.settings().get("probes"); i++) {
            probes.add(breaker.acquire());
        }
        assertThat(breaker.refusal().map(Refusal::reason))
                .as("one probe too many of %s", name())
                .hasValue(Reason.PROBING);
        for (Permit probe : probes) {
            probe.success();
            tally.owner.ended(Outcome.SUCCESS);
        }
        assertThat(breaker.state()).as(name()).isEqualTo(CircuitState.CLOSED);
        breaker.reconfigure(settings -> settings.probeTimeout(LEASE));
    }

    /** What the threads know of one breaker. */
    static final class Tally {
        long admitted;
        long manual;
        long successes;
        long failures;
        long ignored;
        long unreported;
        long refused;
        long keptBack;
        /** Where the stops enter their own calls. */
        Tally owner = this;

        long ended() {
            return successes + failures + ignored;
        }

        long underWay() {
            return keptBack;
        }

        void ended(Outcome outcome) {
            admitted++;
            count(outcome);
        }

        void count(Outcome outcome) {
            switch (outcome) {
                case SUCCESS -> successes++;
                case FAILURE -> failures++;
                case IGNORED -> ignored++;
            }
        }

        void add(Tally other) {
            admitted += other.admitted;
            manual += other.manual;
            successes += other.successes;
            failures += other.failures;
            ignored += other.ignored;
            unreported += other.unreported;
            refused += other.refused;
            keptBack += other.keptBack;
            owner = other.owner;
        }

        @Override
        public String toString() {
            return successes + " successes, " + failures + " failures, " + ignored + " ignored (" + unreported
                    + " unreported), " + refused + " refusals";
        }
    }
}
