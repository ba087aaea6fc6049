package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.failing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Mono;
import reactor.core.publisher.ParallelFlux;

@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // annotated methods and fallbacks are found by reflection
final class StartupCheckTest {

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake(
                        OnPrivate.class,
                        "@GuardedBy cannot guard OnPrivate.call(): it is private, so that a call does not go through the proxy.",
                        "Make it neither private, static nor final, or remove the annotation and call the CircuitBreaker of"
                                + " the CircuitBreakerRegistry in code."),
                mistake(
                        OnStatic.class,
                        "@GuardedBy cannot guard OnStatic.call(): it is static, so that a call does not go through the proxy.",
                        "Make it neither private, static nor final, or remove the annotation and call the CircuitBreaker of"
                                + " the CircuitBreakerRegistry in code."),
                mistake(
                        OnFinal.class,
                        "@GuardedBy cannot guard OnFinal.call(): it is final, so that a call does not go through the proxy.",
                        "Make it neither private, static nor final, or remove the annotation and call the CircuitBreaker of"
                                + " the CircuitBreakerRegistry in code."),
                mistake(
                        UnderFinal.class,
                        "@GuardedBy cannot guard OnFinal.call(): it is final, so that a call does not go through the proxy.",
                        "Make it neither private, static nor final, or remove the annotation and call the CircuitBreaker of"
                                + " the CircuitBreakerRegistry in code."),
                mistake(
                        FinalUnderInterface.class,
                        "@GuardedBy cannot guard FinalUnderInterface.call(): it is final, so that a call does not go through the"
                                + " proxy.",
                        "Make it not final, or remove the annotation and call the CircuitBreaker of the"
                                + " CircuitBreakerRegistry in code."),
                mistake(
                        NoName.class,
                        "@GuardedBy(name = \"\") on NoName.call() names no circuit breaker.",
                        "Write its name, @GuardedBy(\"llm\") for example."),
                mistake(
                        BlankName.class,
                        "@GuardedBy(name = \"${acme.name:}\") on BlankName.call() names no circuit breaker.",
                        "Write its name, @GuardedBy(\"llm\") for example."),
                mistake(
                        BadName.class,
                        "@GuardedBy(name = \"my llm\") on BadName.call() asks for a circuit breaker that cannot be built: name"
                                + " must be 1 to 64 letters, digits, '.', '_' or '-', but was 'my llm'.",
                        "Correct the name, or the settings of 'my llm'."),
                mistake(
                        NoPlaceholder.class,
                        "@GuardedBy(name = \"${acme.name}\") on NoPlaceholder.call() has a placeholder without a value: Could"
                                + " not resolve placeholder 'acme.name' in value \"${acme.name}\".",
                        "Give it a value, or a default as in ${key:default}."),
                mistake(
                        NoSuchFallback.class,
                        "The fallback 'canned' of NoSuchFallback.ask(String, int) does not exist.",
                        "Write String canned(String, int) or String canned(String, int, Throwable) in NoSuchFallback."),
                mistake(
                        OtherParameters.class,
                        "The fallback 'canned' of OtherParameters.ask(String) does not fit: it must take (String), optionally"
                                + " with an exception as the last, but there is only canned(String, String) and canned(int).",
                        "Write String canned(String) or String canned(String, Throwable) in OtherParameters."),
                mistake(
                        OtherResult.class,
                        "The fallback 'canned' of OtherResult.ask(String) does not fit: canned(String) returns int, which is not a"
                                + " java.lang.String.",
                        "Let it return java.lang.String."),
                mistake(
                        OtherTypeArgument.class,
                        "The fallback 'canned' of OtherTypeArgument.ask() does not fit: canned() returns"
                                + " java.util.concurrent.CompletableFuture<java.lang.Integer>, which is not a"
                                + " java.util.concurrent.CompletableFuture<java.lang.String>.",
                        "Let it return java.util.concurrent.CompletableFuture<java.lang.String>."),
                mistake(
                        CheckedException.class,
                        "The fallback 'canned' of CheckedException.ask() does not fit: canned() declares java.io.IOException,"
                                + " which callers of ask() are not told of.",
                        "Declare it on ask(), too, or wrap it in the fallback."),
                mistake(
                        ItsOwnFallback.class,
                        "The fallback 'ask' of ItsOwnFallback.ask(String) is the guarded method itself.",
                        "Write String ask(String, Throwable) in ItsOwnFallback."),
                mistake(
                        Ambiguous.class,
                        "The fallback 'canned' of Generic.ask(Object) is ambiguous: Generic.canned(Object) and"
                                + " Generic.canned(String) fit equally well.",
                        "Rename one of them."),
                mistake(
                        BrokenSpel.class,
                        "The cost expression '#result.' of BrokenSpel.call() is not valid SpEL: Expression [#result.] @7: EL1044E:"
                                + " Unexpectedly ran out of input.",
                        "Correct the expression."),
                mistake(
                        UnknownVariable.class,
                        "The cost expression '#reslt.cost' of UnknownVariable.call(int) asks for #reslt, but there is no"
                                + " such variable.",
                        "Use #a0, #p0, #result, #tokens; an argument has its name only if the class was compiled with"
                                + " -parameters."),
                mistake(
                        BareName.class,
                        "The cost expression '2 * result.cost' of BareName.call() asks for result without saying of what.",
                        "Use #result; an argument has its name only if the class was compiled with -parameters."),
                mistake(
                        BeanInCost.class,
                        "The cost expression '@prices.of(#result)' of BeanInCost.call() asks for @prices.",
                        "Use #result; an argument has its name only if the class was compiled with -parameters."),
                mistake(
                        PlainFuture.class,
                        "@GuardedBy cannot guard PlainFuture.call(): nobody can see how the java.util.concurrent.Future that it"
                                + " returns ends.",
                        "Let it return CompletableFuture or CompletionStage."),
                mistake(
                        OwnFuture.class,
                        "@GuardedBy cannot guard OwnFuture.call(): nobody can see how the OwnFuture.Mine that it returns ends.",
                        "Let it return CompletableFuture or CompletionStage."),
                mistake(
                        Parallel.class,
                        "@GuardedBy cannot guard Parallel.call(): nobody can see how the reactor.core.publisher.ParallelFlux"
                                + " that it returns ends.",
                        "Let it return org.reactivestreams.Publisher."),
                later(LaterCallable.class, "java.util.concurrent.Callable"),
                later(LaterTask.class, "org.springframework.web.context.request.async.WebAsyncTask"),
                later(LaterResult.class, "org.springframework.web.context.request.async.DeferredResult"),
                later(LaterEmitter.class, "org.springframework.web.servlet.mvc.method.annotation.SseEmitter"),
                later(LaterEntity.class, "reactor.core.publisher.Mono"),
                later(LaterFuture.class, "java.util.concurrent.CompletableFuture"),
                later(LaterBody.class, "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody"));
    }

    private static Arguments later(Class<?> bean, String returned) {
        return mistake(
                bean,
                "@GuardedBy cannot guard " + bean.getSimpleName() + ".call(): nobody can see how the " + returned
                        + " that it returns ends.",
                "Guard the method of another bean that does the work, or let it return CompletableFuture, Mono or Flux.");
    }

    private static Arguments mistake(Class<?> bean, String description, String action) {
        return Arguments.of(bean, description, action);
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void mistake_failsStartUp_andIsToldWithTheWayOut(Class<?> bean, String description, String action) {
        application(bean).run(context -> {
            assertThat(context).hasFailed();
            FailureAnalysis analysis = analyze(context.getStartupFailure());
            assertThat(plain(analysis.getDescription())).isEqualTo(description);
            assertThat(plain(String.valueOf(analysis.getAction()))).isEqualTo(action);
        });
    }

    @Test
    void methodThatAnInterfaceProxyDoesNotHave_failsStartUp() {
        application(OutsideTheInterface.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(
                        context -> assertThat(plain(
                                        analyze(context.getStartupFailure()).getDescription()))
                                .isEqualTo(
                                        "@GuardedBy cannot guard OutsideTheInterface.ask(): it is in no interface of a bean that is"
                                                + " known by its interfaces alone, so that a call does not go through the proxy."));
        application(OutsideTheInterface.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void secondClassBehindTheSameKindOfProxy_isCheckedAsWell() {
        application(WithinTheInterface.class, OutsideTheInterface.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(context -> assertThat(
                                plain(analyze(context.getStartupFailure()).getDescription()))
                        .startsWith("@GuardedBy cannot guard OutsideTheInterface.ask(): it is in no interface"));
    }

    @Test
    void methodThatAForeignProxyDoesNotHave_failsStartUp() {
        application()
                .withUserConfiguration(ForeignProxy.class)
                .run(context -> assertThat(
                                plain(analyze(context.getStartupFailure()).getDescription()))
                        .startsWith("@GuardedBy cannot guard OutsideTheInterface.ask(): it is in no interface"));
    }

    @ParameterizedTest
    @CsvSource({"FinalClass, true", "FinalOfInterface, true", "FinalClass, false"})
    void finalClassThatTheProxyWouldHaveToExtend_failsStartUp(String bean, boolean proxyTargetClass) {
        application(bean.equals("FinalClass") ? FinalClass.class : FinalOfInterface.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    FailureAnalysis analysis = analyze(context.getStartupFailure());
                    assertThat(plain(analysis.getDescription()))
                            .startsWith("@GuardedBy cannot guard " + bean + ".other() of the bean '")
                            .endsWith(bean + " is final, and the proxy has to be a subclass of it.");
                    assertThat(analysis.getAction())
                            .isEqualTo(
                                    "Make the class not final, or let it implement an interface with the method and set"
                                            + " spring.aop.proxy-target-class to false, or remove the annotation and call the"
                                            + " CircuitBreaker of the CircuitBreakerRegistry in code.");
                });
    }

    @Test
    void finalClassBehindAnInterface_isGuarded() {
        application(FinalOfInterface.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(context -> {
                    context.getBean(Other.class).other();
                    assertThat(Guarded.history(context, "final"))
                            .isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void finalMethodOfAnInterfaceProxy_isGuarded() {
        application(FinalUnderInterface.class)
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .run(context -> {
                    context.getBean(Call.class).call();
                    assertThat(Guarded.history(context, "final"))
                            .isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void privateAndStaticMethodsOfAGuardedType_areNobodysMistake() {
        application(WithHelpers.class).run(context -> {
            assertThat(context.getBean(WithHelpers.class).call()).isEqualTo("helped");
            assertThat(Guarded.history(context, "helpers")).isEqualTo("1 ok, 0 failed, 0 ignored, 0 refused, closed");
        });
    }

    @Test
    void annotatedBreakers_existFromStartUpOn_thoseOfLazyBeansWhenTheyAreMade() {
        application(Eager.class).withUserConfiguration(Later.class).run(context -> {
            CircuitBreakerRegistry registry = context.getBean(CircuitBreakerRegistry.class);
            assertThat(registry.all()).extracting(CircuitBreaker::name).containsExactly("eager");
            assertThat(context.getBean("lazy")).isNotNull();
            assertThat(registry.all()).extracting(CircuitBreaker::name).containsExactly("eager", "lazy");
            assertThat(context.getBean("prototype")).isNotSameAs(context.getBean("prototype"));
            assertThat(registry.all()).extracting(CircuitBreaker::name).containsExactly("eager", "lazy", "prototype");
        });
    }

    @Test
    void lazyBean_isCheckedWheneverItIsMade() {
        application().withUserConfiguration(Later.class).run(context -> {
            assertThat(context).hasNotFailed();
            for (int i = 0; i < 2; i++) {
                assertThatExceptionOfType(BeanCreationException.class)
                        .isThrownBy(() -> context.getBean("broken"))
                        .withRootCauseInstanceOf(InvalidGuardException.class);
            }
            assertThat(context.getBean("lazy")).isNotNull();
        });
    }

    @Test
    void beanThatIsCalledWhileTheApplicationStarts_isGuardedAlready() {
        application(Eager.class, CallsEarly.class)
                .run(context -> assertThat(Guarded.history(context, "eager"))
                        .isEqualTo("0 ok, 1 failed, 0 ignored, 0 refused, closed"));
    }

    private static FailureAnalysis analyze(Throwable failure) {
        List<FailureAnalysis> analyses = new ArrayList<>();
        SpringFactoriesLoader.forDefaultResourceLocation()
                .load(FailureAnalyzer.class, (name, implementation, cause) -> {})
                .forEach(analyzer -> {
                    FailureAnalysis analysis = analyzer.analyze(failure);
                    if (analysis != null) {
                        analyses.add(analysis);
                    }
                });
        assertThat(analyses).hasSize(1);
        return analyses.get(0);
    }

    private static String plain(String text) {
        return text.replace(Signature.name(StartupCheckTest.class) + ".", "");
    }

    static class OnPrivate {
        @GuardedBy("a") private void call() {}
    }

    static class OnStatic {
        @GuardedBy("a") static void call() {}
    }

    static class OnFinal {
        @GuardedBy("a") public final void call() {}
    }

    static class UnderFinal extends OnFinal {}

    interface Call {
        @GuardedBy("final")
        void call();
    }

    static class FinalUnderInterface implements Call {
        @Override
        public final void call() {}
    }

    interface Other {
        void other();
    }

    static class WithinTheInterface implements Other {
        @Override
        @GuardedBy("within") public void other() {}
    }

    static final class FinalClass {
        @GuardedBy("final") public void other() {}
    }

    static final class FinalOfInterface implements Other {
        @Override
        @GuardedBy("final") public void other() {}
    }

    @Configuration
    static class ForeignProxy {
        @Bean
        Other foreign() {
            return (Other) new ProxyFactory(new OutsideTheInterface()).getProxy();
        }
    }

    static class OutsideTheInterface implements Other {
        @Override
        public void other() {}

        @GuardedBy("a") public void ask() {}
    }

    @GuardedBy("helpers") static class WithHelpers {
        public String call() {
            return help();
        }

        private static String help() {
            return "helped";
        }
    }

    static class NoName {
        @GuardedBy public void call() {}
    }

    static class BlankName {
        @GuardedBy("${acme.name:}") public void call() {}
    }

    static class BadName {
        @GuardedBy("my llm") public void call() {}
    }

    static class NoPlaceholder {
        @GuardedBy("${acme.name}") public void call() {}
    }

    static class NoSuchFallback {
        @GuardedBy(name = "a", fallback = "canned") public String ask(String question, int tokens) {
            return "answer";
        }
    }

    static class OtherParameters {
        @GuardedBy(name = "a", fallback = "canned") public String ask(String question) {
            return "answer";
        }

        private String canned(int number) {
            return "canned";
        }

        private String canned(String question, String more) {
            return "canned";
        }
    }

    static class OtherResult {
        @GuardedBy(name = "a", fallback = "canned") public String ask(String question) {
            return "answer";
        }

        private int canned(String question) {
            return 1;
        }
    }

    static class OtherTypeArgument {
        @GuardedBy(name = "a", fallback = "canned") public CompletableFuture<String> ask() {
            return CompletableFuture.completedFuture("answer");
        }

        private CompletableFuture<Integer> canned() {
            return CompletableFuture.completedFuture(1);
        }
    }

    static class CheckedException {
        @GuardedBy(name = "a", fallback = "canned") public String ask() throws java.io.FileNotFoundException {
            return "answer";
        }

        private String canned() throws IOException {
            return "canned";
        }
    }

    static class ItsOwnFallback {
        @GuardedBy(name = "a", fallback = "ask") public String ask(String question) {
            return "answer";
        }
    }

    static class Generic<T> {
        @GuardedBy(name = "a", fallback = "canned") public String ask(T question) {
            return "answer";
        }

        private String canned(T question) {
            return "canned";
        }

        private String canned(String question) {
            return "canned";
        }
    }

    static class Ambiguous extends Generic<String> {}

    static class BrokenSpel {
        @GuardedBy(name = "a", cost = "#result.") public void call() {}
    }

    static class UnknownVariable {
        @GuardedBy(name = "a", cost = "#reslt.cost") public void call(int tokens) {}
    }

    static class BareName {
        @GuardedBy(name = "a", cost = "2 * result.cost") public void call() {}
    }

    static class BeanInCost {
        @GuardedBy(name = "a", cost = "@prices.of(#result)")
        public void call() {}
    }

    static class PlainFuture {
        @GuardedBy("a") public Future<String> call() {
            return CompletableFuture.completedFuture("answer");
        }
    }

    static class OwnFuture {
        static class Mine extends CompletableFuture<String> {}

        @GuardedBy("a") public Mine call() {
            return new Mine();
        }
    }

    static class Parallel {
        @GuardedBy("a") public ParallelFlux<String> call() {
            throw new UnsupportedOperationException();
        }
    }

    static class LaterCallable {
        @GuardedBy("a") public Callable<String> call() {
            return () -> "answer";
        }
    }

    static class LaterTask {
        @GuardedBy("a") public WebAsyncTask<String> call() {
            return new WebAsyncTask<>(() -> "answer");
        }
    }

    static class LaterResult {
        @GuardedBy("a") public DeferredResult<String> call() {
            return new DeferredResult<>();
        }
    }

    static class LaterEmitter {
        @GuardedBy("a") public SseEmitter call() {
            return new SseEmitter();
        }
    }

    static class LaterBody {
        @GuardedBy("a") public ResponseEntity<StreamingResponseBody> call() {
            return ResponseEntity.ok(out -> out.write(1));
        }
    }

    static class LaterEntity {
        @GuardedBy("a") public ResponseEntity<Mono<String>> call() {
            return ResponseEntity.ok(Mono.empty());
        }
    }

    static class LaterFuture {
        @GuardedBy("a") public ResponseEntity<CompletableFuture<String>> call() {
            return ResponseEntity.ok(new CompletableFuture<>());
        }
    }

    static class Eager {
        @GuardedBy("eager") public String call(Callable<String> inside) throws Exception {
            return inside.call();
        }
    }

    static class CallsEarly {
        CallsEarly(Eager eager) {
            failing(() -> eager.call(() -> {
                throw new IOException("down");
            }));
        }
    }

    static class LazyBean {
        @GuardedBy("lazy") public void call() {}
    }

    static class PrototypeBean {
        @GuardedBy("prototype") public void call() {}
    }

    static class BrokenBean {
        @GuardedBy(name = "broken", fallback = "missing") public void call() {}
    }

    static class Later {
        @Bean
        @Lazy
        LazyBean lazy() {
            return new LazyBean();
        }

        @Bean
        @Lazy
        BrokenBean broken() {
            return new BrokenBean();
        }

        @Bean
        @Scope("prototype")
        PrototypeBean prototype() {
            return new PrototypeBean();
        }
    }
}
