package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The closed path makes no garbage, by the count that the virtual machine keeps of what a thread allocates. */
class AllocationTest {
    private static final int CALLS = 100_000;
    // Reading the count allocates a little itself; a single object a call would be 1,600,000 bytes.
    private static final long BYTES_OF_THE_MEASUREMENT = 10_000;
    private static final long BYTES_OF_AN_OPTIONAL = 16;
    private static final ThreadMXBean THREADS = threads();

    private static ThreadMXBean threads() {
        return ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean ? bean : null;
    }

    @BeforeAll
    static void machineCounts() {
        boolean counts = THREADS != null && THREADS.isThreadAllocatedMemorySupported();
        if (!counts) {
            System.out.println("Skipped AllocationTest: this virtual machine does not count what a thread allocates");
        }
        assumeTrue(counts);
    }

    static Stream<CircuitBreaker> breakers() {
        return Stream.of(
                CircuitBreaker.of("default-policy"),
                CircuitBreaker.builder("count-window").failureRateThreshold(50).build(),
                CircuitBreaker.builder("time-window")
                        .failureRateThreshold(50)
                        .window(Duration.ofHours(10))
                        .build(),
                CircuitBreaker.builder("slow-calls")
                        .slowCallDuration(Duration.ofHours(1))
                        .slowCallRateThreshold(50)
                        .build());
    }

    @ParameterizedTest
    @MethodSource("breakers")
    void closedCallAndRun_allocateNothing(CircuitBreaker breaker) {
        Integer one = 1;
        Call<Integer, RuntimeException> call = () -> one;
        Action<RuntimeException> action = () -> {};
        repeat(breaker, call, action);

        long before = THREADS.getCurrentThreadAllocatedBytes();
        repeat(breaker, call, action);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated).as("bytes in %d calls", 2 * CALLS).isLessThan(BYTES_OF_THE_MEASUREMENT);
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(4L * CALLS);
    }

    @Test
    void keyThatIsKept_isFoundWithoutMoreThanTheAnswerOfItsKeeper() {
        CircuitBreaker llm = CircuitBreaker.of("keyed");
        llm.keyedBy(new KeptInAMap(1));
        CircuitBreaker acme = llm.forKey("acme");
        long found = find(llm, acme);

        long before = THREADS.getCurrentThreadAllocatedBytes();
        found += find(llm, acme);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated)
                .as("bytes of %d look-ups", CALLS)
                .isLessThan(BYTES_OF_AN_OPTIONAL * CALLS + BYTES_OF_THE_MEASUREMENT);
        assertThat(found).isEqualTo(2L * CALLS);
    }

    // With room above what is measured, 1,050 and 1,700: how much of it the compiler spares depends on what ran before.
    @ParameterizedTest
    @CsvSource({"1, 1500", "3, 2400"})
    void callWithBudgets_allocatesItsPermit_itsHold_andWhatTheLedgerSays(int budgets, long bytes) {
        CircuitBreaker.Builder builder = CircuitBreaker.builder("budgeted");
        for (int i = 0; i < budgets; i++) {
            builder.budget(Budget.usd("usd-" + i, BigDecimal.TEN)
                    .per(BudgetWindow.rolling(Duration.ofHours(1)))
                    .build());
        }
        CircuitBreaker breaker = builder.build();
        spend(breaker);

        long before = THREADS.getCurrentThreadAllocatedBytes();
        spend(breaker);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated / CALLS).as("bytes a call").isLessThanOrEqualTo(bytes);
        assertThat(breaker.stats().totalSuccesses()).isEqualTo(2L * CALLS);
    }

    private static void spend(CircuitBreaker breaker) {
        Cost hold = new Cost(0, 0, 2);
        Cost cost = new Cost(0, 0, 1);
        for (int i = 0; i < CALLS; i++) {
            Permit permit = breaker.acquire(hold);
            permit.recordCost(cost);
            permit.success();
        }
    }

    private static long find(CircuitBreaker llm, CircuitBreaker acme) {
        long found = 0;
        for (int i = 0; i < CALLS; i++) {
            found += llm.forKey("acme") == acme ? 1 : 0;
        }
        return found;
    }

    private static void repeat(
            CircuitBreaker breaker, Call<Integer, RuntimeException> call, Action<RuntimeException> action) {
        for (int i = 0; i < CALLS; i++) {
            breaker.call(call);
            breaker.run(action);
        }
    }
}
