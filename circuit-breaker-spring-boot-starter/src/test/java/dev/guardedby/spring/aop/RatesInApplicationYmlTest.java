package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.ConfigDataApplicationContextInitializer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** Rates, slow calls and waits that are written in a file, as a guarded method meets them. */
final class RatesInApplicationYmlTest {
    private final ApplicationContextRunner application = application(Remote.class)
            .withInitializer(new ConfigDataApplicationContextInitializer())
            .withPropertyValues(
                    "spring.config.location=classpath:rates.yml", "guardedby.defaults.failure-threshold=1000");

    @Test
    void failureRate_tripsAtTheCallThatFillsTheMinimum_thoughNoTwoFailInARow() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            for (int i = 0; i < 2; i++) {
                failing(remote::fail);
                remote.ask();
            }
            assertThat(history(context, "rated")).isEqualTo("2 ok, 2 failed, 0 ignored, 0 refused, closed");
            failing(remote::fail);

            assertThat(history(context, "rated")).isEqualTo("2 ok, 3 failed, 0 ignored, 0 refused, open");
            assertThat(why(context, "rated")).isEqualTo("FAILURE_RATE 3 of 5 failed, failure-rate-threshold 50.0");
            assertThatExceptionOfType(CallNotPermittedException.class)
                    .isThrownBy(remote::ask)
                    .withMessage("Circuit breaker 'rated' is open after 3 of 5 calls failed, next probe in 10.0 s");
        });
    }

    @Test
    void windowOfTime_forgets_soThatOldFailuresDoNotTrip() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            for (int i = 0; i < 4; i++) {
                failing(remote::fail);
            }
            context.getBean(FakeTicker.class).advance(Duration.ofSeconds(70));
            for (int i = 0; i < 4; i++) {
                remote.ask();
            }
            failing(remote::fail);

            assertThat(history(context, "rated")).isEqualTo("4 ok, 5 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void hungCalls_tripAtTheNextCall_whileTheyHang() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            List<CompletableFuture<String>> hung = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                hung.add(remote.hang());
            }
            assertThat(history(context, "hanging")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            context.getBean(FakeTicker.class).advance(Duration.ofSeconds(22));

            assertThat(remote.hang())
                    .failsWithin(Duration.ZERO)
                    .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                    .withCauseInstanceOf(CallNotPermittedException.class);
            assertThat(history(context, "hanging")).isEqualTo("0 ok, 0 failed, 0 ignored, 1 refused, open");
            assertThat(why(context, "hanging")).isEqualTo("SLOW_CALL_RATE 20 hung, slow-call-rate-threshold 80.0");
            hung.forEach(call -> call.complete("at last"));
        });
    }

    @Test
    void waits_growUpToTheLongest_andARecoveryRampsUp() {
        application.run(context -> {
            Remote remote = context.getBean(Remote.class);
            FakeTicker time = context.getBean(FakeTicker.class);
            StringBuilder waits = new StringBuilder();
            failing(remote::failFlaky);
            for (int i = 0; i < 4; i++) {
                Duration wait =
                        Guarded.breaker(context, "flaky").timeUntilRetry().orElseThrow();
                waits.append(wait).append(' ');
                time.advance(wait);
                failing(remote::failFlaky);
            }
            assertThat(waits).hasToString("PT1S PT3S PT8S PT8S ");

            time.advance(Duration.ofSeconds(8));
            remote.askFlaky();
            int passed = 0;
            for (int i = 0; i < 100; i++) {
                try {
                    remote.askFlaky();
                    passed++;
                } catch (CallNotPermittedException refused) {
                    assertThat(refused.refusal().reason()).hasToString("RAMP_UP");
                }
            }
            assertThat(passed).isEqualTo(10);
            time.advance(Duration.ofSeconds(10));
            for (int i = 0; i < 100; i++) {
                remote.askFlaky();
            }
        });
    }

    private static String why(ApplicationContext context, String breaker) {
        var last = Guarded.breaker(context, breaker).lastTransition().orElseThrow();
        var seen = last.evidence();
        return last.cause()
                + (last.cause() == Cause.FAILURE_RATE
                        ? " " + seen.failures() + " of " + seen.calls() + " failed, "
                        : " " + seen.hung() + " hung, ")
                + seen.rule();
    }

    static class Remote {
        @GuardedBy("rated") public String ask() {
            return "an answer";
        }

        @GuardedBy("rated") public String fail() throws IOException {
            throw new IOException("down");
        }

        @GuardedBy("hanging") public CompletableFuture<String> hang() {
            return new CompletableFuture<>();
        }

        @GuardedBy("flaky") public String askFlaky() {
            return "an answer";
        }

        @GuardedBy("flaky") public String failFlaky() throws IOException {
            throw new IOException("down");
        }
    }
}
