package dev.guardedby.spring.aop;

import static dev.guardedby.spring.aop.Guarded.application;
import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.ConfigDataApplicationContextInitializer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/**
 * Settings that others were reported to drop without a word, written into a file beside a guarded method. Each test begins
 * with the report: {@code boot} is Spring Boot's tracker, {@code scc} Spring Cloud CircuitBreaker's, {@code D13} a defect of
 * Resilience4j that was reproduced.
 */
final class ReportedSettingsBugsTest {
    @TempDir
    private Path folder;

    @Test
    void boot11386_scc141_namesWithDots_areBound_inBracketsAndQuotes() {
        started("""
                guardedby.breakers:
                  "[a.b]": { failure-threshold: 7 }
                  "[Client.get-String_2]": { failure-threshold: 8 }
                  c: { failure-threshold: 9 }
                """, DottedNames.class).run(context -> {
            Map<String, Integer> thresholds = new TreeMap<>();
            context.getBean(CircuitBreakerRegistry.class)
                    .all()
                    .forEach(breaker -> thresholds.put(breaker.name(), breaker.failureThreshold()));
            assertThat(thresholds).isEqualTo(Map.of("a.b", 7, "Client.get-String_2", 8, "c", 9));
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "Client#get(String)"   | Client#get(String).probes has '#', which would be left out without a word
            "host/path:8080"       | host/path:8080.probes has '/', which would be left out without a word
            "[Client#get(String)]" | must be 1 to 64 letters, digits, '.', '_' or '-', but was 'Client#get(String)'
            """)
    void boot14017_openfeign484_nameThatNoBreakerCanHave_failsStartUp(String name, String told) {
        started("guardedby.breakers: { " + name + ": { probes: 7 } }", DottedNames.class)
                .run(context -> assertThat(context).getFailure().rootCause().hasMessageContaining(told));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            llm: { failureRateTreshold: 50 } | llm.failureRateTreshold is not a setting; did you mean failure-rate-threshold?
            llm: { failure-rate-treshold: 50 } | llm.failure-rate-treshold is not a setting; did you mean failure-rate-threshold?
            c.d: { probes: 2 } | c.d.probes is not a setting; did you mean guardedby.breakers[c.d].probes?
            lln: { probes: 2 } | 'llm', which has no entry under guardedby.breakers, and nobody uses the entry 'lln': did you mean 'lln'?
            """)
    void D13_settingThatReachesNobody_failsStartUp_andWhatWasMeantIsNamed(String entry, String told) {
        started("guardedby.breakers: { " + entry + " }", Llm.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .satisfiesAnyOf(
                                failure -> assertThat(failure).hasMessageContaining(told),
                                failure -> assertThat(failure).rootCause().hasMessageContaining(told)));
    }

    @Test
    void D13_nameWithoutAnEntry_failsStartUp_whereThatIsAskedFor() {
        started("guardedby: { unknown-name: fail, breakers: { other: { probes: 2 } } }", Llm.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .hasMessageContaining(
                                "Llm.call() is guarded by 'llm', which has no entry under guardedby.breakers"));
    }

    private ApplicationContextRunner started(String yaml, Class<?> bean) {
        try {
            Files.writeString(folder.resolve("application.yml"), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return application(bean)
                .withInitializer(new ConfigDataApplicationContextInitializer())
                .withPropertyValues("spring.config.location=" + folder.toUri());
    }

    static class Llm {
        @GuardedBy("llm") public void call() {}
    }

    static class DottedNames {
        @GuardedBy("a.b") public void dotted() {}

        @GuardedBy("Client.get-String_2") public void client() {}

        @GuardedBy("c") public void plain() {}
    }
}
