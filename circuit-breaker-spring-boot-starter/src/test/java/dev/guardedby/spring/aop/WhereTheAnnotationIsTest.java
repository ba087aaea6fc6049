package dev.guardedby.spring.aop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aop.support.AopUtils;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.AliasFor;

final class WhereTheAnnotationIsTest {

    @Test
    void method() {
        assertThat(calls(OnMethod.class, OnMethod::guarded)).isEqualTo(Map.of("method", 1L));
        assertThat(calls(OnMethod.class, OnMethod::free)).isEqualTo(Map.of("method", 0L));
    }

    @Test
    void methodThatIsNotPublic() {
        assertThat(calls(OnMethod.class, OnMethod::inPackage)).isEqualTo(Map.of("method", 1L));
        assertThat(calls(OnMethod.class, OnMethod::inFamily)).isEqualTo(Map.of("method", 1L));
    }

    @Test
    void superclassMethod_inheritedOrOverridden() {
        assertThat(calls(Inheriting.class, Inheriting::guarded)).isEqualTo(Map.of("method", 1L));
        assertThat(calls(Overriding.class, Overriding::guarded)).isEqualTo(Map.of("method", 1L));
    }

    @Test
    void overridingMethod_replacesTheOneInTheSuperclass() {
        assertThat(calls(Replacing.class, Replacing::guarded)).isEqualTo(Map.of("replaced", 1L));
    }

    @Test
    void type_guardsItsPublicMethods_inheritedOnesToo_butNotObjects() {
        assertThat(calls(OnType.class, OnType::open)).isEqualTo(Map.of("type", 1L));
        assertThat(calls(OnType.class, OnType::inherited)).isEqualTo(Map.of("type", 1L));
        assertThat(calls(OnType.class, OnType::inPackage)).isEqualTo(Map.of("type", 0L));
        assertThat(calls(OnType.class, bean -> {
                    assertThat(bean.toString()).isEqualTo("text");
                }))
                .isEqualTo(Map.of("type", 0L));
    }

    @Test
    void superclassType_guardsTheMethodsOfItsSubclasses() {
        assertThat(calls(UnderType.class, UnderType::own)).isEqualTo(Map.of("type", 1L));
        assertThat(calls(UnderType.class, UnderType::open)).isEqualTo(Map.of("type", 1L));
    }

    @Test
    void method_replacesType() {
        assertThat(calls(Both.class, Both::own)).isEqualTo(Map.of("method", 1L, "type", 0L));
        assertThat(calls(Both.class, Both::other)).isEqualTo(Map.of("method", 0L, "type", 1L));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyInterface_notTheFirstAlone(boolean proxyTargetClass) {
        assertThat(calls(proxyTargetClass, OfInterfaces.class, Second.class, Second::second))
                .isEqualTo(Map.of("second", 1L, "base", 0L, "typed", 0L));
        assertThat(calls(proxyTargetClass, OfInterfaces.class, Base.class, Base::base))
                .isEqualTo(Map.of("second", 0L, "base", 1L, "typed", 0L));
        assertThat(calls(proxyTargetClass, OfInterfaces.class, Typed.class, Typed::typed))
                .isEqualTo(Map.of("second", 0L, "base", 0L, "typed", 1L));
        assertThat(calls(proxyTargetClass, OfInterfaces.class, First.class, First::first))
                .isEqualTo(Map.of("second", 0L, "base", 0L, "typed", 0L));
    }

    @Test
    void interfaceType_guardsTheMethodsOfThatInterfaceAlone() {
        assertThat(calls(OfInterfaces.class, OfInterfaces::ofTheClass))
                .isEqualTo(Map.of("second", 0L, "base", 0L, "typed", 0L));
    }

    @Test
    void interfaceOfASubclass_isFoundForAMethodOfTheSuperclass() {
        assertThat(calls(LateInterface.class, LateInterface::second)).isEqualTo(Map.of("second", 1L));
    }

    @Test
    void class_replacesInterface() {
        assertThat(calls(ClassOverInterface.class, ClassOverInterface::second)).isEqualTo(Map.of("class", 1L));
        assertThat(calls(TypeOverTypedInterface.class, TypeOverTypedInterface::typed))
                .isEqualTo(Map.of("class", 1L));
    }

    @Test
    void methodOfAnInterface_replacesTheTypeOfTheClass() {
        assertThat(calls(TypeUnderInterfaceMethod.class, TypeUnderInterfaceMethod::second))
                .isEqualTo(Map.of("second", 1L));
    }

    @Test
    void interface_replacesTheOneThatItExtends() {
        assertThat(calls(OfNarrower.class, OfNarrower::base)).isEqualTo(Map.of("narrower", 1L));
    }

    @Test
    void twoInterfacesThatSayTheSame_areNoConflict() {
        assertThat(calls(OfTwins.class, OfTwins::second)).isEqualTo(Map.of("second", 1L));
    }

    @Test
    void twoInterfacesThatSayDifferentThings_failStartUp() {
        Guarded.application(OfRivals.class)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessageContaining("@GuardedBy(name = \"second\") on " + name(Second.class) + ".second()")
                        .hasMessageContaining("@GuardedBy(name = \"rival\") on " + name(Rival.class) + ".second()"));
    }

    @Test
    void metaAnnotation_withAliases() {
        assertThat(calls(Composed.class, Composed::direct)).isEqualTo(Map.of("llm", 1L, "other", 0L));
        assertThat(calls(Composed.class, Composed::renamed)).isEqualTo(Map.of("llm", 0L, "other", 1L));
    }

    @Test
    void twoMetaAnnotationsThatSayDifferentThings_failStartUp() {
        Guarded.application(TwoComposed.class)
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessageContaining("TwoComposed.call() carries two annotations that say different things")
                        .hasMessageContaining("@GuardedBy(name = \"llm\")")
                        .hasMessageContaining("@GuardedBy(name = \"twin\")"));
    }

    @Test
    void valueAndNameThatDiffer_failStartUp() {
        Guarded.application(ValueAndName.class)
                .run(context -> assertThat(context)
                        .getFailure()
                        .cause()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessageContaining("ValueAndName.call() cannot be read")
                        .hasMessageContaining(
                                "attribute 'name' and its alias 'value' are declared with values of [b] and [a]")
                        .hasMessageEndingWith("Give each attribute once; value and name are the same."));
    }

    @Test
    void placeholder_isResolved() {
        Guarded.application(Placeholder.class)
                .withPropertyValues("acme.model=gpt")
                .run(context -> assertThat(counts(context)).containsOnlyKeys("llm-gpt", "llm-small"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void genericInterface_isGuardedOnce_bridgesNotwithstanding(boolean proxyTargetClass) {
        assertThat(calls(proxyTargetClass, UserRepository.class, Repository.class, WhereTheAnnotationIsTest::saveUser))
                .isEqualTo(Map.of("repository", 1L));
    }

    @Test
    void genericMethodThatTheClassAnnotates_isFoundFromTheInterface() {
        assertThat(calls(false, GroupRepository.class, Repository.class, WhereTheAnnotationIsTest::saveGroup))
                .isEqualTo(Map.of("groups", 1L));
    }

    @Test
    void genericMethodOfAnAbstractSuperclass() {
        assertThat(calls(Concrete.class, bean -> bean.handle("a"))).isEqualTo(Map.of("abstract", 1L));
        assertThat(calls(Concrete.class, bean -> ((Abstract<String>) bean).handle("a")))
                .isEqualTo(Map.of("abstract", 1L));
    }

    @Test
    void publicMethodOfAClassThatIsNotPublic() {
        assertThat(calls(Visible.class, Hidden::call)).isEqualTo(Map.of("hidden", 1L));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void defaultMethodOfAnInterface(boolean proxyTargetClass) {
        assertThat(calls(proxyTargetClass, OfDefault.class, WithDefault.class, WithDefault::call))
                .isEqualTo(Map.of("default", 1L));
    }

    @Test
    void beanOfAConfigurationClass_andTheConfigurationClassItself() {
        Guarded.application().withUserConfiguration(Beans.class).run(context -> {
            context.getBean(Second.class).second();
            context.getBean(Beans.class).call();
            assertThat(counts(context)).isEqualTo(Map.of("second", 1L, "base", 0L, "typed", 0L, "configuration", 1L));
        });
    }

    @Test
    void guardedByOfOtherLibraries_isNotOurs() {
        Guarded.application(Lock.class).run(context -> {
            assertThat(AopUtils.isAopProxy(context.getBean(Lock.class))).isFalse();
            assertThat(counts(context)).isEmpty();
        });
    }

    @Test
    void beanWithoutTheAnnotation_isLeftAlone() {
        Guarded.application(Plain.class)
                .run(context -> assertThat(context.getBean(Plain.class)).hasSameClassAs(new Plain()));
    }

    private static void saveUser(Repository<User> repository) {
        assertThat(repository.save(new User("a"))).isEqualTo(new User("a"));
    }

    private static void saveGroup(Repository<String> repository) {
        assertThat(repository.save("b")).isEqualTo("b");
    }

    private static String name(Class<?> type) {
        return Signature.name(type);
    }

    private static <T> Map<String, Long> calls(Class<T> bean, Consumer<T> call) {
        return calls(true, bean, bean, call);
    }

    @SuppressWarnings("unchecked") // the caller knows the type arguments of its bean
    private static <T> Map<String, Long> calls(
            boolean proxyTargetClass, Class<?> bean, Class<? super T> type, Consumer<T> call) {
        Map<String, Long> counts = new TreeMap<>();
        Guarded.application(bean)
                .withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
                .run(context -> {
                    Object proxy = context.getBean(type);
                    assertThat(AopUtils.isCglibProxy(proxy)).isEqualTo(proxyTargetClass);
                    call.accept((T) proxy);
                    counts.putAll(counts(context));
                });
        return counts;
    }

    private static Map<String, Long> counts(ApplicationContext context) {
        Map<String, Long> counts = new TreeMap<>();
        Stream<CircuitBreaker> breakers = context.getBean(CircuitBreakerRegistry.class).all().stream();
        breakers.forEach(breaker -> counts.put(breaker.name(), breaker.stats().totalSuccesses()));
        return counts;
    }

    static class OnMethod {
        @GuardedBy("method") public void guarded() {}

        @GuardedBy("method")
        void inPackage() {}

        @GuardedBy("method") protected void inFamily() {}

        public void free() {}
    }

    static class Inheriting extends OnMethod {}

    static class Overriding extends OnMethod {
        @Override
        public void guarded() {}
    }

    static class Replacing extends OnMethod {
        @Override
        @GuardedBy("replaced") public void guarded() {}

        @Override
        @GuardedBy("replaced")
        void inPackage() {}

        @Override
        @GuardedBy("replaced") protected void inFamily() {}
    }

    static class Unannotated {
        public void inherited() {}
    }

    @GuardedBy("type") static class OnType extends Unannotated {
        public void open() {}

        void inPackage() {}

        @Override
        public String toString() {
            return "text";
        }
    }

    static class UnderType extends OnType {
        public void own() {}
    }

    @GuardedBy("type") static class Both {
        @GuardedBy("method") public void own() {}

        public void other() {}
    }

    interface First {
        void first();
    }

    interface Base {
        @GuardedBy("base")
        void base();
    }

    interface Second extends Base {
        @GuardedBy("second")
        void second();
    }

    @GuardedBy("typed") interface Typed {
        void typed();
    }

    static class OfInterfaces implements First, Second, Typed {
        @Override
        public void first() {}

        @Override
        public void second() {}

        @Override
        public void base() {}

        @Override
        public void typed() {}

        public void ofTheClass() {}
    }

    static class HasSecond {
        public void second() {}

        public void base() {}
    }

    interface SecondAlone {
        @GuardedBy("second")
        void second();
    }

    static class LateInterface extends HasSecond implements SecondAlone {}

    static class ClassOverInterface implements SecondAlone {
        @Override
        @GuardedBy("class") public void second() {}
    }

    @GuardedBy("class") static class TypeOverTypedInterface implements Typed {
        @Override
        public void typed() {}
    }

    @GuardedBy("class") static class TypeUnderInterfaceMethod implements SecondAlone {
        @Override
        public void second() {}
    }

    interface Narrower extends Base {
        @Override
        @GuardedBy("narrower")
        void base();
    }

    static class OfNarrower implements Base, Narrower {
        @Override
        public void base() {}
    }

    interface Twin {
        @GuardedBy(name = "second")
        void second();
    }

    static class OfTwins implements SecondAlone, Twin {
        @Override
        public void second() {}
    }

    interface Rival {
        @GuardedBy("rival")
        void second();
    }

    static class OfRivals extends HasSecond implements Second, Rival {}

    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.METHOD)
    @GuardedBy("llm") @interface ByLlm {
        @AliasFor(annotation = GuardedBy.class, attribute = "name")
        String breaker() default "llm";
    }

    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.METHOD)
    @GuardedBy("twin") @interface ByTwin {}

    static class Composed {
        @ByLlm
        public void direct() {}

        @ByLlm(breaker = "other")
        public void renamed() {}
    }

    static class TwoComposed {
        @ByLlm
        @ByTwin
        public void call() {}
    }

    static class ValueAndName {
        @GuardedBy(value = "a", name = "b") public void call() {}
    }

    static class Placeholder {
        @GuardedBy("llm-${acme.model}") public void given() {}

        @GuardedBy("llm-${acme.unknown:small}") public void byDefault() {}
    }

    interface Repository<T> {
        T save(T entity);
    }

    record User(String name) {}

    interface GuardedRepository<E> extends Repository<E> {
        @Override
        @GuardedBy("repository") E save(E entity);
    }

    static class UserRepository implements GuardedRepository<User> {
        @Override
        public User save(User user) {
            return user;
        }
    }

    static class GroupRepository implements Repository<String> {
        @Override
        @GuardedBy("groups") public String save(String group) {
            return group;
        }
    }

    abstract static class Abstract<T> {
        @GuardedBy("abstract") public abstract T handle(T input);
    }

    static class Concrete extends Abstract<String> {
        @Override
        public String handle(String input) {
            return input;
        }
    }

    abstract static class Hidden {
        @GuardedBy("hidden") public void call() {}
    }

    public static class Visible extends Hidden {}

    interface WithDefault {
        @GuardedBy("default") default void call() {}
    }

    static class OfDefault implements WithDefault {}

    @Configuration
    static class Beans {
        @Bean
        Second second() {
            return new OfInterfaces();
        }

        @GuardedBy("configuration") public void call() {}
    }

    /** As JSR-305 and Error Prone have it. */
    static final class Foreign {
        @Retention(RetentionPolicy.RUNTIME)
        @interface GuardedBy {
            String value();
        }

        private Foreign() {}
    }

    static class Lock {
        @Foreign.GuardedBy("this") public void call() {}
    }

    static class Plain {
        public void call() {}
    }
}
