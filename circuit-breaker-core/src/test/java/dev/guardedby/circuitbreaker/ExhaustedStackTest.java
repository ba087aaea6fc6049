package dev.guardedby.circuitbreaker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A class that is first initialized on an exhausted stack is broken for ever, which a fresh JVM alone can show. */
final class ExhaustedStackTest {
    @Test
    void overflowAsTheFirstFailureOfAll_breaksNeitherBreakersNorTheJdk() throws Exception {
        String said = said(Overflowing.class, "-Xss256k");

        assertThat(said.strip()).isEqualTo("StackOverflowError, OPEN, HALF_OPEN, refused, 1 transition more");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-Xint", "-XX:TieredStopAtLevel=1", "-XX:+TieredCompilation"})
    void overflowAnywhereInACallWithABudget_hidesNothing_locksNothing_andHoldsNothingForEver(String compiler)
            throws Exception {
        String said = said(OverflowingAtEachDepth.class, "-Xss256k", "-XX:-StackTraceInThrowable", compiler);

        assertThat(said.strip()).isEqualTo("0 hidden, outside of all calls, 0 held, all paid, next one costs 3");
    }

    private static String said(Class<?> main, String... options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(jvm.getInputStream().readAllBytes(), UTF_8);
        assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return said;
    }

    /** Overflows the stack through one breaker, then uses another. */
    static final class Overflowing {
        private static final CircuitBreaker DEEP = CircuitBreaker.of("deep");

        private Overflowing() {}

        public static void main(String[] arguments) {
            String thrown = "nothing";
            try {
                System.out.print(deeper());
            } catch (StackOverflowError overflow) {
                thrown = overflow.getClass().getSimpleName();
            }
            long[] now = {0};
            CircuitBreaker next = CircuitBreaker.builder("next")
                    .failureThreshold(1)
                    .recoveryTimeout(Duration.ofSeconds(1))
                    .ticker(() -> now[0])
                    .build();
            Instant before = Instant.EPOCH;
            next.acquire().failure(new IllegalStateException());
            CircuitState tripped = next.state();
            now[0] = Duration.ofSeconds(1).toNanos();
            CircuitState waited = next.state();
            Permit probe = next.acquire();
            String other = next.tryAcquire().isPresent() ? "admitted" : "refused";
            probe.success();
            long more = next.transitions().stream()
                    .filter(transition -> transition.at().isAfter(before))
                    .skip(2)
                    .count();
            System.out.println(
                    thrown + ", " + tripped + ", " + waited + ", " + other + ", " + more + " transition more");
        }

        private static int deeper() {
            return DEEP.call(Overflowing::deeper) + 1;
        }
    }

    /** Makes calls with ever so little room on the stack, and tells what they have left behind. */
    static final class OverflowingAtEachDepth {
        private static final int SWEEPS = 40;
        private static final int CALLS_A_SWEEP = 1_000;
        private static final Cost THREE = new Cost(3, 0, 0);
        private final FakeTime time = new FakeTime();
        private final CircuitBreaker breaker = CircuitBreaker.builder("deep")
                .failureThreshold(Integer.MAX_VALUE)
                .budget(Budget.tokens("tokens", Long.MAX_VALUE)
                        .per(BudgetWindow.lifetime())
                        .build())
                .holdTimeout(Duration.ofSeconds(1))
                .ticker(time)
                .build();
        private final IllegalStateException own = new IllegalStateException("of the call itself");

        private int left;
        private long recorded;
        private long seen;

        // Made here, while there is room.
        private final PermitCall<Boolean, RuntimeException> remote = permit -> {
            permit.recordCost(THREE);
            recorded++;
            throw own;
        };

        public static void main(String[] arguments) throws Exception {
            System.out.println(new OverflowingAtEachDepth().result());
        }

        private String result() throws Exception {
            for (int sweep = 0; sweep < SWEEPS; sweep++) {
                left = CALLS_A_SWEEP;
                aside(sweep % 11, 0, 0);
            }
            // Another thread would wait for ever for a lock that was left behind.
            CompletableFuture<BudgetStatus> after = CompletableFuture.supplyAsync(this::lost);
            BudgetStatus status = after.get(20, TimeUnit.SECONDS);
            long spent = status.spent().longValueExact();
            boolean paid = spent >= 3 * recorded && spent <= 3L * SWEEPS * CALLS_A_SWEEP && recorded > 0;
            breaker.acquire(THREE).success();
            return (recorded - seen) + " hidden, "
                    + (Scope.current().isPresent() ? "inside a call" : "outside of all calls") + ", " + status.held()
                    + " held, " + (paid ? "all paid" : spent + " spent by " + recorded) + ", next one costs "
                    + (lost().spent().longValueExact() - spent);
        }

        /** How the budget stands when what was not settled is lost. */
        private BudgetStatus lost() {
            time.advance(Duration.ofSeconds(1));
            return breaker.budgets().get(0);
        }

        /** Frames of another size, so that each sweep meets the end of the stack at other places. */
        private long aside(int frames, long one, long other) {
            if (frames == 0) {
                deeper();
                return one;
            }
            return aside(frames - 1, one + 1, other + 2) + other;
        }

        @SuppressWarnings("InfiniteRecursion") // ends where the stack does
        private void deeper() {
            try {
                deeper();
            } catch (StackOverflowError overflow) {
                // On the way back there is a little more room at each step.
            }
            if (left > 0) {
                left--;
                call();
            }
        }

        private void call() {
            try {
                breaker.call(THREE, remote);
            } catch (IllegalStateException expected) {
                seen++;
            } catch (StackOverflowError overflow) {
                // What was thrown inside is missed below, if this has taken its place.
            }
        }
    }
}
