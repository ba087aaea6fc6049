package dev.guardedby.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import java.math.BigDecimal;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.json.JSONException;
import org.junit.jupiter.api.Test;
import org.skyscreamer.jsonassert.JSONAssert;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import tools.jackson.databind.json.JsonMapper;

class BreakerDocumentTest {
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30Z");
    private final AtomicLong ticker = new AtomicLong(-5);
    private final ApplicationContextRunner context = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(GuardedByAutoConfiguration.class))
            .withBean("guardedByTicker", LongSupplier.class, () -> ticker::get)
            .withBean(
                    dev.guardedby.spring.CircuitBreakerCustomizer.class,
                    () -> (name, breaker) -> breaker.clock(InstantSource.fixed(NOW)));

    @Test
    void openBreaker_isOneDocument() {
        context.withPropertyValues(
                        "guardedby.templates.slow.probe-timeout=2m",
                        "guardedby.breakers.llm.extends=slow",
                        "guardedby.breakers.llm.failure-threshold=3",
                        "guardedby.breakers.llm.recovery-timeout=30s",
                        "guardedby.defaults.ignore-exceptions=java.lang.ArithmeticException")
                .run(with((llm, configured) -> {
                    llm.call(Cost.ZERO, permit -> {
                        permit.recordCost(1200, 340, new BigDecimal("0.0183"));
                        return "an answer";
                    });
                    advance(Duration.ofSeconds(5));
                    for (int i = 0; i < 3; i++) {
                        llm.acquire().failure(new SocketTimeoutException("a secret"));
                    }
                    assertThat(llm.tryAcquire()).isEmpty();
                    advance(Duration.ofMillis(17_700));

                    assertDocument(llm, configured, """
                            {
                              "name": "llm", "state": "OPEN", "mode": "ENFORCE", "admitting": false, "reason": "OPEN",
                              "message": "open after 3 consecutive failures, next probe in 12.3 s",
                              "since": "2026-11-23T10:15:30Z", "retryAfter": "PT12.3S",
                              "lastTransition": {
                                "from": "CLOSED", "to": "OPEN", "cause": "FAILURES", "rule": "failure-threshold 3", "calls": 3, "slow": 0, "hung": 0, "failures": 3,
                                "topFailures": { "java.net.SocketTimeoutException": 3 }
                              },
                              "stats": {
                                "totalSuccesses": 1, "totalFailures": 3,
                                "timesOpened": 1, "timesHalfOpened": 0, "timesClosed": 0,
                                "lastFailureAt": "2026-11-23T10:15:30Z", "lastStateChangeAt": "2026-11-23T10:15:30Z",
                                "consecutiveFailures": 3,
                                "totalInputTokens": 1200, "totalOutputTokens": 340, "totalEstimatedCost": 0.0183,
                                "state": "OPEN", "totalIgnored": 0, "totalRejected": 1, "wouldReject": 0,
                                "stale": 0, "late": 0, "unreported": 0,
                                "timeClosed": "PT5S", "timeOpen": "PT17.7S", "timeHalfOpen": "PT0S"
                              },
                              "budgets": [],
                              "settings": {
                                "failure-threshold": { "value": 3, "from": "breakers.llm" },
                                "failure-rate-threshold": { "value": "none", "from": "default" },
                                "slow-call-duration": { "value": "none", "from": "default" },
                                "slow-call-rate-threshold": { "value": "none", "from": "default" },
                                "window": { "value": 100, "from": "default" },
                                "minimum-calls": { "value": 20, "from": "default" },
                                "recovery-timeout": { "value": "PT30S", "from": "breakers.llm" },
                                "recovery-backoff-multiplier": { "value": 1.0, "from": "default" },
                                "max-recovery-timeout": { "value": "PT5M", "from": "default" },
                                "recovery-jitter": { "value": 0.0, "from": "default" },
                                "ramp-up": { "value": "none", "from": "default" },
                                "probes": { "value": 1, "from": "default" },
                                "successes-to-close": { "value": 1, "from": "default" },
                                "probe-timeout": { "value": "PT2M", "from": "templates.slow" },
                                "record-exceptions": { "value": [], "from": "default" },
                                "ignore-exceptions": { "value": ["java.lang.ArithmeticException"], "from": "defaults" },
                                "trip-exceptions": { "value": [], "from": "default" },
                                "trip-on": { "value": ["retry-after", "quota-exhausted", "key-revoked"], "from": "default" },
                                "mode": { "value": "enforce", "from": "default" },
                                "max-keys": { "value": 10000, "from": "default" },
                                "tag-keys": { "value": 0, "from": "default" },
                                "budgets": { "value": "none", "from": "default" },
                                "charge-to": { "value": [], "from": "default" },
                                "estimate-per-call": { "value": "none", "from": "default" },
                                "hold-timeout": { "value": "none", "from": "default" },
                                "charge-on-failure": { "value": "read timeouts", "from": "default" }
                              }
                            }
                            """);
                }));
    }

    @Test
    void freshBreaker_hasNoReason_noSince_noTransition() {
        context.withPropertyValues("guardedby.breakers.llm=").run(with((llm, configured) -> {
            var document = document(llm, configured);
            document.remove("settings");

            assertJson(document, """
                    {
                      "name": "llm", "state": "CLOSED", "mode": "ENFORCE", "admitting": true, "message": "closed",
                      "stats": {
                        "totalSuccesses": 0, "totalFailures": 0, "timesOpened": 0, "timesHalfOpened": 0, "timesClosed": 0,
                        "lastFailureAt": null, "lastStateChangeAt": null, "consecutiveFailures": 0,
                        "totalInputTokens": 0, "totalOutputTokens": 0, "totalEstimatedCost": 0,
                        "state": "CLOSED", "totalIgnored": 0, "totalRejected": 0, "wouldReject": 0, "stale": 0, "late": 0,
                        "unreported": 0, "timeClosed": "PT0S", "timeOpen": "PT0S", "timeHalfOpen": "PT0S"
                      },
                      "budgets": []
                    }
                    """);
        }));
    }

    @Test
    void message_saysInEveryState_whatBecomesOfACall() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3").run(with((llm, configured) -> {
            StringBuilder told = new StringBuilder();
            llm.recordFailure();
            tell(llm, told);
            llm.forceOpen();
            tell(llm, told);
            llm.mode(Mode.OBSERVE);
            tell(llm, told);
            llm.mode(Mode.ENFORCE);
            advance(Duration.ofMinutes(5));
            tell(llm, told);
            llm.state();
            tell(llm, told);
            llm.acquire();
            tell(llm, told);
            llm.mode(Mode.OBSERVE);
            tell(llm, told);
            llm.mode(Mode.ENFORCE);
            llm.holdOpen();
            tell(llm, told);
            llm.mode(Mode.DISABLED);
            tell(llm, told);

            assertThat(told.toString()).isEqualTo("""
                    CLOSED admits: closed, 1 of 3 consecutive failures
                    OPEN refuses: forced open by an operator, next probe in 5 min 0 s
                    OPEN admits: open, observed only: every call passes
                    OPEN admits: open, due now: the next call is a probe
                    HALF_OPEN admits: half-open: the next call is a probe
                    HALF_OPEN refuses: half-open, probes are out to see whether the remote has recovered
                    HALF_OPEN admits: half-open, observed only: every call passes
                    OPEN refuses: held open by an operator
                    CLOSED admits: disabled, every call passes
                    """);
        }));
    }

    private static void tell(CircuitBreaker breaker, StringBuilder told) {
        var document = BreakerDocument.of(breaker, inForce -> Map.of(), budget -> Optional.empty());
        told.append(document.get("state"))
                .append(document.get("admitting").equals(true) ? " admits: " : " refuses: ")
                .append(document.get("message"))
                .append('\n');
    }

    @Test
    void dueOpen_isNotMovedByReading() {
        context.withPropertyValues("guardedby.breakers.llm=").run(with((llm, configured) -> {
            llm.forceOpen();
            advance(Duration.ofMinutes(5));

            var document = document(llm, configured);

            assertThat(document).containsEntry("state", "OPEN").doesNotContainKeys("reason", "retryAfter");
            assertThat(llm.stats().timesHalfOpened()).isZero();
        }));
    }

    @Test
    void whatCodeChanged_isShown_insteadOfWhatIsConfigured() {
        context.withPropertyValues("guardedby.breakers.llm.recovery-timeout=30s")
                .withBean(
                        "late",
                        dev.guardedby.spring.CircuitBreakerCustomizer.class,
                        () -> (name, breaker) -> breaker.failureThreshold(9)
                                .probes(3)
                                .successesToClose(2)
                                .probeTimeout(Duration.ofSeconds(7)))
                .run(with((llm, configured) -> {
                    llm.mode(Mode.OBSERVE);

                    assertThat(document(llm, configured).get("settings").toString())
                            .startsWith("{failure-threshold={value=9, from=runtime},")
                            .contains(
                                    "recovery-timeout={value=PT30S, from=breakers.llm},",
                                    "probes={value=3, from=runtime}, successes-to-close={value=2, from=runtime},"
                                            + " probe-timeout={value=PT7S, from=runtime},")
                            .contains("mode={value=observe, from=runtime}, max-keys={value=10000, from=default},"
                                    + " tag-keys={value=0, from=default},");
                }));
    }

    @Test
    void liveChange_isShownAsSuch_alsoWhereItSwitchesSomethingOff() {
        context.withPropertyValues(
                        "guardedby.templates.rated.window=60s",
                        "guardedby.templates.rated.minimum-calls=30",
                        "guardedby.breakers.llm.extends=rated")
                .run(with((llm, configured) -> {
                    assertThat(changed(document(llm, configured)))
                            .isEqualTo("{window=PT1M templates.rated, minimum-calls=30 templates.rated}");

                    llm.reconfigure(b -> b.failureRateThreshold(50).window(100));
                    assertThat(changed(document(llm, configured)))
                            .isEqualTo("{failure-threshold=none runtime, failure-rate-threshold=50.0 runtime,"
                                    + " window=100 runtime, minimum-calls=30 templates.rated}");

                    llm.reconfigure(b -> b.failureThreshold(5).window(Duration.ofMinutes(1)));
                    assertThat(changed(document(llm, configured)))
                            .as("a value that is the configured one again is not told from it")
                            .isEqualTo("{failure-rate-threshold=50.0 runtime, window=PT1M templates.rated,"
                                    + " minimum-calls=30 templates.rated}");
                }));
    }

    /** What is not a default, in short. */
    private static String changed(Map<String, Object> document) {
        Map<String, String> changed = new LinkedHashMap<>();
        ((Map<?, ?>) document.get("settings")).forEach((key, setting) -> {
            Map<?, ?> shown = (Map<?, ?>) setting;
            if (!shown.get("from").equals("default")) {
                changed.put(key.toString(), shown.get("value") + " " + shown.get("from"));
            }
        });
        return changed.toString();
    }

    @Test
    void message_countsFailures_whereNoThresholdDoes() {
        context.withPropertyValues(
                        "guardedby.breakers.llm.failure-rate-threshold=50",
                        "guardedby.breakers.llm.minimum-calls=4",
                        "guardedby.breakers.llm.ramp-up=10s",
                        "guardedby.breakers.llm.recovery-timeout=30s")
                .run(with((llm, configured) -> {
                    StringBuilder told = new StringBuilder();
                    llm.acquire().failure(new SocketTimeoutException());
                    tell(llm, told);
                    llm.acquire().success();
                    llm.acquire().failure(new SocketTimeoutException());
                    llm.acquire().failure(new SocketTimeoutException());
                    tell(llm, told);
                    advance(Duration.ofSeconds(30));
                    llm.acquire().success();
                    llm.acquire().success();
                    assertThat(llm.tryAcquire()).isEmpty();
                    var ramping = document(llm, configured);

                    assertThat(told.toString()).isEqualTo("""
                            CLOSED admits: closed, 1 failure
                            OPEN refuses: open after 3 of 4 calls failed, next probe in 30.0 s
                            """);
                    assertThat(ramping).containsEntry("state", "CLOSED").containsEntry("reason", "RAMP_UP");
                }));
    }

    @Test
    void breakerBuiltByTheApplication_showsWhatItSaysOfItself() {
        context.withBean(
                        "own",
                        CircuitBreaker.class,
                        () -> CircuitBreaker.builder("llm").failureThreshold(7).build())
                .run(with((llm, configured) -> assertThat(
                                document(llm, configured).get("settings"))
                        .hasToString("{failure-threshold={value=7, from=runtime},"
                                + " window={value=100, from=runtime}, minimum-calls={value=20, from=runtime},"
                                + " recovery-timeout={value=PT5M, from=runtime},"
                                + " recovery-backoff-multiplier={value=1.0, from=runtime},"
                                + " max-recovery-timeout={value=PT50M, from=runtime},"
                                + " recovery-jitter={value=0.0, from=runtime}, probes={value=1, from=runtime},"
                                + " successes-to-close={value=1, from=runtime},"
                                + " probe-timeout={value=PT1M, from=runtime}, mode={value=enforce, from=runtime}}")));
    }

    @Test
    void registryOfTheApplication_isNotShownWhatIsConfigured() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=3")
                .withBean(
                        "mine", CircuitBreakerRegistry.class, () -> CircuitBreakerRegistry.of(CircuitBreaker::builder))
                .run(with((llm, configured) -> assertThat(
                                document(llm, configured).get("settings").toString())
                        .startsWith("{failure-threshold={value=5, from=runtime},")
                        .doesNotContain("breakers.llm", "default")));
    }

    @Test
    void breakerThatMovesWhileItIsRead_isShownInOneState() {
        AtomicReference<Runnable> duringTheRead = new AtomicReference<>();
        CircuitBreaker llm = CircuitBreaker.builder("llm")
                .ticker(() -> {
                    Runnable move = duringTheRead.getAndSet(null);
                    if (move != null) {
                        move.run();
                    }
                    return 7;
                })
                .build();
        duringTheRead.set(llm::forceOpen);

        assertThat(BreakerDocument.of(llm, inForce -> Map.of(), budget -> Optional.empty()))
                .containsEntry("state", "OPEN")
                .containsEntry("reason", "OPEN")
                .containsEntry("admitting", false);
    }

    @Test
    void breakerThatNeverStopsMoving_isShownWithoutContradictions() {
        AtomicBoolean moving = new AtomicBoolean();
        AtomicReference<CircuitBreaker> self = new AtomicReference<>();
        CircuitBreaker llm = CircuitBreaker.builder("llm")
                .ticker(() -> {
                    CircuitBreaker breaker = self.get();
                    // Moving reads the time, too.
                    if (breaker != null && moving.compareAndSet(false, true)) {
                        if (breaker.stats().state() == CircuitState.CLOSED) {
                            breaker.forceOpen();
                        } else {
                            breaker.reset();
                        }
                        moving.set(false);
                    }
                    return 7;
                })
                .build();
        self.set(llm);

        for (int i = 0; i < 20; i++) {
            var document = BreakerDocument.of(llm, inForce -> Map.of(), budget -> Optional.empty());
            boolean refuses = document.containsKey("reason");
            assertThat(document.get("admitting")).isEqualTo(!refuses);
            assertThat(refuses && document.get("state").equals("CLOSED"))
                    .as("%s", document)
                    .isFalse();
        }
    }

    private void advance(Duration time) {
        ticker.addAndGet(time.toNanos());
    }

    private static org.springframework.boot.test.context.runner.ContextConsumer<ApplicationContext> with(
            BiConsumer<CircuitBreaker, ConfiguredBreakers> story) {
        return started -> story.accept(
                started.getBean(CircuitBreakerRegistry.class).find("llm").orElseThrow(),
                started.getBean(ConfiguredBreakers.class));
    }

    private static Map<String, Object> document(CircuitBreaker breaker, ConfiguredBreakers configured) {
        return BreakerDocument.of(
                breaker, inForce -> configured.settings(breaker.name(), inForce), budget -> Optional.empty());
    }

    private static void assertDocument(CircuitBreaker breaker, ConfiguredBreakers configured, String expected) {
        assertJson(document(breaker, configured), expected);
    }

    private static void assertJson(Object document, String expected) {
        try {
            JSONAssert.assertEquals(expected, JsonMapper.shared().writeValueAsString(document), true);
        } catch (JSONException e) {
            throw new AssertionError(e);
        }
    }
}
