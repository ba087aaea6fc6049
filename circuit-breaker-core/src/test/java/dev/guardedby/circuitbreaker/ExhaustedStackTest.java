package dev.guardedby.circuitbreaker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A class that is first initialized on an exhausted stack is broken for ever, which a fresh JVM alone can show. */
final class ExhaustedStackTest {
    @Test
    void overflowAsTheFirstFailureOfAll_breaksNeitherBreakersNorTheJdk() throws Exception {
        Process jvm = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xss256k",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Overflowing.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(jvm.getInputStream().readAllBytes(), UTF_8);

        assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(said.strip()).isEqualTo("StackOverflowError, OPEN, HALF_OPEN, refused, 1 transition more");
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
}
