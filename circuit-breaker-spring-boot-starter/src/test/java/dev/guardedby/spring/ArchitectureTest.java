package dev.guardedby.spring;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The borders between the modules and inside the starter. */
final class ArchitectureTest {
    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.guardedby");

    @Test
    void core_dependsOnTheJdkAlone() {
        noClasses()
                .that()
                .resideInAPackage("dev.guardedby.circuitbreaker..")
                .should()
                .dependOnClassesThat()
                .resideOutsideOfPackages("dev.guardedby.circuitbreaker..", "java..", "org.jspecify..")
                .check(OURS);
    }

    @Test
    void starter_logsAsSpringDoes() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.slf4j..", "ch.qos.logback..", "java.util.logging..", "org.apache.logging..")
                .check(OURS);
    }

    @Test
    void optionalLibraries_stayInThePackagesThatTheySwitchOn() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.guardedby.spring.metrics..", "dev.guardedby.spring.actuate..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.micrometer.core..",
                        "org.springframework.boot.actuate..",
                        "org.springframework.boot.health..")
                .check(OURS);
    }

    @Test
    void clients_areKnownToTheirReadersAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.guardedby.spring.answers..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.springframework.web.client..",
                        "org.springframework.web.reactive..",
                        "org.springframework.http.client..",
                        "java.net.http..")
                .check(OURS);
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "dev.guardedby.spring.answers..",
                        "dev.guardedby.spring.usage..",
                        "dev.guardedby.spring.models..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.openai..", "com.anthropic..")
                .check(OURS);
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.guardedby.spring.models..", "dev.guardedby.spring.usage..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework.ai..", "dev.langchain4j..")
                .check(OURS);
    }

    @Test
    void caffeine_isKnownToWhatKeepsKeysAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.guardedby.spring.keys..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("com.github.benmanes.caffeine..")
                .check(OURS);
    }

    @Test
    void yaml_isKnownToWhatReadsPricesAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.guardedby.spring.prices..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.yaml..")
                .check(OURS);
    }

    @Test
    void web_isKnownWhereAnswersAreReadAndGiven_andNeitherMvcNorWebFluxIsNeeded() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "dev.guardedby.spring.answers..",
                        "dev.guardedby.spring.web..",
                        "dev.guardedby.spring.actuate..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework.web..", "org.springframework.http..")
                .check(OURS);
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.springframework.web.servlet..", "jakarta..")
                .check(OURS);
    }

    @Test
    void packages_areFreeOfCycles() {
        slices().matching("dev.guardedby.(**)").should().beFreeOfCycles().check(OURS);
    }

    @Test
    void starter_showsWhatItsUsersNeed_andNothingElse() {
        assertThat(OURS.stream()
                        .filter(type -> type.getPackageName().startsWith("dev.guardedby.spring"))
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                        .filter(JavaClass::isTopLevelClass)
                        .map(JavaClass::getName))
                .containsExactlyInAnyOrder(
                        "dev.guardedby.spring.CircuitBreakerCustomizer",
                        "dev.guardedby.spring.CostRecorder",
                        "dev.guardedby.spring.GuardedBy",
                        "dev.guardedby.spring.actuate.GuardedByEndpointAutoConfiguration",
                        "dev.guardedby.spring.actuate.GuardedByHealthAutoConfiguration",
                        "dev.guardedby.spring.actuate.GuardedByPricesEndpointAutoConfiguration",
                        "dev.guardedby.spring.answers.GuardedByAnswersAutoConfiguration",
                        "dev.guardedby.spring.aop.GuardedByAopAutoConfiguration",
                        "dev.guardedby.spring.aop.InsideAccessor",
                        "dev.guardedby.spring.aop.LostCosts",
                        "dev.guardedby.spring.config.ConfiguredBreakers",
                        "dev.guardedby.spring.config.ConfiguredPrices",
                        "dev.guardedby.spring.config.GuardedByAutoConfiguration",
                        "dev.guardedby.spring.keys.Keys",
                        "dev.guardedby.spring.metrics.GuardedByMetricsAutoConfiguration",
                        "dev.guardedby.spring.models.GuardedByChatAdvisor",
                        "dev.guardedby.spring.models.GuardedByModelsAutoConfiguration",
                        "dev.guardedby.spring.models.GuardedByLangChain4jAutoConfiguration",
                        "dev.guardedby.spring.models.GuardedModels",
                        "dev.guardedby.spring.models.ModelCall",
                        "dev.guardedby.spring.models.ModelCalls",
                        "dev.guardedby.spring.models.ModelRequest",
                        "dev.guardedby.spring.models.ModelRequestReader",
                        "dev.guardedby.spring.prices.GuardedByPricesAutoConfiguration",
                        "dev.guardedby.spring.prices.ImportReport",
                        "dev.guardedby.spring.prices.InvalidPricesException",
                        "dev.guardedby.spring.prices.PriceReport",
                        "dev.guardedby.spring.prices.PriceSource",
                        "dev.guardedby.spring.usage.GuardedByUsageAutoConfiguration",
                        "dev.guardedby.spring.usage.TokenCount",
                        "dev.guardedby.spring.usage.UsageExtractor",
                        "dev.guardedby.spring.web.GuardedByWebAutoConfiguration");
    }

    @Test
    void nothingIsOpenForSubclasses() {
        classes()
                .that(areNotMeantToBeExtended())
                .should()
                .haveModifier(JavaModifier.FINAL)
                .check(OURS);
    }

    private static DescribedPredicate<JavaClass> areNotMeantToBeExtended() {
        return new DescribedPredicate<>("are neither interfaces, enums, sealed nor exceptions that others extend") {
            @Override
            public boolean test(JavaClass type) {
                return !type.isInterface()
                        && !type.isEnum()
                        && !type.isAnonymousClass()
                        && !type.reflect().isSealed()
                        && !type.getFullName().equals("dev.guardedby.circuitbreaker.CallNotPermittedException");
            }
        };
    }
}
