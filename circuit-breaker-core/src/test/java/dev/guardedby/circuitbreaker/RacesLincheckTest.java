package dev.guardedby.circuitbreaker;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import kotlin.jvm.functions.Function1;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.util.LoggingLevel;
import org.junit.jupiter.api.Test;

/**
 * Orders in which threads can meet, scheduled by Lincheck, fewest interruptions first: whatever the threads do and see, the
 * same breaker would do and show to one thread that makes the calls in some order.
 *
 * <p>What the breaker does for one thread is the matter of {@link RandomOperationsTest}. Each check also shows that there is
 * no lock: a thread that is stopped anywhere holds up no other.
 */
class RacesLincheckTest {
    private static final Duration WAIT = Duration.ofSeconds(10);
    private static final Duration LEASE = Duration.ofSeconds(60);
    private static final Set<String> OWN = Set.of(
            Totals.class.getName(),
            CircuitBreakerStats.class.getName(),
            Refusal.class.getName(),
            Transition.class.getName(),
            Period.History.class.getName(),
            OutcomeRules.class.getName(),
            Settings.class.getName(),
            CircuitBreaker.Builder.class.getName());

    @Test
    void whenTheWaitIsOver_oneOfManyCallersGetsTheOneProbe() {
        check(WaitIsOver.class);
    }

    @Test
    void whenTheWaitIsOver_twoOfManyCallersGetTheTwoProbes() {
        check(WaitIsOverForTwo.class);
    }

    @Test
    void concurrentFailuresMissNoTrip() {
        check(FailuresAndSuccesses.class);
    }

    @Test
    void aResultThatComesWhileAnOperatorActsMovesThePeriodOfItsCallOrNothing() {
        check(ResultsAndOperator.class);
    }

    @Test
    void aProbesResultThatComesWhileAnOperatorActsMovesItsPeriodOrNothing() {
        check(ProbeAndOperator.class);
    }

    @Test
    void aTakeOverAndTheResultOfTheFormerHolderDisturbNeitherEachOtherNorTheLimit() {
        check(TakeOverAndLateResults.class);
    }

    private static void check(Class<?> scenario) {
        check(scenario, 3, 1);
        check(scenario, 2, 2);
    }

    private static void check(Class<?> scenario, int threads, int operationsPerThread) {
        new ModelCheckingOptions()
                .threads(threads)
                .actorsPerThread(operationsPerThread)
                .actorsBefore(0)
                .actorsAfter(3)
                .iterations(6)
                .invocationsPerIteration(50)
                .checkObstructionFreedom(true)
                .logLevel(LoggingLevel.ERROR)
                // Totals are striped and counted apart; values, settings and rules know no other thread.
                .addGuarantee(forClasses((Function1<String, Boolean>) RacesLincheckTest::isOneThreadsOwn)
                        .allMethods()
                        .ignore())
                .addGuarantee(forClasses(Period.class.getName())
                        .methods("topFailures")
                        .treatAsAtomic())
                .check(scenario);
    }

    private static boolean isOneThreadsOwn(String className) {
        return OWN.contains(className)
                || (className.startsWith("java.util.") && !className.startsWith("java.util.concurrent.atomic.Atomic"));
    }

    /** A breaker, and what a thread may do to it at any time. */
    abstract static class Scenario {
        final IOException down = new IOException("down");
        private long now;
        final CircuitBreaker breaker = configure(CircuitBreaker.builder("raced")
                        .failureThreshold(2)
                        .recoveryTimeout(WAIT)
                        .probeTimeout(LEASE)
                        .ticker(() -> now)
                        .clock(() -> FakeTime.START))
                .build();

        CircuitBreaker.Builder configure(CircuitBreaker.Builder builder) {
            return builder;
        }

        final void advance(Duration step) {
            now += step.toNanos();
        }

        /** All that comes from one period. */
        @Operation
        public List<Long> period() {
            CircuitBreakerStats stats = breaker.stats();
            return List.of(
                    stats.timesOpened(), stats.timesHalfOpened(), stats.timesClosed(), stats.consecutiveFailures());
        }
    }

    /** OPEN, and the wait has just ended. */
    public static class WaitIsOver extends Scenario {
        public WaitIsOver() {
            breaker.forceOpen();
            advance(WAIT);
        }

        @Operation
        public CircuitState state() {
            return breaker.state();
        }

        @Operation
        public boolean tryAcquire() {
            return breaker.tryAcquire().isPresent();
        }

        @Operation
        public boolean canExecute() {
            return breaker.canExecute();
        }

        @Operation
        public boolean checkPermitted() {
            try {
                breaker.checkPermitted();
                return true;
            } catch (CallNotPermittedException refused) {
                return false;
            }
        }
    }

    /** OPEN with two probes to give, and the wait has just ended. */
    public static final class WaitIsOverForTwo extends WaitIsOver {
        @Override
        CircuitBreaker.Builder configure(CircuitBreaker.Builder builder) {
            return builder.probes(2);
        }
    }

    /** CLOSED, and two failures in a row trip. */
    public static final class FailuresAndSuccesses extends Scenario {
        @Operation
        public void callFails() {
            try {
                breaker.run(() -> {
                    throw down;
                });
            } catch (IOException | CallNotPermittedException expected) {
                // A call that was admitted before the trip and fails after it is worth as much as one refused.
            }
        }

        @Operation
        public void callSucceeds() {
            try {
                breaker.run(() -> {});
            } catch (CallNotPermittedException expected) {
                // As above.
            }
        }

        @Operation
        public void recordFailure() {
            breaker.recordFailure();
        }
    }

    /** CLOSED with two calls running. */
    public static final class ResultsAndOperator extends Scenario {
        private final Permit first = breaker.acquire();
        private final Permit second = breaker.acquire();

        @Operation(runOnce = true)
        public void firstFails() {
            first.failure(down);
        }

        @Operation(runOnce = true)
        public void secondFails() {
            second.failure(down);
        }

        @Operation
        public void reset() {
            breaker.reset();
        }

        @Operation
        public void forceOpen() {
            breaker.forceOpen();
        }
    }

    /** HALF_OPEN with two of three probes out. */
    public static final class ProbeAndOperator extends Scenario {
        private final Permit succeeding;
        private final Permit failing;

        public ProbeAndOperator() {
            breaker.forceOpen();
            advance(WAIT);
            succeeding = breaker.acquire();
            failing = breaker.acquire();
        }

        @Override
        CircuitBreaker.Builder configure(CircuitBreaker.Builder builder) {
            return builder.probes(3).successesToClose(2);
        }

        @Operation(runOnce = true)
        public void probeSucceeds() {
            succeeding.success();
        }

        @Operation(runOnce = true)
        public void probeFails() {
            failing.failure(down);
        }

        @Operation
        public void recordSuccess() {
            breaker.recordSuccess();
        }

        @Operation(runOnce = true)
        public void forceOpen() {
            breaker.forceOpen();
        }

        @Operation(runOnce = true)
        public void forceClose() {
            breaker.forceClose();
        }
    }

    /** HALF_OPEN with two probes out whose leases have just ended. */
    public static final class TakeOverAndLateResults extends Scenario {
        private final Permit succeedingLate;
        private final Permit failingLate;

        public TakeOverAndLateResults() {
            breaker.forceOpen();
            advance(WAIT);
            failingLate = breaker.acquire();
            succeedingLate = breaker.acquire();
            advance(LEASE);
        }

        @Override
        CircuitBreaker.Builder configure(CircuitBreaker.Builder builder) {
            return builder.probes(2);
        }

        @Operation
        public boolean tryAcquire() {
            return breaker.tryAcquire().isPresent();
        }

        @Operation(runOnce = true)
        public void lateSuccess() {
            succeedingLate.success();
        }

        @Operation(runOnce = true)
        public void lateFailure() {
            failingLate.failure(down);
        }
    }
}
