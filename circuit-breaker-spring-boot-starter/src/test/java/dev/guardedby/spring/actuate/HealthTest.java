package dev.guardedby.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.keys.Keys;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.registry.HealthContributorRegistry;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;

class HealthTest {
    private final AtomicLong now = new AtomicLong(Long.MIN_VALUE + 7);
    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    GuardedByAutoConfiguration.class,
                    GuardedByHealthAutoConfiguration.class,
                    HealthContributorAutoConfiguration.class,
                    HealthContributorRegistryAutoConfiguration.class))
            .withBean("guardedByTicker", LongSupplier.class, () -> now::get)
            .withPropertyValues("guardedby.breakers.llm.recovery-timeout=30s");

    @Test
    void openBreaker_isShown_andLeavesTheApplicationUp() {
        context.run(started -> {
            llm(started).forceOpen();

            assertThat(health(started).toString())
                    .isEqualTo("UP {llm={state=OPEN, admitting=false,"
                            + " message=forced open by an operator, next probe in 30.0 s}}");
        });
    }

    @Test
    void keysThatAreOpen_areCounted_andLeaveTheApplicationUp() {
        context.withConfiguration(AutoConfigurations.of(GuardedByAopAutoConfiguration.class))
                .withPropertyValues(
                        "guardedby.health.down-when-open=true", "guardedby.breakers.llm.failure-threshold=1")
                .run(started -> {
                    CircuitBreaker llm = llm(started);
                    started.getBean(Keys.class).of(llm);
                    StringBuilder history = new StringBuilder(health(started).toString());
                    llm.forKey("acme").run(() -> {});
                    llm.forKey("umbrella").recordFailure();
                    history.append('\n').append(health(started));
                    now.addAndGet(TimeUnit.SECONDS.toNanos(30));
                    llm.forKey("umbrella").acquire();
                    llm.forKey("initech").recordFailure();
                    history.append('\n').append(health(started));
                    llm.forKey("initech").reset();
                    history.append('\n').append(health(started));

                    assertThat(history).hasToString("""
                            UP {llm={state=CLOSED, admitting=true, message=closed, keys={held=0, open=0, halfOpen=0, worst=CLOSED}}}
                            UP {llm={state=CLOSED, admitting=true, message=closed, keys={held=2, open=1, halfOpen=0, worst=OPEN}}}
                            UP {llm={state=CLOSED, admitting=true, message=closed, keys={held=3, open=1, halfOpen=1, worst=OPEN}}}
                            UP {llm={state=CLOSED, admitting=true, message=closed, keys={held=3, open=0, halfOpen=1, worst=HALF_OPEN}}}""");
                });
    }

    @Test
    void withoutBreakers_isUp() {
        new ApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByHealthAutoConfiguration.class))
                .run(started -> assertThat(
                                started.getBean(HealthIndicator.class).health())
                        .hasToString("UP {}"));
    }

    @Test
    void downWhenOpen_untilTheWaitIsOver_soThatCallsCanComeBack() {
        context.withPropertyValues("guardedby.health.down-when-open=true").run(started -> {
            StringBuilder history = new StringBuilder(status(started));
            llm(started).forceOpen();
            history.append(" open:").append(status(started));
            llm(started).mode(Mode.OBSERVE);
            history.append(" observed:").append(status(started));
            llm(started).mode(Mode.ENFORCE);
            now.addAndGet(TimeUnit.SECONDS.toNanos(30));
            history.append(" due:").append(status(started));
            llm(started).acquire();
            history.append(" probing:").append(status(started));
            llm(started).holdOpen();
            history.append(" held:").append(status(started));
            llm(started).reset();
            history.append(" closed:").append(status(started));

            assertThat(history).hasToString("UP open:DOWN observed:UP due:UP probing:UP held:DOWN closed:UP");
        });
    }

    @Test
    void oneOpenBreakerAmongOthers_isDownToo() {
        context.withPropertyValues("guardedby.health.down-when-open=true", "guardedby.breakers.other.probes=1")
                .run(started -> {
                    llm(started).forceOpen();
                    assertThat(status(started)).isEqualTo("DOWN");
                });
    }

    @Test
    void contributor_canBeSwitchedOff() {
        context.withPropertyValues("management.health.guardedby.enabled=false")
                .run(started -> assertThat(started).doesNotHaveBean("guardedByHealthContributor"));
    }

    @Test
    void contributorOfTheApplication_isLeftAlone() {
        context.withBean(
                        "guardedByHealthContributor",
                        HealthIndicator.class,
                        () -> () -> Health.unknown().build())
                .run(started -> assertThat(status(started)).isEqualTo("UNKNOWN"));
    }

    @Test
    void switchedOff_contributesNothing() {
        context.withPropertyValues("guardedby.enabled=false")
                .run(started -> assertThat(started).doesNotHaveBean(GuardedByHealthIndicator.class));
    }

    private static CircuitBreaker llm(ApplicationContext started) {
        return started.getBean(CircuitBreakerRegistry.class).find("llm").orElseThrow();
    }

    private static String status(ApplicationContext started) {
        return health(started).getStatus().getCode();
    }

    private static Health health(ApplicationContext started) {
        HealthIndicator indicator = (HealthIndicator)
                started.getBean(HealthContributorRegistry.class).getContributor("guardedBy");
        Health health = indicator.health();
        assertThat(health).isNotNull();
        return health;
    }
}
