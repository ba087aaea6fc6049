package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;

/**
 * Bugs of annotations, exceptions and fallbacks that were reported against others, as stories with us in their place. Each
 * test begins with the report: {@code r4j} is Resilience4j's tracker, {@code D12} a defect of it that was reproduced.
 *
 * <p>Reports about generics and overloads are in {@link FallbackSignaturesTest}, about the place among other proxies in
 * {@link NeighboursTest}, about every mistake that fails start-up in {@link StartupCheckTest}.
 */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
@ExtendWith(OutputCaptureExtension.class)
final class ReportedAopBugsTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Misspelt  | The fallback 'cannde' of Misspelt.ask(String) does not exist
            Mistyped  | The fallback 'canned' of Mistyped.ask(String) does not fit: it must take (String), optionally with \
            an exception as the last, but there is only canned(String, String) and canned(int)
            """)
    void r4j1517_badFallbackSignature_failsStartUp_notTheHealthyCall(String bean, String message) {
        application(bean.equals("Misspelt") ? Misspelt.class : Mistyped.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidGuardException.class)
                        .message()
                        .satisfies(told -> assertThat(told.replace(Signature.name(ReportedAopBugsTest.class) + ".", ""))
                                .startsWith(message)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void r4j878_r4j2096_D12_privateFallback_under64Threads_answersEveryTime(boolean proxyTargetClass) {
        application(Private.class)
                .withPropertyValues(
                        "spring.aop.proxy-target-class=" + proxyTargetClass,
                        "guardedby.defaults.failure-threshold=" + Integer.MAX_VALUE)
                .run(context -> {
                    Asked bean = context.getBean(Asked.class);
                    assertThat(AopUtils.isCglibProxy(bean)).isEqualTo(proxyTargetClass);
                    ExecutorService threads = Executors.newFixedThreadPool(64);
                    long answered = 0;
                    try {
                        List<Future<Long>> all = new ArrayList<>();
                        for (int t = 0; t < 64; t++) {
                            all.add(threads.submit(() -> IntStream.range(0, 1000)
                                    .filter(i -> bean.ask("q" + i).equals("canned q" + i + " by the bean"))
                                    .count()));
                        }
                        for (Future<Long> each : all) {
                            answered += each.get();
                        }
                    } finally {
                        threads.shutdownNow();
                    }
                    assertThat(answered).isEqualTo(64_000);
                    assertThat(history(context, "private"))
                            .isEqualTo("0 ok, 64000 failed, 0 ignored, 0 refused, closed");
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ignore-exceptions=java.lang.IllegalArgumentException", "record-exceptions=java.io.IOException"})
    void r4j780_r4j804_r4j1760_whatIsNoFailure_isRethrown_andNoFallbackMasksIt(String rule) {
        application(Remote.class, Masked.class)
                .withPropertyValues("guardedby.defaults." + rule)
                .run(context -> {
                    Remote remote = context.getBean(Remote.class);
                    Masked bean = context.getBean(Masked.class);
                    remote.outage = new IllegalArgumentException("400");
                    assertThat(catchThrowable(() -> bean.ask("q")))
                            .isSameAs(remote.outage)
                            .hasNoSuppressedExceptions();
                    remote.outage = new IOException("503");
                    assertThat(List.of(bean.ask("a"), bean.ask("b"), bean.ask("c")))
                            .containsExactly(
                                    "IOException for a", "IOException for b", "CallNotPermittedException for c");
                });
    }

    @Test
    void r4j626_interruptedThread_keepsItsFlag_getsItsOwnException_andHoldsNoProbe() {
        application(Remote.class, Masked.class).run(context -> {
            Remote remote = context.getBean(Remote.class);
            Masked bean = context.getBean(Masked.class);
            breaker(context, "masked").forceOpen();
            advance(context, 10);

            Thread.currentThread().interrupt();
            remote.outage = new InterruptedException("stopped");
            Throwable thrown = catchThrowable(() -> bean.ask("q"));
            boolean flag = Thread.interrupted();

            assertThat(thrown).isSameAs(remote.outage).hasNoSuppressedExceptions();
            assertThat(flag).isTrue();
            assertThat(history(context, "masked")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, half_open");
            remote.outage = null;
            assertThat(bean.ask("r")).isEqualTo("answer to r");
            assertThat(history(context, "masked")).isEqualTo("1 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void springRetry99_steadyTraffic_doesNotKeepItOpen() {
        application(Remote.class, Masked.class).run(context -> {
            Remote remote = context.getBean(Remote.class);
            Masked bean = context.getBean(Masked.class);
            remote.outage = new IOException("down");
            List<String> seconds = new ArrayList<>();
            for (int second = 0; second <= 11; second++) {
                // Healthy again from the second call on that it refuses.
                seconds.add(bean.ask(second + "s"));
                if (second >= 2) {
                    remote.outage = null;
                }
                advance(context, 1);
            }
            assertThat(seconds)
                    .startsWith("IOException for 0s", "IOException for 1s")
                    .containsSubsequence("CallNotPermittedException for 2s", "CallNotPermittedException for 10s")
                    .endsWith("answer to 11s");
            assertThat(history(context, "masked")).isEqualTo("1 ok, 2 failed, 0 ignored, 9 refused, closed");
        });
    }

    @Test
    void r4j527_callOnThis_isNotGuarded_andTheBreakerInCodeIs() {
        application(Remote.class, CallsItself.class).run(context -> {
            CallsItself bean = context.getBean(CallsItself.class);
            failing(() -> bean.onThis());
            assertThat(history(context, "self")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            failing(() -> bean.inCode());
            failing(() -> bean.guarded());
            assertThat(history(context, "self")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open");
        });
    }

    @ParameterizedTest
    @ValueSource(classes = {OnFinal.class, OnPrivate.class, OnFinalClass.class})
    void r4j527_whatNoProxyCanStandBefore_failsStartUp(Class<?> bean) {
        application(bean)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessageContaining("@GuardedBy cannot guard " + Signature.name(bean) + ".call()")
                        .hasMessageContaining("CircuitBreakerRegistry in code"));
    }

    @Test
    void r4j1506_annotatedFallback_isSaidNotToBeGuardedThere(CapturedOutput output) {
        application(Remote.class, Annotated.class).run(context -> {
            context.getBean(Remote.class).outage = new IOException("down");
            assertThat(context.getBean(Annotated.class).ask("q")).isEqualTo("second q");
            assertThat(history(context, "first")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
            assertThat(history(context, "second")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(output.getOut())
                    .containsOnlyOnce("Annotated.canned(String) is not guarded where it answers as the fallback");
        });
    }

    private static void advance(ApplicationContext context, int seconds) {
        ((FakeTicker) context.getBean("guardedByTicker", LongSupplier.class)).advance(Duration.ofSeconds(seconds));
    }

    static class Misspelt {
        @GuardedBy(name = "a", fallback = "cannde") public String ask(String question) {
            return "answer";
        }

        private String canned(String question) {
            return "canned";
        }
    }

    static class Mistyped {
        @GuardedBy(name = "a", fallback = "canned") public String ask(String question) {
            return "answer";
        }

        private String canned(int question) {
            return "canned";
        }

        private String canned(String question, String more) {
            return "canned";
        }
    }

    interface Asked {
        String ask(String question);
    }

    static class Private implements Asked {
        private final String by = " by the bean";

        @Override
        @GuardedBy(name = "private", fallback = "canned") public String ask(String question) {
            throw new IllegalStateException("down");
        }

        private String canned(String question) {
            return "canned " + question + by;
        }
    }

    static class Remote {
        @Nullable Exception outage;

        void use() throws Exception {
            if (outage != null) {
                throw outage;
            }
        }
    }

    static class Masked {
        private final Remote remote;

        Masked(Remote remote) {
            this.remote = remote;
        }

        @GuardedBy(name = "masked", fallback = "canned") public String ask(String question) throws Exception {
            remote.use();
            return "answer to " + question;
        }

        private String canned(String question, Throwable primary) {
            return primary.getClass().getSimpleName() + " for " + question;
        }
    }

    static class CallsItself {
        private final Remote remote;
        private final CircuitBreakerRegistry registry;

        CallsItself(Remote remote, CircuitBreakerRegistry registry) {
            this.remote = remote;
            this.registry = registry;
            remote.outage = new IOException("down");
        }

        @GuardedBy("self") public String guarded() throws Exception {
            remote.use();
            return "answer";
        }

        public String onThis() throws Exception {
            return guarded();
        }

        public String inCode() throws Exception {
            return registry.get("self").call(this::guarded);
        }
    }

    static class OnFinal {
        @GuardedBy("a") public final void call() {}
    }

    static class OnPrivate {
        @GuardedBy("a") private void call() {}
    }

    static final class OnFinalClass {
        @GuardedBy("a") public void call() {}
    }

    static class Annotated {
        private final Remote remote;

        Annotated(Remote remote) {
            this.remote = remote;
        }

        @GuardedBy(name = "first", fallback = "canned") public String ask(String question) throws Exception {
            remote.use();
            return "answer";
        }

        @GuardedBy("second") public String canned(String question) {
            return "second " + question;
        }
    }
}
