package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.failing;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.keys.Keys;
import java.io.IOException;
import java.net.URI;
import java.nio.CharBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import reactor.core.publisher.Mono;

/** Methods whose calls are guarded by key. */
@ExtendWith(OutputCaptureExtension.class)
class KeysOfMethodsTest {
    record Question(String tenant, String text) {}

    /** Public, so that a class loader that lacks something can make a proxy of it. */
    public static class Model {
        private final List<String> asked = new ArrayList<>();
        private boolean works = true;

        void works(boolean itDoes) {
            works = itDoes;
        }

        List<String> asked() {
            return asked;
        }

        @GuardedBy(name = "llm", key = "#tenant") public String ask(String tenant) throws IOException {
            return answer(tenant);
        }

        @GuardedBy(name = "llm", key = "#question.tenant()")
        public String askWell(Question question) throws IOException {
            return answer(question.tenant());
        }

        @GuardedBy("llm") public String askForNobody() throws IOException {
            return answer("nobody");
        }

        @GuardedBy(name = "llm", key = "#p0", fallback = "busy") public String askPatiently(String tenant) throws IOException {
            return answer(tenant);
        }

        String busy(String tenant, Exception why) {
            return "later, " + tenant;
        }

        @GuardedBy(name = "later", key = "#a0", fallback = "busyLater") public CompletableFuture<String> later(String tenant) {
            try {
                return CompletableFuture.completedFuture(answer(tenant));
            } catch (IOException e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        CompletableFuture<String> busyLater(String tenant) {
            return CompletableFuture.completedFuture("later, " + tenant);
        }

        @GuardedBy(name = "mono", key = "#a0", fallback = "busyMono") public Mono<String> mono(String tenant) {
            return Mono.fromCallable(() -> answer(tenant));
        }

        Mono<String> busyMono(String tenant, CallNotPermittedException refused) {
            return Mono.just("later, " + tenant);
        }

        @GuardedBy(name = "any", key = "#key") public String any(Object key) throws IOException {
            return answer(String.valueOf(key));
        }

        private String answer(String tenant) throws IOException {
            asked.add(tenant);
            if (!works) {
                throw new IOException("down");
            }
            return "for " + tenant;
        }
    }

    private final ApplicationContextRunner application = Guarded.application(Model.class);

    private static String key(ApplicationContext context, String name, String key) {
        return context.getBean(CircuitBreakerRegistry.class)
                .find(name, key)
                .map(CircuitBreaker::toString)
                .orElse("none");
    }

    private static int keys(ApplicationContext context, String name) {
        return breaker(context, name).keys().orElseThrow().size();
    }

    @Test
    void outageOfOneTenant_cutsOffThatTenant_inAllMethodsOfTheName() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.works(false);
            failing(() -> model.ask("acme"));
            failing(() -> model.askWell(new Question("acme", "Why?")));
            model.works(true);

            assertThatThrownBy(() -> model.ask("acme"))
                    .isInstanceOf(CallNotPermittedException.class)
                    .hasMessage(
                            "Circuit breaker 'llm' for key 'acme' is open after 2 consecutive failures, next probe in"
                                    + " 10.0 s");
            assertThat(model.ask("umbrella")).isEqualTo("for umbrella");
            assertThat(model.askForNobody()).isEqualTo("for nobody");
            assertThat(key(context, "llm", "acme"))
                    .isEqualTo("CircuitBreaker[name=llm, key=acme, state=open, failures=2/2]");
            assertThat(history(context, "llm")).isEqualTo("2 ok, 2 failed, 0 ignored, 1 refused, closed");

            ((FakeTicker) context.getBean(LongSupplier.class)).advance(Duration.ofSeconds(10));
            assertThat(model.ask("acme")).isEqualTo("for acme");
            assertThat(key(context, "llm", "acme"))
                    .isEqualTo("CircuitBreaker[name=llm, key=acme, state=closed, failures=0/2]");
            assertThat(model.asked()).containsExactly("acme", "acme", "umbrella", "nobody", "acme");
            assertThat(context.getBean(CircuitBreakerRegistry.class).all())
                    .extracting(CircuitBreaker::name)
                    .containsExactly("any", "later", "llm", "mono");
        });
    }

    @Test
    void methodWithoutAKey_movesTheBreakerOfTheName_andNoTenant() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.works(false);
            failing(model::askForNobody);
            failing(model::askForNobody);
            model.works(true);

            assertThatThrownBy(model::askForNobody).hasMessageStartingWith("Circuit breaker 'llm' is open");
            assertThat(model.ask("acme")).isEqualTo("for acme");
        });
    }

    @Test
    void fallback_answersForTheTenantThatIsCutOff() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.works(false);
            assertThat(model.askPatiently("acme")).isEqualTo("later, acme");
            assertThat(model.askPatiently("acme")).isEqualTo("later, acme");
            assertThat(model.askPatiently("acme")).isEqualTo("later, acme");
            model.works(true);
            assertThat(model.askPatiently("umbrella")).isEqualTo("for umbrella");
            assertThat(model.later("acme").get(10, TimeUnit.SECONDS)).isEqualTo("for acme");

            assertThat(history(context, "llm")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, closed");
            assertThat(key(context, "later", "acme"))
                    .isEqualTo("CircuitBreaker[name=later, key=acme, state=closed, failures=0/2]");
        });
    }

    @Test
    void whatIsItsText_isAKey() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            UUID id = UUID.fromString("00000000-0000-0001-0000-000000000002");
            for (Object key : List.of(
                    "text",
                    CharBuffer.wrap("built"),
                    42,
                    42L,
                    1.5,
                    true,
                    'c',
                    TimeUnit.SECONDS,
                    id,
                    URI.create("a:b"))) {
                assertThat(model.any(key)).startsWith("for ");
            }

            assertThat(breaker(context, "any").keys().orElseThrow().all())
                    .extracting(breaker -> breaker.key().orElseThrow())
                    .containsExactlyInAnyOrder(
                            "text", "built", "42", "1.5", "true", "c", "SECONDS", id.toString(), "a:b");
        });
    }

    @Test
    void callWithoutAUsableKey_failsByItself_isCounted_andMovesNothing() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            String place = "The key expression '#key' of " + Model.class.getCanonicalName() + ".any(Object) ";
            String kinds = "must yield a text, a number, a boolean, an enum constant, a UUID or a URI, but yielded ";
            String rule =
                    "yielded no key: key must be 1 to 256 characters, not blank and without control characters, but"
                            + " was ";

            assertInvalid(() -> model.any(null), place + kinds + "null");
            assertInvalid(() -> model.any(List.of("acme")), place + kinds + "a java.util.ImmutableCollections$List12");
            assertInvalid(() -> model.any(" "), place + rule + "' '");
            assertInvalid(() -> model.any("a\r\nb"), place + rule + "'a??b'");
            assertInvalid(() -> model.any("x".repeat(100_000)), place + rule + "'" + "x".repeat(40) + "…' of 100000");
            assertThat(model.asked()).isEmpty();
            assertThat(history(context, "any")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(keys(context, "any")).isZero();
            assertThat(context.getBean(Keys.class)
                            .of(breaker(context, "any"))
                            .invalid()
                            .sum())
                    .isEqualTo(5);
        });
    }

    private static void assertInvalid(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    @Test
    void expressionThatFails_failsTheCall_withItsCause() {
        application.run(context -> {
            Model model = context.getBean(Model.class);

            assertThatThrownBy(() -> model.askWell(null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("The key expression '#question.tenant()' of "
                            + Model.class.getCanonicalName()
                            + ".askWell(KeysOfMethodsTest.Question) failed, so that the call has no key: EL1011E")
                    .hasCauseInstanceOf(org.springframework.expression.spel.SpelEvaluationException.class);
            assertThat(keys(context, "llm")).isZero();
            assertThat(model.asked()).isEmpty();
        });
    }

    @Test
    void callWithoutAUsableKey_asksNoFallback_andFailsTheFutureOfAStage() {
        application.run(context -> {
            Model model = context.getBean(Model.class);

            assertThatThrownBy(() -> model.askPatiently(null)).isInstanceOf(IllegalArgumentException.class);
            CompletableFuture<String> future = model.later(null);
            assertThatThrownBy(() -> future.get(10, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("but yielded null");
            assertThat(model.asked()).isEmpty();
        });
    }

    @Test
    void subscription_isACallOfItsKey() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.works(false);
            Mono<String> acme = model.mono("acme");
            failing(acme::block);
            failing(acme::block);
            model.works(true);

            assertThat(acme.block()).isEqualTo("later, acme");
            assertThat(model.mono("umbrella").block()).isEqualTo("for umbrella");
            Mono<String> nobody = model.mono(null);
            assertThatThrownBy(nobody::block)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("but yielded null");
            assertThat(key(context, "mono", "acme"))
                    .isEqualTo("CircuitBreaker[name=mono, key=acme, state=open, failures=2/2]");
            assertThat(history(context, "mono")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, closed");
            assertThat(model.asked()).containsExactly("acme", "acme", "umbrella");
        });
    }

    static class Outer {
        private final Model model;

        Outer(Model model) {
            this.model = model;
        }

        @GuardedBy(name = "outer", key = "'all'", fallback = "instead") public String ask(String tenant) throws IOException {
            return model.ask(tenant);
        }

        String instead(String tenant) {
            return "instead";
        }
    }

    @Test
    void unusableKeyOfACallFurtherIn_isAFailureLikeAnyOther() {
        Guarded.application(Model.class, Outer.class).run(context -> {
            assertThat(context.getBean(Outer.class).ask(null)).isEqualTo("instead");
            assertThat(key(context, "outer", "all"))
                    .isEqualTo("CircuitBreaker[name=outer, key=all, state=closed, failures=1/2]");
        });
    }

    @Test
    void breakerOfAKey_inCode_isTheSame() {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            CircuitBreaker acme = breaker(context, "llm").forKey("acme");
            acme.holdOpen();

            assertThatThrownBy(() -> model.ask("acme"))
                    .hasMessage("Circuit breaker 'llm' for key 'acme' is held open by an operator");
        });
    }

    @Test
    void log_namesTheKeyThatOpens_andNotEachKeyThatAnOperatorMoves(CapturedOutput output) {
        application.run(context -> {
            Model model = context.getBean(Model.class);
            model.works(false);
            failing(() -> model.ask("acme"));
            failing(() -> model.ask("acme"));
            failing(() -> model.ask("umbrella"));
            breaker(context, "llm").holdOpen();
        });

        assertThat(output.getOut()
                        .lines()
                        .filter(line -> line.contains("WARN") || line.contains("INFO"))
                        .filter(line -> line.contains("dev.guardedby")))
                // What stands before it depends on whether another test has set up Spring Boot's logging.
                .extracting(line -> line.substring(Math.max(0, line.indexOf("Circuit breaker"))))
                .containsExactly(
                        "Circuit breaker 'llm' for key 'acme' is open after 2 consecutive failures; most often"
                                + " java.io.IOException (2)",
                        "Circuit breaker 'llm' is held open by an operator");
    }

    static class Misspelt {
        @GuardedBy(name = "llm", key = "#tennant") public String ask(String tenant) {
            return tenant;
        }
    }

    static class OfResult {
        @GuardedBy(name = "llm", key = "#result") public String ask(String tenant) {
            return tenant;
        }
    }

    static class Broken {
        @GuardedBy(name = "llm", key = "#tenant.") public String ask(String tenant) {
            return tenant;
        }
    }

    static class Bare {
        @GuardedBy(name = "llm", key = "tenant") public String ask(String tenant) {
            return tenant;
        }
    }

    @Test
    void expressionThatCannotWork_failsTheStart() {
        assertRefused(
                Misspelt.class,
                "The key expression '#tennant' of dev.guardedby.spring.aop.KeysOfMethodsTest.Misspelt.ask(String) asks for"
                        + " #tennant, but there is no such variable. Use #a0, #p0, #tenant;");
        assertRefused(OfResult.class, "asks for #result, but there is no such variable. Use #a0, #p0, #tenant;");
        assertRefused(Broken.class, "is not valid SpEL: ");
        assertRefused(Bare.class, "asks for tenant without saying of what");
    }

    private static void assertRefused(Class<?> bean, String message) {
        Guarded.application(bean)
                .run(context -> assertThat(context)
                        .getFailure()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessageContaining(message));
    }

    @Test
    void withoutCaffeine_aKeyFailsTheStart_andNothingElseDoes() {
        FilteredClassLoader without = new FilteredClassLoader("com.github.benmanes.caffeine");
        application
                .withClassLoader(without)
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasMessageMatching("(?s).*The key expression '.*' of "
                                + Model.class.getCanonicalName().replace(".", "\\.")
                                + "\\..* needs Caffeine, which keeps the circuit breakers of the keys, and it is not on the class"
                                + " path\\. Add the dependency com\\.github\\.ben-manes\\.caffeine:caffeine, whose version Spring"
                                + " Boot knows, or remove the key\\.")
                        .isInstanceOf(InvalidGuardException.class));
        Guarded.application(Plain.class)
                .withClassLoader(without)
                .run(context -> assertThatCode(
                                () -> context.getBean(Plain.class).ask("acme"))
                        .doesNotThrowAnyException());
    }

    public static class Plain {
        @GuardedBy("plain") public String ask(String tenant) {
            return tenant;
        }
    }

    interface One {
        @GuardedBy(name = "llm", key = "#tenant") String ask(String tenant);
    }

    interface Other {
        @GuardedBy("llm") String ask(String tenant);
    }

    static class Both implements One, Other {
        @Override
        public String ask(String tenant) {
            return tenant;
        }
    }

    @Test
    void interfacesThatDisagreeAboutTheKey_failTheStart() {
        Guarded.application(Both.class)
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasMessageContaining("@GuardedBy(name = \"llm\", key = \"#tenant\") on "
                                + One.class.getCanonicalName() + ".ask(String) and @GuardedBy(name = \"llm\") on ")
                        .hasMessageContaining("say different things about one method"));
    }
}
