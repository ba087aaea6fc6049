package dev.guardedby.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DeferredImportSelector;
import org.springframework.context.annotation.Import;
import org.springframework.core.type.AnnotationMetadata;

/** Applications that lack something: they start, they guard, and have what the rest makes possible. */
class OptionalLibrariesTest {
    private static final String METERS = "guardedByMeteredBreakers";
    private static final String ENDPOINT = "guardedByEndpoint";
    private static final String PRICES = "guardedByPricesEndpoint";
    private static final String HEALTH = "guardedByHealthContributor";

    record Missing(List<String> packages, List<String> beans) {}

    static List<Missing> missing() {
        return List.of(
                new Missing(List.of(), List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("io.micrometer"), List.of(ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("com.github.benmanes.caffeine"), List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("dev.langchain4j"), List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("dev.langchain4j.model.openai"), List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("com.openai", "com.anthropic"), List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(List.of("org.springframework.boot.health"), List.of(METERS, ENDPOINT, PRICES)),
                new Missing(List.of("org.springframework.boot.actuate"), List.of(METERS, HEALTH)),
                new Missing(
                        List.of("org.springframework.web", "org.springframework.http"),
                        List.of(METERS, ENDPOINT, PRICES, HEALTH)),
                new Missing(
                        List.of("io.micrometer", "org.springframework.boot.actuate", "org.springframework.boot.health"),
                        List.of()));
    }

    @ParameterizedTest
    @MethodSource("missing")
    void applicationStarts_guards_andHasTheRest(Missing missing) {
        new ApplicationContextRunner()
                .withUserConfiguration(App.class)
                .withBean(SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .withPropertyValues(
                        "management.endpoints.web.exposure.include=guardedby,guardedbyprices",
                        "guardedby.web.problem-details=true",
                        "guardedby.breakers.llm.probes=2")
                .withClassLoader(new FilteredClassLoader(missing.packages.toArray(String[]::new)))
                .run(started -> {
                    assertThat(started.getBean(CircuitBreakerRegistry.class)
                                    .find("llm")
                                    .orElseThrow()
                                    .call(() -> "guarded"))
                            .isEqualTo("guarded");
                    assertThat(List.of(METERS, ENDPOINT, PRICES, HEALTH))
                            .filteredOn(started::containsBean)
                            .containsExactlyElementsOf(missing.beans);
                });
    }

    @ParameterizedTest
    @CsvSource({"none, true", "org.springframework.ai, false", "reactor, false"})
    void withSpringAi_thereIsAnAdvisorForItsClients(String missing, boolean present) {
        new ApplicationContextRunner()
                .withUserConfiguration(App.class)
                .withClassLoader(new FilteredClassLoader(missing))
                .run(started ->
                        assertThat(started.containsBean("guardedByChatAdvisor")).isEqualTo(present));
    }

    @Test
    void switchedOff_nothingIsPublished() {
        new ApplicationContextRunner()
                .withUserConfiguration(App.class)
                .withBean(SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .withPropertyValues("management.endpoints.web.exposure.include=*", "guardedby.enabled=false")
                .run(started ->
                        assertThat(List.of(METERS, ENDPOINT, PRICES, HEALTH)).noneMatch(started::containsBean));
    }

    @Configuration(proxyBeanMethods = false)
    @Import(OurAutoConfigurations.class)
    static class App {}

    /** All of ours, by name, as Spring Boot reads them: no class of theirs is loaded before its conditions are met. */
    static class OurAutoConfigurations implements DeferredImportSelector {
        @Override
        public String[] selectImports(AnnotationMetadata importing) {
            return ImportCandidates.load(AutoConfiguration.class, getClass().getClassLoader()).getCandidates().stream()
                    .filter(name -> name.startsWith("dev.guardedby"))
                    .toArray(String[]::new);
        }
    }
}
