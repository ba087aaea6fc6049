package dev.guardedby.spring.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

@ExtendWith(OutputCaptureExtension.class)
class GuardedByAutoConfigurationTest {
    private final ApplicationContextRunner context =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(GuardedByAutoConfiguration.class));

    @Test
    void configuredBreakers_areThereFromStartUpOn() {
        context.withPropertyValues(
                        "guardedby.breakers.llm.failure-threshold=3", "guardedby.breakers[a.b].failure-threshold=4")
                .run(started -> assertThat(registry(started).all())
                        .map(CircuitBreaker::toString)
                        .containsExactly(
                                "CircuitBreaker[name=a.b, state=closed, failures=0/4]",
                                "CircuitBreaker[name=llm, state=closed, failures=0/3]"));
    }

    @Test
    void configuredBreakers_areThereInALazyApplication() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3")
                .withInitializer(started ->
                        started.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
                .run(started -> assertThat(registry(started).find("llm")).isPresent());
    }

    @Test
    void nameWithoutEntry_isSetByTheDefaults() {
        context.withPropertyValues("guardedby.defaults.failure-threshold=3")
                .run(started -> assertThat(registry(started).get("any"))
                        .hasToString("CircuitBreaker[name=any, state=closed, failures=0/3]"));
    }

    @Test
    void nameThatDiffersFromAnEntryInCaseOrDashesAlone_isABreakerOfItsOwn_ofWhichTheLogWarnsOnce(
            CapturedOutput output) {
        context.withPropertyValues("guardedby.breakers.my-llm.failure-threshold=3")
                .run(started -> {
                    CircuitBreaker other = registry(started).get("MyLLM");

                    assertThat(registry(started).get("MyLLM")).isSameAs(other);
                    assertThat(registry(started).get("my-llm")).isNotSameAs(other);
                    assertThat(other).hasToString("CircuitBreaker[name=MyLLM, state=closed, failures=0/3]");
                    assertThat(output.getOut().lines().filter(line -> line.contains("MyLLM")))
                            .singleElement()
                            .asString()
                            .endsWith(
                                    "Code has asked the registry for the circuit breaker 'MyLLM' and got one of its own, with the"
                                            + " settings of 'my-llm': in code, case and dashes count. If that one is meant, write 'my-llm'.");
                });
    }

    @Test
    void customizers_haveTheLastWord_inTheirOrder() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3")
                .withUserConfiguration(Customizers.class)
                .run(started -> assertThat(registry(started).all())
                        .singleElement()
                        .hasToString("CircuitBreaker[name=llm, state=closed, failures=0/20]"));
    }

    @Test
    void customizerThatSpoilsTheSettings_isSuspected_underTheNameOfTheBreaker() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3")
                .withBean(
                        CircuitBreakerCustomizer.class, () -> (name, breaker) -> breaker.recoveryTimeout(Duration.ZERO))
                .run(started -> failure(started)
                        .hasMessage("Circuit breaker 'llm': recovery-timeout must be positive, but was PT0S;"
                                + " as configured it is in order, so a CircuitBreakerCustomizer may be the cause"));
    }

    @Test
    void nameThatIsNone_isNoCustomizersFault() {
        context.withBean(CircuitBreakerCustomizer.class, () -> (name, breaker) -> {})
                .run(started -> assertThatExceptionOfType(IllegalArgumentException.class)
                        .isThrownBy(() -> registry(started).get("a b"))
                        .withMessage("name must be 1 to 64 letters, digits, '.', '_' or '-', but was 'a b'"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Customizers {
        @Bean
        @Order(2)
        CircuitBreakerCustomizer second() {
            return (name, breaker) -> breaker.failureThreshold(20);
        }

        @Bean
        @Order(1)
        CircuitBreakerCustomizer first() {
            return (name, breaker) -> breaker.failureThreshold(10);
        }
    }

    @Test
    void listenersAndTicker_areThoseOfTheBeans() {
        AtomicLong now = new AtomicLong();
        List<String> history = new ArrayList<>();
        CircuitBreakerListener listener = new CircuitBreakerListener() {
            @Override
            public void onTransition(Transition transition) {
                history.add(Duration.ofNanos(now.get()).toSeconds() + "s " + transition.from() + ">" + transition.to());
            }
        };
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=1")
                .withBean(CircuitBreakerListener.class, () -> listener)
                .withBean("guardedByTicker", LongSupplier.class, () -> now::get)
                .withBean("anotherSupplier", LongSupplier.class, () -> () -> 0)
                .run(started -> {
                    CircuitBreaker llm = registry(started).get("llm");
                    llm.recordFailure();
                    now.addAndGet(Duration.ofMinutes(5).toNanos());
                    llm.call(() -> "back");
                });

        assertThat(history).containsExactly("0s CLOSED>OPEN", "300s OPEN>HALF_OPEN", "300s HALF_OPEN>CLOSED");
    }

    @Test
    void listenerThatNeedsTheRegistry_isNoCircle() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=1")
                .withBean(NeedsTheRegistry.class)
                .run(started -> {
                    registry(started).get("llm").recordFailure();
                    assertThat(started.getBean(NeedsTheRegistry.class).open).containsExactly("llm");
                });
    }

    static class NeedsTheRegistry implements CircuitBreakerListener {
        final List<String> open = new ArrayList<>();
        private final CircuitBreakerRegistry registry;

        NeedsTheRegistry(CircuitBreakerRegistry registry) {
            this.registry = registry;
        }

        @Override
        public void onTransition(Transition transition) {
            open.add(registry.find("llm").orElseThrow().name());
        }
    }

    @Test
    void breakerBeans_joinTheRegistry() {
        context.withBean(CircuitBreaker.class, () -> CircuitBreaker.of("payments"))
                .run(started -> assertThat(registry(started).find("payments"))
                        .containsSame(started.getBean(CircuitBreaker.class)));
    }

    @Test
    void breakerBean_winsOverItsNameBeingAskedForEarlier() {
        context.withUserConfiguration(AsksBefore.class)
                .run(started -> assertThat(started.getBean(AsksBefore.Asking.class).asked)
                        .isSameAs(started.getBean("payments")));
    }

    @Configuration(proxyBeanMethods = false)
    static class AsksBefore {
        static class Asking {
            final CircuitBreaker asked;

            Asking(CircuitBreakerRegistry registry) {
                asked = registry.get("payments");
            }
        }

        @Bean
        Asking asking(CircuitBreakerRegistry registry) {
            return new Asking(registry);
        }

        @Bean
        CircuitBreaker payments() {
            return CircuitBreaker.of("payments");
        }
    }

    @Test
    void breakerAskedOfTheRegistry_mayBeABean() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3")
                .withUserConfiguration(Exposes.class)
                .run(started -> assertThat(started.getBeansOfType(CircuitBreaker.class))
                        .hasToString("{llm=CircuitBreaker[name=llm, state=closed, failures=0/3],"
                                + " other=CircuitBreaker[name=other, state=closed, failures=0/5]}")
                        .containsValue(registry(started).find("llm").orElseThrow()));
    }

    @Configuration(proxyBeanMethods = false)
    static class Exposes {
        @Bean
        CircuitBreaker llm(CircuitBreakerRegistry registry) {
            return registry.get("llm");
        }

        @Bean
        CircuitBreaker other(CircuitBreakerRegistry registry) {
            return registry.get("other");
        }
    }

    @Test
    void breakerBean_withAnEntryOfItsName_failsStartUp() {
        context.withPropertyValues("guardedby.breakers.payments.failure-threshold=3")
                .withBean("own", CircuitBreaker.class, () -> CircuitBreaker.of("payments"))
                .run(started -> failure(started)
                        .hasMessage(
                                "The bean 'own' is circuit breaker 'payments', but guardedby.breakers.payments sets it"
                                        + " up, too"));
    }

    @Test
    void twoBreakerBeansOfOneName_failStartUp() {
        context.withBean("one", CircuitBreaker.class, () -> CircuitBreaker.of("payments"))
                .withBean("two", CircuitBreaker.class, () -> CircuitBreaker.of("payments"))
                .run(started -> failure(started)
                        .hasMessage("The bean 'two' is circuit breaker 'payments', but so is the bean 'one'"));
    }

    @Test
    void registryOfTheApplication_isLeftAlone() {
        CircuitBreakerRegistry own = CircuitBreakerRegistry.of(CircuitBreaker::builder);
        context.withBean("mine", CircuitBreakerRegistry.class, () -> own)
                .run(started -> assertThat(started)
                        .getBean(CircuitBreakerRegistry.class)
                        .isSameAs(own));
    }

    @Test
    void registryOfTheApplication_leavesEntriesOutOfForce_whichIsWarnedOf(CapturedOutput output) {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3", "guardedby.breakers.mail.probes=2")
                .withBean(
                        "mine", CircuitBreakerRegistry.class, () -> CircuitBreakerRegistry.of(CircuitBreaker::builder))
                .run(started -> assertThat(
                                started.getBean(ConfiguredBreakers.class).settings("llm"))
                        .isEmpty());

        assertThat(output)
                .containsOnlyOnce("guardedby.breakers is not in force, because the application has its own"
                        + " CircuitBreakerRegistry bean; remove the bean, or the entries llm, mail");
    }

    @Test
    void variableAlone_setsTheBreakerAsCodeSpellsIt() {
        context.withInitializer(started -> started.getEnvironment()
                        .getPropertySources()
                        .replace(
                                "systemEnvironment",
                                new org.springframework.core.env.SystemEnvironmentPropertySource(
                                        "systemEnvironment",
                                        java.util.Map.of("GUARDEDBY_BREAKERS_MYLLM_FAILURETHRESHOLD", "2"))))
                .withBean("asking", CircuitBreaker.class, () -> CircuitBreaker.of("unrelated"))
                .withUserConfiguration(AsksForMyLlm.class)
                .run(started -> assertThat(registry(started).all())
                        .map(CircuitBreaker::toString)
                        .containsExactly(
                                "CircuitBreaker[name=my-llm, state=closed, failures=0/2]",
                                "CircuitBreaker[name=unrelated, state=closed, failures=0/5]"));
    }

    @Configuration(proxyBeanMethods = false)
    static class AsksForMyLlm {
        @Bean
        CircuitBreaker myLlm(CircuitBreakerRegistry registry) {
            return registry.get("my-llm");
        }
    }

    @Test
    void switchedOff_registryHandsOutBreakersThatLetEverythingPass() {
        context.withPropertyValues(
                        "guardedby.enabled=false",
                        "guardedby.breakers.llm.failure-threshold=1",
                        "guardedby.breakers.llm.no-such-setting=1")
                .run(started -> {
                    assertThat(registry(started).all()).isEmpty();
                    CircuitBreaker llm = registry(started).get("llm");
                    for (int i = 0; i < 10; i++) {
                        llm.recordFailure();
                    }
                    llm.forceOpen();
                    assertThat(llm.mode()).isEqualTo(Mode.DISABLED);
                    assertThat(llm.call(() -> "passes")).isEqualTo("passes");
                });
    }

    @Test
    void mistake_isReportedInWords(CapturedOutput output) {
        SpringApplication application = new SpringApplication(App.class);
        assertThatExceptionOfType(RuntimeException.class)
                .isThrownBy(() -> application.run(
                        "--spring.main.web-application-type=none", "--guardedby.breakers.llm.failure-treshold=3"));

        assertThat(output)
                .contains("APPLICATION FAILED TO START")
                .contains("guardedby.breakers.llm.failure-treshold is not a setting; did you mean failure-threshold?")
                .contains("Written in: \"guardedby.breakers.llm.failure-treshold\" from property source"
                        + " \"commandLineArgs\"")
                .contains("Write guardedby.breakers.llm.failure-threshold instead.");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class App {}

    private static CircuitBreakerRegistry registry(ApplicationContext started) {
        return started.getBean(CircuitBreakerRegistry.class);
    }

    private static AbstractThrowableAssert<?, ?> failure(AssertableApplicationContext started) {
        return assertThat(started).getFailure().isInstanceOf(BadConfigurationException.class);
    }
}
