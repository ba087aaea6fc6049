package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static dev.guardedby.spring.aop.Guarded.breaker;
import static dev.guardedby.spring.aop.Guarded.history;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import io.smallrye.mutiny.Uni;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Which method answers, by its signature: generics, bridges, variable arguments and overloads, behind class proxies and
 * interface proxies. Two of the reports are {@code smallrye439} (start-up recursed without end over a generic result) and
 * {@code r4j1174} (a fallback that takes a Throwable alone was lost beside two arguments or more).
 */
@SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // fallbacks are found by name
final class FallbackSignaturesTest {

    @Test
    void r4j1174_noneToFourArguments_withTheExceptionAndWithout() {
        manyFailures(Arity.class).run(context -> {
            Arity bean = context.getBean(Arity.class);
            assertThat(List.of(
                            bean.ask(),
                            bean.ask("a"),
                            bean.ask("a", 2),
                            bean.ask("a", 2, 'c'),
                            bean.ask("a", 2, 'c', 4L)))
                    .containsExactly("Throwable 0", "a 1", "Throwable a 2", "a 2 c 3", "Throwable a 2 c 4");
            breaker(context, "arity").holdOpen();
            assertThat(List.of(
                            bean.ask(),
                            bean.ask("a"),
                            bean.ask("a", 2),
                            bean.ask("a", 2, 'c'),
                            bean.ask("a", 2, 'c', 4L)))
                    .containsExactly("refused 0", "a 1", "Throwable a 2", "a 2 c 3", "refused a 2 c 4");
        });
    }

    @Test
    void smallrye439_recursiveTypeVariables_areResolved() {
        manyFailures(OfIntegers.class).run(context -> {
            OfIntegers bean = context.getBean(OfIntegers.class);
            assertThat(bean.greatest(List.of(1, 2))).isEqualTo(-1);
            assertThat(bean.later(3).get()).isEqualTo(3);
            assertThat(bean.sorted(new ArrayList<>(List.of("b", "a")))).containsExactly("b", "a");
            assertThat(bean.itself()).isInstanceOf(OfIntegers.class);
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void genericPublishers_areAnsweredFor_throughTheInterfaceAndItsBridge(boolean proxyTargetClass) {
        manyFailures(Users.class)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    @SuppressWarnings("unchecked") // as the class says
                    Store<User, Long> store = context.getBean(Store.class);
                    assertThat(AopUtils.isCglibProxy(store)).isEqualTo(proxyTargetClass);
                    assertThat(store.find(1L).block()).isEqualTo(new User("guest 1"));
                    assertThat(store.all(2L, 3L).collectList().block())
                            .containsExactly(new User("guest 2"), new User("guest 3"));
                    assertThat(store.name(4L).await().indefinitely()).isEqualTo("nobody FileNotFoundException");
                    assertThat(store.count(new User("a"), new User("b")).get()).isEqualTo(-2);
                    assertThat(history(context, "users")).isEqualTo("0 ok, 4 failed, 0 ignored, 0 refused, closed");
                });
    }

    @Test
    void overloadForRefusals_servesThemAlone_besideOneForTheRest() {
        application(Overloads.class).run(context -> {
            Overloads bean = context.getBean(Overloads.class);
            assertThat(List.of(
                            bean.plain("a"),
                            bean.later("b").get(),
                            bean.mono("c").block(),
                            bean.uni("d").await().indefinitely()))
                    .containsExactly("io a", "any b", "io c", "any d");
            for (String name : List.of("plain", "later", "mono", "uni")) {
                breaker(context, name).holdOpen();
            }
            assertThat(List.of(
                            bean.plain("a"),
                            bean.later("b").get(),
                            bean.mono("c").block(),
                            bean.uni("d").await().indefinitely()))
                    .containsExactly(
                            "refused a by plain", "refused b by later", "refused c by mono", "refused d by uni");
        });
    }

    @Test
    void overloadForRefusalsAlone_leavesFailuresToTheCaller() {
        application(RefusalsAlone.class).run(context -> {
            RefusalsAlone bean = context.getBean(RefusalsAlone.class);
            List<String> told = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                bean.mono()
                        .onErrorResume(thrown -> Mono.just(thrown.getMessage()))
                        .subscribe(told::add);
            }
            assertThat(told).containsExactly("down", "down", "refused");
        });
    }

    @Test
    void reactiveFallback_isMadeWhenItIsNeeded_onceASubscription() {
        application(Lazily.class).run(context -> {
            List<String> made = context.getBean(Lazily.class).made();
            Mono<String> answer = context.getBean(Lazily.class).ask("q");
            assertThat(made).isEmpty();
            assertThat(answer.block()).isEqualTo("made for q");
            assertThat(made).containsExactly("made", "subscribed");
            assertThat(answer.block()).isEqualTo("made for q");
            assertThat(made).containsExactly("made", "subscribed", "made", "subscribed");
        });
    }

    @Test
    void guardedOverloads_haveTheFallbackWithTheirParameters() {
        manyFailures(GuardedOverloads.class).run(context -> {
            GuardedOverloads bean = context.getBean(GuardedOverloads.class);
            assertThat(List.of(bean.ask("a"), bean.ask(1), bean.ask(new int[] {1, 2}), bean.ask("a", "b", "c")))
                    .containsExactly("string a", "int 1", "2 ints", "a and 2 more");
        });
    }

    @Test
    void methodThatItselfTakesAnException_isAnsweredByOneThatTakesIt_orOneMore() {
        manyFailures(TakesAnException.class).run(context -> {
            TakesAnException bean = context.getBean(TakesAnException.class);
            assertThat(bean.report("a", new IllegalStateException("x"))).isEqualTo("kept a, x");
            assertThat(bean.tell(new IllegalStateException("y"))).isEqualTo("told y after down");
        });
    }

    static Stream<Arguments> misfits() {
        return Stream.of(
                misfit(
                        OfStrings.class,
                        "The fallback 'instead' of Typed.find() does not fit: instead() returns"
                                + " reactor.core.publisher.Mono<java.lang.Integer>, which is not a"
                                + " reactor.core.publisher.Mono<java.lang.String>"),
                misfit(
                        MonoForFlux.class,
                        "The fallback 'one' of MonoForFlux.all() does not fit: one() returns"
                                + " reactor.core.publisher.Mono<java.lang.String>, which is not a"
                                + " reactor.core.publisher.Flux<java.lang.String>"),
                misfit(
                        ValueForUni.class,
                        "The fallback 'value' of ValueForUni.ask() does not fit: value() returns java.lang.String, which is"
                                + " not an io.smallrye.mutiny.Uni<java.lang.String>"),
                misfit(
                        VariableForTwo.class,
                        "The fallback 'canned' of VariableForTwo.ask(String, String) does not fit: it must take (String,"
                                + " String), optionally with an exception as the last, but there is only canned(String[])"),
                misfit(
                        OfErased.class,
                        "The fallback 'canned' of Erased.ask(Object) is ambiguous: Erased.canned(Object, Exception) and"
                                + " Erased.canned(String, Exception) fit equally well"));
    }

    private static Arguments misfit(Class<?> bean, String message) {
        return Arguments.of(bean, message);
    }

    @ParameterizedTest
    @MethodSource("misfits")
    void misfit_failsStartUp_andNamesTheCandidates(Class<?> bean, String message) {
        application(bean)
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidGuardException.class)
                        .message()
                        .satisfies(told -> assertThat(
                                        told.replace(Signature.name(FallbackSignaturesTest.class) + ".", ""))
                                .startsWith(message)));
    }

    private static IOException down() {
        return new FileNotFoundException("down");
    }

    /** The application of which no breaker trips. */
    private static ApplicationContextRunner manyFailures(Class<?> bean) {
        return application(bean).withPropertyValues("guardedby.defaults.failure-threshold=100");
    }

    static class Arity {
        @GuardedBy(name = "arity", fallback = "canned") public String ask() throws IOException {
            throw down();
        }

        @GuardedBy(name = "arity", fallback = "canned") public String ask(String a) throws IOException {
            throw down();
        }

        @GuardedBy(name = "arity", fallback = "canned") public String ask(String a, int b) throws IOException {
            throw down();
        }

        @GuardedBy(name = "arity", fallback = "canned") public String ask(String a, int b, char c) throws IOException {
            throw down();
        }

        @GuardedBy(name = "arity", fallback = "canned") public String ask(String a, int b, char c, long d) throws IOException {
            throw down();
        }

        private String canned(Throwable primary) {
            return "Throwable 0";
        }

        private String canned(CallNotPermittedException primary) {
            return "refused 0";
        }

        private String canned(String a) {
            return a + " 1";
        }

        private String canned(String a, int b, Throwable primary) {
            return "Throwable " + a + " " + b;
        }

        private String canned(String a, int b, char c) {
            return a + " " + b + " " + c + " 3";
        }

        private String canned(String a, int b, char c, long d, Throwable primary) {
            return "Throwable " + a + " " + b + " " + c + " " + d;
        }

        private String canned(String a, int b, char c, long d, CallNotPermittedException primary) {
            return "refused " + a + " " + b + " " + c + " " + d;
        }
    }

    abstract static class Ordered<T extends Comparable<T>, S extends Ordered<T, S>> {
        @GuardedBy(name = "ordered", fallback = "none") public T greatest(List<? extends T> of) throws IOException {
            throw down();
        }

        abstract T none(List<? extends T> of, Throwable primary);

        @GuardedBy(name = "ordered", fallback = "now") public CompletableFuture<T> later(T it) {
            return CompletableFuture.failedFuture(down());
        }

        private CompletableFuture<T> now(T it) {
            return CompletableFuture.completedFuture(it);
        }

        @GuardedBy(name = "ordered", fallback = "asTheyAre") public <C extends Comparable<C>> List<C> sorted(List<C> of) throws IOException {
            throw down();
        }

        private <C extends Comparable<C>> List<C> asTheyAre(List<C> of) {
            return of;
        }

        @GuardedBy(name = "ordered", fallback = "me") public S itself() throws IOException {
            throw down();
        }

        abstract S me();
    }

    static class OfIntegers extends Ordered<Integer, OfIntegers> {
        @Override
        Integer none(List<? extends Integer> of, Throwable primary) {
            return -1;
        }

        @Override
        OfIntegers me() {
            return this;
        }
    }

    record User(String name) {}

    interface Store<T, I> {
        @GuardedBy(name = "users", fallback = "guest") Mono<T> find(I id);

        @SuppressWarnings("unchecked") // an array of what the class says
        @GuardedBy(name = "users", fallback = "guests") Flux<T> all(I... ids);

        @GuardedBy(name = "users", fallback = "nobody") Uni<String> name(I id);

        @SuppressWarnings("unchecked") // an array of what the class says
        @GuardedBy(name = "users", fallback = "missing") CompletableFuture<Integer> count(T... entities);

        default CompletableFuture<Integer> missing(T[] entities) {
            return CompletableFuture.completedFuture(-entities.length);
        }
    }

    static class Users implements Store<User, Long> {
        @Override
        public Mono<User> find(Long id) {
            return Mono.error(down());
        }

        private Mono<User> guest(Long id) {
            return Mono.just(new User("guest " + id));
        }

        @Override
        public Flux<User> all(Long... ids) {
            return Flux.error(down());
        }

        private Flux<User> guests(Long[] ids, IOException primary) {
            return Flux.just(ids).flatMap(this::guest);
        }

        @Override
        public Uni<String> name(Long id) {
            return Uni.createFrom().failure(down());
        }

        private Uni<String> nobody(Long id, Throwable primary) {
            return Uni.createFrom().item("nobody " + primary.getClass().getSimpleName());
        }

        @Override
        public CompletableFuture<Integer> count(User... entities) {
            return CompletableFuture.failedFuture(down());
        }
    }

    static class Overloads {
        @GuardedBy(name = "plain", fallback = "plainly") public String plain(String question) throws IOException {
            throw down();
        }

        private String plainly(String question, IOException primary) {
            return "io " + question;
        }

        private String plainly(String question, CallNotPermittedException refused) {
            return refused(question, refused);
        }

        @GuardedBy(name = "later", fallback = "soon") public CompletableFuture<String> later(String question) {
            return CompletableFuture.failedFuture(down());
        }

        private CompletableFuture<String> soon(String question, Throwable primary) {
            return CompletableFuture.completedFuture("any " + question);
        }

        private CompletableFuture<String> soon(String question, CallNotPermittedException refused) {
            return CompletableFuture.completedFuture(refused(question, refused));
        }

        @GuardedBy(name = "mono", fallback = "just") public Mono<String> mono(String question) {
            return Mono.error(down());
        }

        private Mono<String> just(String question, CallNotPermittedException refused) {
            return Mono.just(refused(question, refused));
        }

        private Mono<String> just(String question, IOException primary) {
            return Mono.just("io " + question);
        }

        @GuardedBy(name = "uni", fallback = "item") public Uni<String> uni(String question) {
            return Uni.createFrom().failure(down());
        }

        private Uni<String> item(String question, CallNotPermittedException refused) {
            return Uni.createFrom().item(refused(question, refused));
        }

        private Uni<String> item(String question) {
            return Uni.createFrom().item("any " + question);
        }

        private static String refused(String question, CallNotPermittedException refused) {
            return "refused " + question + " by " + refused.name();
        }
    }

    static class RefusalsAlone {
        @GuardedBy(name = "refusals", fallback = "refused") public Mono<String> mono() {
            return Mono.error(down());
        }

        private Mono<String> refused(CallNotPermittedException primary) {
            return Mono.just("refused");
        }
    }

    static class Lazily {
        private final List<String> made = new ArrayList<>();

        @GuardedBy(name = "lazily", fallback = "make") public Mono<String> ask(String question) {
            return Mono.error(down());
        }

        private Mono<String> make(String question) {
            made.add("made");
            return Mono.fromSupplier(() -> {
                made.add("subscribed");
                return "made for " + question;
            });
        }

        List<String> made() {
            return made;
        }
    }

    static class GuardedOverloads {
        @GuardedBy(name = "overloads", fallback = "canned") public String ask(String question) throws IOException {
            throw down();
        }

        @GuardedBy(name = "overloads", fallback = "canned") public String ask(int question) throws IOException {
            throw down();
        }

        @GuardedBy(name = "overloads", fallback = "canned") public String ask(int[] questions) throws IOException {
            throw down();
        }

        @GuardedBy(name = "overloads", fallback = "canned") public String ask(String question, String... more) throws IOException {
            throw down();
        }

        private String canned(String question) {
            return "string " + question;
        }

        private String canned(int question) {
            return "int " + question;
        }

        private String canned(int[] questions) {
            return questions.length + " ints";
        }

        private String canned(String question, String... more) {
            return question + " and " + more.length + " more";
        }
    }

    static class TakesAnException {
        @GuardedBy(name = "takes", fallback = "kept") public String report(String what, IllegalStateException why) throws IOException {
            throw down();
        }

        private String kept(String what, IllegalStateException why) {
            return "kept " + what + ", " + why.getMessage();
        }

        @GuardedBy(name = "takes", fallback = "told") public String tell(IllegalStateException why) throws IOException {
            throw down();
        }

        private String told(IllegalStateException why, IOException primary) {
            return "told " + why.getMessage() + " after " + primary.getMessage();
        }
    }

    abstract static class Typed<T> {
        @GuardedBy(name = "a", fallback = "instead") public Mono<T> find() {
            return Mono.empty();
        }

        Mono<Integer> instead() {
            return Mono.just(1);
        }
    }

    static class OfStrings extends Typed<String> {}

    static class MonoForFlux {
        @GuardedBy(name = "a", fallback = "one") public Flux<String> all() {
            return Flux.empty();
        }

        Mono<String> one() {
            return Mono.just("one");
        }
    }

    static class ValueForUni {
        @GuardedBy(name = "a", fallback = "value") public Uni<String> ask() {
            return Uni.createFrom().item("a");
        }

        String value() {
            return "value";
        }
    }

    static class VariableForTwo {
        @GuardedBy(name = "a", fallback = "canned") public String ask(String a, String b) {
            return "answer";
        }

        String canned(String... all) {
            return "canned";
        }
    }

    abstract static class Erased<T> {
        @GuardedBy(name = "a", fallback = "canned") public Mono<T> ask(T question) {
            return Mono.just(question);
        }

        private Mono<T> canned(T question, Exception primary) {
            return Mono.just(question);
        }

        private Mono<T> canned(String question, Exception primary) {
            return Mono.empty();
        }
    }

    static class OfErased extends Erased<String> {}
}
