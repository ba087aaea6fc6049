package dev.guardedby.spring.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.keys.Keys;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

/** Which meters keys have, and which they have not. */
class KeyMetricsTest {
    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    AopAutoConfiguration.class,
                    GuardedByAutoConfiguration.class,
                    GuardedByAopAutoConfiguration.class,
                    GuardedByMetricsAutoConfiguration.class,
                    MetricsAutoConfiguration.class,
                    CompositeMeterRegistryAutoConfiguration.class))
            .withBean("guardedByTicker", LongSupplier.class, () -> () -> -7)
            .withBean(SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
            .withPropertyValues("guardedby.breakers.llm.failure-threshold=2", "guardedby.breakers.llm.max-keys=3");

    private static CircuitBreaker keyed(ApplicationContext context) {
        CircuitBreaker llm = context.getBean(CircuitBreakerRegistry.class).get("llm");
        context.getBean(Keys.class).of(llm);
        return llm;
    }

    private static void fail(CircuitBreaker breaker) {
        breaker.tryAcquire().ifPresent(permit -> permit.failure(new IOException("down")));
    }

    /** {@code "guardedby.rejections open 1"}: name, tags but that of the breaker, value; those at 0 are left out. */
    private static List<String> shown(ApplicationContext context, String... prefixes) {
        return context.getBean(MeterRegistry.class).getMeters().stream()
                .filter(meter -> Set.of(prefixes).contains(meter.getId().getName()))
                .filter(meter -> value(meter) != 0)
                .map(meter -> meter.getId().getName()
                        + meter.getId().getTags().stream()
                                .filter(tag -> !tag.getKey().equals("name"))
                                .map(Tag::getValue)
                                .map(tag -> " " + tag)
                                .collect(Collectors.joining())
                        + " " + value(meter))
                .sorted()
                .toList();
    }

    private static long value(Meter meter) {
        return (long) meter.measure().iterator().next().getValue();
    }

    @Test
    void metersOfTheName_countWhatItsKeysDo() {
        application.run(context -> {
            CircuitBreaker llm = keyed(context);
            llm.run(() -> {});
            llm.forKey("acme").run(() -> {});
            fail(llm.forKey("umbrella"));
            fail(llm.forKey("umbrella"));
            fail(llm.forKey("umbrella"));

            assertThat(shown(
                            context,
                            "guardedby.calls",
                            "guardedby.rejections",
                            "guardedby.transitions",
                            "guardedby.stats.total.successes",
                            "guardedby.stats.total.failures",
                            "guardedby.stats.total.rejected"))
                    .containsExactly(
                            "guardedby.calls failure 2",
                            "guardedby.calls success 2",
                            "guardedby.rejections open 1",
                            "guardedby.stats.total.failures 2",
                            "guardedby.stats.total.rejected 1",
                            "guardedby.stats.total.successes 2",
                            "guardedby.transitions failures closed open 1");
            assertThat(context.getBean(MeterRegistry.class).getMeters())
                    .as("a caller's key is no tag unless asked for")
                    .noneMatch(meter -> meter.getId().getTag("key") != null);
        });
    }

    @Test
    void budgetOfEachKey_isAGaugeOfAllTogether_andASharedOneCountsOnce() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.each.calls=5",
                        "guardedby.breakers.llm.budgets.each.window=lifetime",
                        "guardedby.breakers.llm.charge-to=team",
                        "guardedby.budgets.team.calls=100",
                        "guardedby.budgets.team.window=lifetime")
                .run(context -> {
                    CircuitBreaker llm = keyed(context);
                    llm.run(() -> {});
                    llm.forKey("acme").run(() -> {});
                    llm.forKey("acme").run(() -> {});
                    llm.forKey("umbrella").run(() -> {});
                    Permit underWay = llm.forKey("umbrella").acquire();

                    assertThat(shown(
                                    context,
                                    "guardedby.budget.limit",
                                    "guardedby.budget.spent",
                                    "guardedby.budget.held"))
                            .containsExactly(
                                    "guardedby.budget.held each calls 1",
                                    "guardedby.budget.held team calls 1",
                                    "guardedby.budget.limit each calls 5",
                                    "guardedby.budget.limit team calls 100",
                                    "guardedby.budget.spent each calls 4",
                                    "guardedby.budget.spent team calls 4");
                    underWay.success();
                });
    }

    @Test
    void withTagKeys_theFirstKeysHaveGaugesOfTheirOwnBudgets() {
        application
                .withPropertyValues(
                        "guardedby.breakers.llm.tag-keys=2",
                        "guardedby.breakers.llm.budgets.each.calls=5",
                        "guardedby.breakers.llm.budgets.each.window=lifetime",
                        "guardedby.breakers.llm.charge-to=team",
                        "guardedby.budgets.team.calls=100",
                        "guardedby.budgets.team.window=lifetime")
                .run(context -> {
                    CircuitBreaker llm = keyed(context);
                    for (String key : List.of("acme", "acme", "umbrella", "third", "fourth")) {
                        llm.forKey(key).run(() -> {});
                    }
                    llm.forKey("acme").limit("each", new BigDecimal(9));
                    assertThat(shown(context, "guardedby.state")).containsExactly("guardedby.state closed 1");

                    assertThat(shown(
                                    context,
                                    "guardedby.budget.spent",
                                    "guardedby.key.budget.limit",
                                    "guardedby.key.budget.spent",
                                    "guardedby.key.budget.held"))
                            .containsExactly(
                                    "guardedby.budget.spent each calls 5",
                                    "guardedby.budget.spent team calls 5",
                                    "guardedby.key.budget.limit each acme calls 9",
                                    "guardedby.key.budget.limit each umbrella calls 5",
                                    "guardedby.key.budget.spent each acme calls 2",
                                    "guardedby.key.budget.spent each umbrella calls 1");
                    context.getBean(CircuitBreakerRegistry.class).remove("llm");
                    assertThat(shown(context, "guardedby.key.budget.spent", "guardedby.budget.spent"))
                            .isEmpty();
                });
    }

    @Test
    void keysThatAreKept_andCallsWithoutRoom_areCounted() {
        application.run(context -> {
            CircuitBreaker llm = keyed(context);
            for (int i = 0; i < 7; i++) {
                fail(llm.forKey("key" + i));
            }

            assertThat(shown(context, "guardedby.keys", "guardedby.keys.overflow", "guardedby.keys.invalid"))
                    .containsExactly("guardedby.keys 3", "guardedby.keys.overflow 4");
        });
    }

    @Test
    void keysThatAreOpen_areAGauge_whichTheStateOfTheNameIsNot() {
        application.run(context -> {
            CircuitBreaker llm = keyed(context);
            fail(llm.forKey("acme"));
            fail(llm.forKey("umbrella"));
            fail(llm.forKey("umbrella"));
            llm.forKey("initech").forceOpen();

            assertThat(shown(
                            context,
                            "guardedby.keys",
                            "guardedby.keys.open",
                            "guardedby.state",
                            "guardedby.stats.times.opened",
                            "guardedby.transitions"))
                    .containsExactly(
                            "guardedby.keys 3",
                            "guardedby.keys.open 2",
                            "guardedby.state closed 1",
                            "guardedby.transitions failures closed open 1",
                            "guardedby.transitions force_open closed open 1");
        });
    }

    @Test
    void metersOfKeptKeys_goWithTheBreaker_andComeBackWithIt() {
        application.withPropertyValues("guardedby.breakers.llm.tag-keys=2").run(context -> {
            CircuitBreaker llm = keyed(context);
            CircuitBreakerRegistry registry = context.getBean(CircuitBreakerRegistry.class);
            Set<String> before = metersOfKeys(context);
            llm.forKey("acme").forceOpen();
            registry.remove("llm");
            Set<String> removed = metersOfKeys(context);
            registry.get("llm");
            Set<String> replaced = metersOfKeys(context);
            registry.remove("llm");
            registry.add(llm);

            assertThat(before)
                    .containsExactlyInAnyOrder(
                            "guardedby.keys",
                            "guardedby.keys.open",
                            "guardedby.keys.overflow",
                            "guardedby.keys.invalid");
            assertThat(removed).isEmpty();
            assertThat(replaced)
                    .as("another breaker of that name, without keys")
                    .isEmpty();
            assertThat(metersOfKeys(context)).isEqualTo(before);
            assertThat(shown(context, "guardedby.keys", "guardedby.keys.open"))
                    .containsExactly("guardedby.keys 1", "guardedby.keys.open 1");
        });
    }

    @Test
    void breakerThatIsGivenKeysLate_getsTheirMeters_andKeepsItsOwn() {
        application.run(context -> {
            CircuitBreaker late = context.getBean(CircuitBreakerRegistry.class).get("late");
            late.run(() -> {});
            context.getBean(Keys.class).of(late);
            late.forKey("acme").run(() -> {});

            assertThat(shown(context, "guardedby.keys", "guardedby.calls"))
                    .containsExactly("guardedby.calls success 2", "guardedby.keys 1");
        });
    }

    private static Set<String> metersOfKeys(ApplicationContext context) {
        return context.getBean(MeterRegistry.class).getMeters().stream()
                .map(meter -> meter.getId().getName())
                .filter(name -> name.startsWith("guardedby.key"))
                .collect(Collectors.toSet());
    }

    @Test
    void tagKeys_giveTheFirstKeysSeries_andAllOthersOne() {
        application
                .withPropertyValues("guardedby.breakers.llm.tag-keys=2", "guardedby.breakers.llm.max-keys=100")
                .run(context -> {
                    CircuitBreaker llm = keyed(context);
                    llm.run(() -> {});
                    for (String key : List.of("a", "b", "c", "d", "a")) {
                        llm.forKey(key).run(() -> {});
                    }
                    for (int i = 0; i < 3; i++) {
                        fail(llm.forKey("b"));
                        fail(llm.forKey("e"));
                    }

                    assertThat(shown(context, "guardedby.key.calls", "guardedby.key.rejections"))
                            .containsExactly(
                                    "guardedby.key.calls a success 2",
                                    "guardedby.key.calls b failure 2",
                                    "guardedby.key.calls b success 1",
                                    "guardedby.key.calls other failure 2",
                                    "guardedby.key.calls other success 2",
                                    "guardedby.key.rejections b open 1",
                                    "guardedby.key.rejections other open 1");
                    assertThat(context.getBean(MeterRegistry.class).getMeters())
                            .filteredOn(meter -> meter.getId().getName().startsWith("guardedby.key."))
                            .as("three outcomes and five reasons for each of a, b and other, from the first on")
                            .hasSize(3 * 8);
                });
    }

    @Test
    void metersOfKeys_goWithTheBreaker_andComeBackWithIt() {
        application.withPropertyValues("guardedby.breakers.llm.tag-keys=1").run(context -> {
            CircuitBreaker llm = keyed(context);
            CircuitBreakerRegistry registry = context.getBean(CircuitBreakerRegistry.class);
            llm.forKey("a").run(() -> {});
            registry.remove("llm");
            assertThat(shown(context, "guardedby.key.calls")).isEmpty();

            llm.forKey("a").run(() -> {});
            registry.add(llm);
            assertThat(shown(context, "guardedby.key.calls")).containsExactly("guardedby.key.calls a success 2");
        });
    }
}
