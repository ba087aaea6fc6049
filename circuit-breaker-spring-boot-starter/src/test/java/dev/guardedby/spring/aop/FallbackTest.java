package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@SuppressWarnings({"UnusedMethod", "UnusedVariable", "NonApiType"}) // fallbacks are found by name
@ExtendWith(OutputCaptureExtension.class)
final class FallbackTest {
    private final ApplicationContextRunner application = application(Wire.class, Assistant.class);

    @Test
    void answersForFailuresAndRefusals_notForSuccesses() {
        application.run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            Wire wire = context.getBean(Wire.class);
            assertThat(assistant.ask("a")).isEqualTo("answer to a");
            wire.outage = new IllegalStateException("down");
            assertThat(assistant.ask("b")).isEqualTo("canned b for IllegalStateException by the wired bean");
            assertThat(assistant.ask("c")).isEqualTo("canned c for IllegalStateException by the wired bean");
            assertThat(assistant.ask("d")).isEqualTo("busy d by the wired bean");
            assertThat(history(context, "llm")).isEqualTo("1 ok, 2 failed, 0 ignored, 1 refused, open");
        });
    }

    @Test
    void nearestExceptionType_wins() {
        application
                .withPropertyValues("guardedby.defaults.failure-threshold=100")
                .run(context -> {
                    Assistant assistant = context.getBean(Assistant.class);
                    Wire wire = context.getBean(Wire.class);
                    List<String> answers = new ArrayList<>();
                    for (Throwable thrown : new Throwable[] {
                        new SocketTimeoutException(),
                        new FileNotFoundException(),
                        new IOException(),
                        new Exception(),
                        new Error()
                    }) {
                        wire.outage = thrown;
                        answers.add(assistant.typed("q"));
                    }
                    assertThat(answers).containsExactly("timeout q", "io q", "io q", "any q", "any q");
                });
    }

    @Test
    void exceptionThatNoFallbackTakes_reachesTheCaller() {
        application.run(context -> {
            context.getBean(Wire.class).outage = new IllegalStateException("not io");
            assertThat(catchThrowable(() -> context.getBean(Assistant.class).onlyIo("q")))
                    .isSameAs(context.getBean(Wire.class).outage)
                    .hasNoSuppressedExceptions();
        });
    }

    @Test
    void ignoredException_isNotAnsweredFor() {
        application
                .withPropertyValues("guardedby.defaults.ignore-exceptions=java.lang.IllegalArgumentException")
                .run(context -> {
                    context.getBean(Wire.class).outage = new IllegalArgumentException("bad question");
                    assertThat(catchThrowable(
                                    () -> context.getBean(Assistant.class).ask("q")))
                            .isSameAs(context.getBean(Wire.class).outage);
                });
    }

    @Test
    void exceptionThatNoRecordRuleMatches_isAnAnswerOfTheRemote_andNotAnsweredFor() {
        application
                .withPropertyValues("guardedby.defaults.record-exceptions=java.io.IOException")
                .run(context -> {
                    context.getBean(Wire.class).outage = new IllegalStateException("no such model");
                    assertThat(catchThrowable(
                                    () -> context.getBean(Assistant.class).ask("q")))
                            .isSameAs(context.getBean(Wire.class).outage);
                });
    }

    @Test
    void refusalFurtherIn_isAnsweredFor_andIsNoFailureHere() {
        application(Wire.class, Assistant.class, Desk.class).run(context -> {
            breaker(context, "llm").holdOpen();
            assertThat(context.getBean(Desk.class).ask("q")).isEqualTo("desk closed because of llm");
            assertThat(context.getBean(Desk.class).join("q")).isEqualTo("desk closed");
            assertThat(history(context, "desk")).isEqualTo("0 ok, 0 failed, 2 ignored, 0 refused, closed");
        });
    }

    @Test
    void whatTheFallbackThrows_reachesTheCaller_withThePrimarySuppressed() {
        application.run(context -> {
            Wire wire = context.getBean(Wire.class);
            wire.outage = new IOException("down");
            wire.outageOfFallback = new IOException("down, too");
            assertThat(catchThrowable(() -> context.getBean(Assistant.class).onlyIo("q")))
                    .isSameAs(wire.outageOfFallback)
                    .satisfies(thrown -> assertThat(thrown.getSuppressed()).containsExactly(wire.outage));
        });
    }

    @Test
    void fallbackThatThrowsThePrimaryAgain_suppressesNothing() {
        application.run(context -> {
            Wire wire = context.getBean(Wire.class);
            wire.outage = new IOException("down");
            wire.outageOfFallback = wire.outage;
            assertThat(catchThrowable(() -> context.getBean(Assistant.class).onlyIo("q")))
                    .isSameAs(wire.outage)
                    .hasNoSuppressedExceptions();
        });
    }

    @Test
    void fallbackThatThrowsOneSharedException_doesNotFillTheMemory() {
        application
                .withPropertyValues("guardedby.defaults.failure-threshold=10000")
                .run(context -> {
                    Wire wire = context.getBean(Wire.class);
                    IOException shared = new IOException("shared");
                    wire.outageOfFallback = shared;
                    for (int i = 0; i < 1000; i++) {
                        wire.outage = new IOException("call " + i);
                        assertThat(catchThrowable(
                                        () -> context.getBean(Assistant.class).onlyIo("q")))
                                .isSameAs(shared);
                    }
                    assertThat(shared.getSuppressed()).hasSize(16);
                });
    }

    @Test
    void fallbackWithoutAnException_staticOnes_andPrimitiveResults() {
        application.run(context -> {
            context.getBean(Wire.class).outage = new IOException("down");
            assertThat(context.getBean(Assistant.class).count("four")).isEqualTo(-4);
            assertThat(context.getBean(Assistant.class).nothing()).isFalse();
        });
    }

    @Test
    void arrayOfArguments_isHandedOn() {
        application.run(context -> {
            context.getBean(Wire.class).outage = new IOException("down");
            assertThat(context.getBean(Assistant.class).all("a", "b")).isEqualTo("none of a, b");
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void fallbackOfASuperclass_privateThere_andOfAnInterface(boolean proxyTargetClass) {
        application(Wire.class, Branch.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    context.getBean(Wire.class).outage = new IllegalStateException("down");
                    Office office = context.getBean(Office.class);
                    assertThat(office.inherited("q")).isEqualTo("superclass q by the wired bean");
                    assertThat(office.byDefault("q")).isEqualTo("interface q");
                    assertThat(office.overridden("q")).isEqualTo("branch q");
                });
    }

    @Test
    void genericFallback() {
        application(Wire.class, Translator.class).run(context -> {
            context.getBean(Wire.class).outage = new IllegalStateException("down");
            assertThat(context.getBean(Translator.class).handle("q")).isEqualTo("untranslated q");
            assertThat(context.getBean(Translator.class).list(List.of(1))).containsExactly("none");
        });
    }

    @Test
    void fallbackOfAGuardedClass_mayBePublic_andIsNotGuarded() {
        application(Wire.class, GuardedClass.class).run(context -> {
            context.getBean(Wire.class).outage = new IllegalStateException("down");
            GuardedClass bean = context.getBean(GuardedClass.class);
            assertThat(bean.one("q")).isEqualTo("substitute for q");
            assertThat(bean.two("r")).isEqualTo("substitute for r");
            assertThat(bean.substitute("s")).isEqualTo("substitute for s");
            assertThat(history(context, "class")).isEqualTo("0 ok, 2 failed, 0 ignored, 0 refused, open");
        });
    }

    @Test
    void guardedFallback_isCalledOnTheBean_andThatIsSaid(CapturedOutput output) {
        application(Wire.class, Chained.class).run(context -> {
            context.getBean(Wire.class).outage = new IllegalStateException("down");
            assertThat(context.getBean(Chained.class).first()).isEqualTo("second");
            assertThat(history(context, "second")).isEqualTo("0 ok, 0 failed, 0 ignored, 0 refused, closed");
            assertThat(output.getOut())
                    .containsOnlyOnce("Chained.second() is not guarded where it answers as the fallback");
        });
    }

    @Test
    void future_isAnsweredForWhenItFails() {
        application.run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            Wire wire = context.getBean(Wire.class);
            CompletableFuture<String> answer = assistant.later("q");
            assertThat(answer).isNotDone();
            wire.pending.get().completeExceptionally(new CompletionException(new IOException("down")));
            assertThat(answer.get()).isEqualTo("later q for IOException");
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");

            breaker(context, "later").holdOpen();
            assertThat(assistant.later("r").get()).isEqualTo("later r for CallNotPermittedException");
        });
    }

    @Test
    void futureThatFailsByAnInterruption_isAFailure_andIsAnsweredFor() {
        application.run(context -> {
            CompletableFuture<String> answer = context.getBean(Assistant.class).later("q");
            context.getBean(Wire.class).pending.get().completeExceptionally(new InterruptedException());
            assertThat(answer.get()).isEqualTo("later q for InterruptedException");
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void futureThatSucceeds_isLeftAlone() {
        application.run(context -> {
            CompletableFuture<String> answer = context.getBean(Assistant.class).later("q");
            context.getBean(Wire.class).pending.get().complete("good");
            assertThat(answer.get()).isEqualTo("good");
        });
    }

    @Test
    void fallbackWhoseFutureFails_hasThePrimarySuppressed() {
        application.run(context -> {
            Wire wire = context.getBean(Wire.class);
            wire.outageOfFallback = new IOException("down, too");
            IOException down = new IOException("down");
            CompletableFuture<String> answer = context.getBean(Assistant.class).later("q");
            wire.pending.get().completeExceptionally(down);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(answer::get)
                    .satisfies(e -> assertThat(e.getCause()).isSameAs(wire.outageOfFallback))
                    .satisfies(e -> assertThat(e.getCause().getSuppressed()).containsExactly(down));
        });
    }

    @Test
    void fallbackThatReturnsNoFuture_orThrowsInsteadOfOne_failsTheFuture() {
        application.run(context -> {
            IOException down = new IOException("down");
            CompletableFuture<String> none = context.getBean(Assistant.class).laterNothing();
            context.getBean(Wire.class).pending.get().completeExceptionally(down);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(none::get)
                    .withMessageContaining("the fallback returned null instead of a stage")
                    .satisfies(e -> assertThat(e.getCause().getSuppressed()).containsExactly(down));

            CompletableFuture<String> thrown = context.getBean(Assistant.class).laterThrown();
            context.getBean(Wire.class).pending.get().completeExceptionally(down);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(thrown::get)
                    .withCauseInstanceOf(IllegalStateException.class)
                    .satisfies(e -> assertThat(e.getCause().getSuppressed()).containsExactly(down));
        });
    }

    @Test
    void cancelledFuture_cancelsTheCall_andIsNotAnsweredFor() {
        application.run(context -> {
            CompletableFuture<String> answer = context.getBean(Assistant.class).later("q");
            answer.cancel(true);
            assertThat(context.getBean(Wire.class).pending.get()).isCancelled();
            assertThat(answer).isCancelled();
            assertThat(history(context, "later")).isEqualTo("0 ok, 0 failed, 1 ignored, 0 refused, closed");
        });
    }

    @Test
    void futureThatTheCallerGivesUpOnByATimeout_isAFailure() {
        application.run(context -> {
            CompletableFuture<String> answer =
                    context.getBean(Assistant.class).later("q").orTimeout(1, TimeUnit.MILLISECONDS);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(answer::get)
                    .withCauseInstanceOf(TimeoutException.class);
            assertThat(history(context, "later")).isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void futureThatIsCancelledWhileTheFallbackRuns_cancelsTheFallback() {
        application.run(context -> {
            Wire wire = context.getBean(Wire.class);
            CompletableFuture<String> answer = context.getBean(Assistant.class).laterSlowly();
            wire.pending.get().completeExceptionally(new IOException("down"));
            assertThat(answer).isNotDone();
            answer.cancel(true);
            assertThat(wire.pendingFallback.get()).isCancelled();
        });
    }

    static final class Wire {
        volatile @Nullable Throwable outage;
        volatile @Nullable Throwable outageOfFallback;
        final AtomicReference<CompletableFuture<String>> pending = new AtomicReference<>();
        final AtomicReference<CompletableFuture<String>> pendingFallback = new AtomicReference<>();

        String by() {
            return " by the wired bean";
        }

        void use() throws Exception {
            fail(outage);
        }

        static void fail(@Nullable Throwable outage) throws Exception {
            if (outage instanceof Exception e) {
                throw e;
            }
            if (outage instanceof Error e) {
                throw e;
            }
        }

        void useSilently() {
            if (outage instanceof RuntimeException e) {
                throw e;
            }
            if (outage != null) {
                throw new IllegalStateException(outage);
            }
        }
    }

    static class Assistant {
        private final Wire wire;

        Assistant(Wire wire) {
            this.wire = wire;
        }

        @GuardedBy(name = "llm", fallback = "canned") public String ask(String question) {
            wire.useSilently();
            return "answer to " + question;
        }

        @GuardedBy("llm") public String refused(String question) {
            return "answer";
        }

        private String canned(String question, CallNotPermittedException refused) {
            return "busy " + question + wire.by();
        }

        private String canned(String question, Throwable failure) {
            return "canned " + question + " for " + failure.getClass().getSimpleName() + wire.by();
        }

        @GuardedBy(name = "typed", fallback = "nearest") public String typed(String question) throws Exception {
            wire.use();
            return "answer";
        }

        private String nearest(String question) {
            return "any " + question;
        }

        private String nearest(String question, IOException failure) {
            return "io " + question;
        }

        private String nearest(String question, SocketTimeoutException failure) {
            return "timeout " + question;
        }

        @GuardedBy(name = "io", fallback = "io") public String onlyIo(String question) throws Exception {
            wire.use();
            return "answer";
        }

        private String io(String question, IOException failure) throws Exception {
            Wire.fail(wire.outageOfFallback);
            return "io " + question;
        }

        @GuardedBy(name = "count", fallback = "uncounted") public int count(String question) throws Exception {
            wire.use();
            return question.length();
        }

        private static Integer uncounted(String question) {
            return -question.length();
        }

        @GuardedBy(name = "nothing", fallback = "noAnswer") public boolean nothing() throws Exception {
            wire.use();
            return true;
        }

        private boolean noAnswer(Exception failure) {
            return false;
        }

        @GuardedBy(name = "all", fallback = "none") public String all(String... questions) throws Exception {
            wire.use();
            return "answer";
        }

        private String none(String... questions) {
            return "none of " + String.join(", ", questions);
        }

        @GuardedBy(name = "later", fallback = "soon") public CompletableFuture<String> later(String question) {
            wire.pending.set(new CompletableFuture<>());
            return wire.pending.get();
        }

        private CompletableFuture<String> soon(String question, Throwable failure) {
            return wire.outageOfFallback == null
                    ? CompletableFuture.completedFuture(
                            "later " + question + " for " + failure.getClass().getSimpleName())
                    : CompletableFuture.failedFuture(wire.outageOfFallback);
        }

        @GuardedBy(name = "later", fallback = "noFuture") public CompletableFuture<String> laterNothing() {
            return later("");
        }

        private @Nullable CompletableFuture<String> noFuture() {
            return null;
        }

        @GuardedBy(name = "later", fallback = "thrown") public CompletableFuture<String> laterThrown() {
            return later("");
        }

        private CompletableFuture<String> thrown() {
            throw new IllegalStateException("no fallback either");
        }

        @GuardedBy(name = "later", fallback = "slowly") public CompletableFuture<String> laterSlowly() {
            return later("");
        }

        private CompletableFuture<String> slowly() {
            wire.pendingFallback.set(new CompletableFuture<>());
            return wire.pendingFallback.get();
        }
    }

    static class Desk {
        private final Assistant assistant;

        Desk(Assistant assistant) {
            this.assistant = assistant;
        }

        @GuardedBy(name = "desk", fallback = "closed") public String ask(String question) throws Exception {
            return assistant.refused(question);
        }

        private String closed(String question, CallNotPermittedException refused) {
            return "desk closed because of " + refused.name();
        }

        @GuardedBy(name = "desk", fallback = "closedFor") public String join(String question) throws Exception {
            return CompletableFuture.supplyAsync(() -> assistant.refused(question))
                    .join();
        }

        private String closedFor(String question) {
            return "desk closed";
        }
    }

    interface Office {
        String inherited(String question);

        String byDefault(String question);

        String overridden(String question);

        default String deflt(String question) {
            return "interface " + question;
        }
    }

    abstract static class Headquarters {
        final Wire wire;

        Headquarters(Wire wire) {
            this.wire = wire;
        }

        private String above(String question) {
            return "superclass " + question + wire.by();
        }

        String local(String question) {
            return "headquarters " + above(question);
        }
    }

    static class Branch extends Headquarters implements Office {
        Branch(Wire wire) {
            super(wire);
        }

        @Override
        @GuardedBy(name = "office", fallback = "above") public String inherited(String question) {
            wire.useSilently();
            return "answer";
        }

        @Override
        @GuardedBy(name = "office", fallback = "deflt") public String byDefault(String question) {
            wire.useSilently();
            return "answer";
        }

        @Override
        @GuardedBy(name = "office", fallback = "local") public String overridden(String question) {
            wire.useSilently();
            return "answer";
        }

        @Override
        String local(String question) {
            return "branch " + question;
        }
    }

    abstract static class Generic<T> {
        final Wire wire;

        Generic(Wire wire) {
            this.wire = wire;
        }

        @GuardedBy(name = "generic", fallback = "substitute") public T handle(T input) {
            wire.useSilently();
            return input;
        }

        abstract T substitute(T input, Exception failure);
    }

    static class Translator extends Generic<String> {
        Translator(Wire wire) {
            super(wire);
        }

        @Override
        String substitute(String input, Exception failure) {
            return "untranslated " + input;
        }

        @GuardedBy(name = "generic", fallback = "noList") public List<String> list(List<Integer> numbers) {
            wire.useSilently();
            return List.of();
        }

        private ArrayList<String> noList(List<Integer> numbers) {
            return new ArrayList<>(List.of("none"));
        }
    }

    @GuardedBy(name = "class", fallback = "substitute") static class GuardedClass {
        private final Wire wire;

        GuardedClass(Wire wire) {
            this.wire = wire;
        }

        public String one(String question) {
            wire.useSilently();
            return "answer";
        }

        public String two(String question) {
            wire.useSilently();
            return "answer";
        }

        public String substitute(String question) {
            return "substitute for " + question;
        }
    }

    static class Chained {
        private final Wire wire;

        Chained(Wire wire) {
            this.wire = wire;
        }

        @GuardedBy(name = "first", fallback = "second") public String first() {
            wire.useSilently();
            return "first";
        }

        @GuardedBy("second") public String second() {
            return "second";
        }
    }
}
