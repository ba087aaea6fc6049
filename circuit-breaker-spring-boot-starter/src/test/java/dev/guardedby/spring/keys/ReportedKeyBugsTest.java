package dev.guardedby.spring.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import dev.guardedby.spring.metrics.GuardedByMetricsAutoConfiguration;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;

/** Bugs of keys that users reported against other libraries, each under the name of its report. */
@Timeout(300)
@ExtendWith(OutputCaptureExtension.class)
class ReportedKeyBugsTest {
    static class Model {
        @GuardedBy(name = "llm", key = "#tenant") public String ask(String tenant, boolean works) throws IOException {
            if (!works) {
                throw new IOException("down");
            }
            return "for " + tenant;
        }
    }

    private final ApplicationContextRunner application = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    AopAutoConfiguration.class,
                    GuardedByAutoConfiguration.class,
                    GuardedByAopAutoConfiguration.class,
                    GuardedByMetricsAutoConfiguration.class,
                    MetricsAutoConfiguration.class,
                    CompositeMeterRegistryAutoConfiguration.class))
            .withBean(Model.class)
            .withBean(PrometheusMeterRegistry.class, () -> new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));

    private static String failing(Model model, String tenant) {
        try {
            return model.ask(tenant, false);
        } catch (IOException | CallNotPermittedException e) {
            return e.getClass().getSimpleName();
        }
    }

    private static List<String> series(ApplicationContext context) {
        return context.getBean(PrometheusMeterRegistry.class)
                .scrape()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.substring(0, line.lastIndexOf(' ')))
                .toList();
    }

    @Test
    void r4j2243_opossum363_r4j650_r4j703_vertx58_springRetry505_keysAreBounded_collected_andStillChange() {
        int most = 10_000;
        CircuitBreaker llm = CircuitBreaker.builder("llm").failureThreshold(3).build();
        llm.keyedBy(new CaffeineKeys(llm, most, System::nanoTime, new LongAdder()));
        CircuitBreaker acme = llm.forKey("acme");
        acme.recordFailure();
        List<WeakReference<CircuitBreaker>> samples = new ArrayList<>();
        long early = 0;
        for (int i = 0; i < 1_000_000; i++) {
            CircuitBreaker breaker = llm.forKey("tenant" + i);
            breaker.run(() -> {});
            if (i % 100 == 0) {
                samples.add(new WeakReference<>(breaker));
            }
            if (i == 100_000) {
                early = usedHeap(llm);
            }
        }

        long late = usedHeap(llm);

        assertThat(llm.keys().orElseThrow().size()).isEqualTo(most);
        assertThat(llm.keys().orElseThrow().all())
                .as("the others are collected")
                .hasSizeBetween(most - 10, most + 10);
        assertThat(samples)
                .as("one in a hundred")
                .filteredOn(sample -> sample.get() != null)
                .hasSizeLessThan(most);
        // Keeping 32 bytes a key would be 29 million. The samples are some of what is left, and a table keeps the size
        // that it had when most entries waited for the collector.
        assertThat(late - early).as("growth in bytes over 900,000 keys").isLessThan(16_000_000);
        assertThat(llm.stats().totalSuccesses()).isEqualTo(1_000_000);
        llm.forKey("acme").recordFailure();
        llm.forKey("acme").recordFailure();
        assertThat(acme.state())
                .as("an update of a key that was there is accepted")
                .isEqualTo(CircuitState.OPEN);
    }

    private static long usedHeap(CircuitBreaker keyed) {
        int most = keyed.keys().orElseThrow().size();
        for (int i = 0; i < 100 && keyed.keys().orElseThrow().all().size() > most + 10; i++) {
            System.gc();
        }
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @Test
    void envoyRatelimit1132_mcpTsCore114_anAttackersKeysMakeNoSeries() {
        application.withPropertyValues("guardedby.defaults.max-keys=100").run(context -> {
            Model model = context.getBean(Model.class);
            assertThat(model.ask("acme", true)).isEqualTo("for acme");
            List<String> before = series(context);
            for (int i = 0; i < 100_000; i++) {
                assertThat(model.ask("attacker" + i, true)).endsWith(Integer.toString(i));
            }
            failing(model, "attacker");

            assertThat(series(context)).containsExactlyInAnyOrderElementsOf(before);
            assertThat(before).noneMatch(series -> series.contains("acme"));
        });
    }

    @Test
    void envoyRatelimit1132_withTagKeysToo_seriesAreBounded() {
        application
                .withPropertyValues("guardedby.defaults.max-keys=100", "guardedby.breakers.llm.tag-keys=2")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    for (int i = 0; i < 3; i++) {
                        assertThat(model.ask("first" + i, true)).isEqualTo("for first" + i);
                    }
                    List<String> before = series(context);
                    for (int i = 0; i < 10_000; i++) {
                        assertThat(model.ask("attacker" + i, true)).endsWith(Integer.toString(i));
                    }

                    assertThat(series(context)).containsExactlyInAnyOrderElementsOf(before);
                    assertThat(before)
                            .filteredOn(series -> series.contains("guardedby_key_calls") && series.contains("success"))
                            .containsExactlyInAnyOrder(
                                    "guardedby_key_calls_total{key=\"first0\",name=\"llm\",outcome=\"success\"}",
                                    "guardedby_key_calls_total{key=\"first1\",name=\"llm\",outcome=\"success\"}",
                                    "guardedby_key_calls_total{key=\"other\",name=\"llm\",outcome=\"success\"}");
                });
    }

    @Test
    void sentinel151_sentinel2108_pastTheBound_newKeysAreGuardedTogether_counted_andWarnedOfOnce(
            CapturedOutput output) {
        application
                .withPropertyValues("guardedby.defaults.max-keys=2", "guardedby.defaults.failure-threshold=2")
                .run(context -> {
                    Model model = context.getBean(Model.class);
                    failing(model, "bad1");
                    failing(model, "bad2");

                    List<String> answers = new ArrayList<>();
                    answers.add(model.ask("new1", true));
                    answers.add(failing(model, "new2"));
                    answers.add(failing(model, "new3"));
                    answers.add(failing(model, "new4"));
                    answers.add(failing(model, "bad1"));

                    assertThat(answers)
                            .containsExactly(
                                    "for new1",
                                    "IOException",
                                    "IOException",
                                    "CallNotPermittedException",
                                    "IOException");
                    assertThat(context.getBean(PrometheusMeterRegistry.class)
                                    .get("guardedby.keys.overflow")
                                    .functionCounter()
                                    .count())
                            .isEqualTo(4);
                });
        assertThat(output.getOut().lines().filter(line -> line.contains("WARN") && line.contains("max-keys")))
                .hasSize(1);
    }
}
