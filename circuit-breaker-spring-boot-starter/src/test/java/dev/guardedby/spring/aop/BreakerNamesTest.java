package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

@ExtendWith(OutputCaptureExtension.class)
final class BreakerNamesTest {
    private static final String ENTRY = ".failure-threshold=3";

    @ParameterizedTest
    @CsvSource({
        "llm, lm, true", "llm, llmm, true", "llm, lln, true", "llm, lml, true", "a, b, true", "ab, ba, true",
        "llm, llm, false", "llm, l, false", "llm, mll, false", "llm, abc, false", "abcd, badc, false", "'', ab, false"
    })
    void oneEdit(String one, String other, boolean near) {
        assertThat(BreakerNames.isOneEdit(one, other)).isEqualTo(near);
        assertThat(BreakerNames.isOneEdit(other, one)).isEqualTo(near);
    }

    @Test
    void nameOneEditFromAnUnusedEntry_failsStartUp() {
        application(Llm.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> assertThat(context)
                        .getFailure()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessage(Signature.name(Llm.class) + ".call() is guarded by 'llm', which has no entry under"
                                + " guardedby.breakers, and nobody uses the entry 'lln': did you mean 'lln'? Write"
                                + " @GuardedBy(\"lln\"), or rename guardedby.breakers.lln, or give 'llm' an entry of its own, or set guardedby.unknown-name to"
                                + " allow."));
    }

    @Test
    void entryThatSomebodyElseUses_isNotMeant() {
        application(Llm.class, Lln.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm", "lln"));
    }

    @Test
    void entryThatALazyBeanUses_isNotMeant() {
        application(Llm.class)
                .withUserConfiguration(LazyLln.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm", "lln"));
    }

    @Test
    void entryThatCodeUses_isNotMeant() {
        application(Llm.class, AsksForLln.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm", "lln"));
    }

    @Test
    void nameThatIsFarFromEveryEntry_isAllowed() {
        application(Llm.class)
                .withPropertyValues("guardedby.breakers.payments" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm", "payments"));
    }

    @Test
    void breakerThatTheApplicationBuilds_isKnown() {
        application(Llm.class)
                .withUserConfiguration(OwnBreaker.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY, "guardedby.unknown-name=fail")
                .run(context -> assertThat(Guarded.breaker(context, "llm")).isSameAs(context.getBean("own")));
    }

    @Test
    void fail_refusesEveryNameWithoutAnEntry() {
        application(Llm.class)
                .withPropertyValues("guardedby.unknown-name=fail")
                .run(context -> assertThat(context)
                        .getFailure()
                        .isInstanceOf(InvalidGuardException.class)
                        .hasMessage(Signature.name(Llm.class) + ".call() is guarded by 'llm', which has no entry under"
                                + " guardedby.breakers, as guardedby.unknown-name=fail demands. Give 'llm' an entry of its own, or"
                                + " set guardedby.unknown-name to allow."));
        application(Llm.class)
                .withPropertyValues("guardedby.unknown-name=fail", "guardedby.breakers.llm" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm"));
    }

    @Test
    void allow_refusesNone() {
        application(Llm.class)
                .withPropertyValues("guardedby.unknown-name=allow", "guardedby.breakers.lln" + ENTRY)
                .run(context -> assertThat(names(context)).containsExactly("llm", "lln"));
    }

    @Test
    void lazyBean_isJudgedWheneverItIsMade() {
        application()
                .withUserConfiguration(LazyLlm.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> {
                    assertThat(names(context)).containsExactly("lln");
                    for (int i = 0; i < 2; i++) {
                        assertThatExceptionOfType(BeanCreationException.class)
                                .isThrownBy(() -> context.getBean(Llm.class))
                                .withRootCauseInstanceOf(InvalidGuardException.class)
                                .withMessageContaining("did you mean 'lln'");
                    }
                    assertThat(names(context)).containsExactly("lln");
                });
    }

    @Test
    void nameInAnotherSpelling_isTheEntry() {
        application(Dashed.class)
                .withPropertyValues("guardedby.breakers.slow-remote" + ENTRY, "guardedby.unknown-name=fail")
                .run(context -> {
                    assertThat(names(context)).containsExactly("slow-remote");
                    assertThat(Guarded.breaker(context, "slow-remote").failureThreshold())
                            .isEqualTo(3);
                });
    }

    @Test
    void entryThatOnlyAnEnvironmentVariableMakes_isSpelledAsInCode() {
        application(Dashed.class)
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                "test-" + StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                Map.of("GUARDEDBY_BREAKERS_SLOWREMOTE_FAILURETHRESHOLD", "3"))))
                .run(context -> {
                    assertThat(names(context)).containsExactly("slowRemote");
                    assertThat(Guarded.breaker(context, "slowRemote").failureThreshold())
                            .isEqualTo(3);
                });
    }

    @Test
    void twoSpellingsInCode_failStartUp() {
        for (String entry : List.of("slow-remote", "other")) {
            application(Dashed.class, MoreDashed.class)
                    .withPropertyValues("guardedby.breakers." + entry + ENTRY)
                    .run(context -> assertThat(context)
                            .getFailure()
                            .isInstanceOf(InvalidGuardException.class)
                            .hasMessage(Signature.name(MoreDashed.class) + ".call() is guarded by 'slow-remote' and "
                                    + Signature.name(Dashed.class)
                                    + ".call() by 'slowRemote', two spellings of one name;"
                                    + " case and dashes make no difference. Write the name the same way in both places, or"
                                    + " choose names that differ in more than case and dashes."));
        }
    }

    @Test
    void nameOneEditFromAnEntryInUse_isWarnedAboutOnce(CapturedOutput output) {
        String warning = Signature.name(Llm.class) + ".call() is guarded by 'llm', which has no entry under"
                + " guardedby.breakers but resembles 'lln', which others use: it gets a circuit breaker of its own, with the"
                + " defaults. If that is a misspelling, write @GuardedBy(\"lln\"); guardedby.unknown-name=fail refuses"
                + " every name without an entry.";
        application(Llm.class, Lln.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY)
                .run(context -> context.getBean(Llm.class).call());
        assertThat(output.getAll()).containsOnlyOnce(warning);
        application(Llm.class, Lln.class)
                .withPropertyValues("guardedby.breakers.lln" + ENTRY, "guardedby.unknown-name=allow")
                .run(context -> context.getBean(Llm.class).call());
        assertThat(output.getAll()).containsOnlyOnce(warning);
    }

    private static Stream<String> names(ApplicationContext context) {
        return context.getBean(CircuitBreakerRegistry.class).all().stream().map(CircuitBreaker::name);
    }

    static class Llm {
        @GuardedBy("llm") public void call() {}
    }

    static class Lln {
        @GuardedBy("lln") public void call() {}
    }

    static class Dashed {
        @GuardedBy("slowRemote") public void call() {}
    }

    static class MoreDashed {
        @GuardedBy("slow-remote") public void call() {}
    }

    static class AsksForLln {
        AsksForLln(CircuitBreakerRegistry registry) {
            assertThat(registry.get("lln").failureThreshold()).isEqualTo(3);
        }
    }

    static class LazyLln {
        @Bean
        @Lazy
        Lln lln() {
            return new Lln();
        }
    }

    static class LazyLlm {
        @Bean
        @Lazy
        Llm llm() {
            return new Llm();
        }
    }

    static class OwnBreaker {
        @Bean
        CircuitBreaker own() {
            return CircuitBreaker.of("llm");
        }
    }
}
