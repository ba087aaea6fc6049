package dev.guardedby.spring.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Budget;
import dev.guardedby.circuitbreaker.BudgetWindow;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Ledger;
import dev.guardedby.circuitbreaker.Mode;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import dev.guardedby.spring.StoreThatGoesAway;
import dev.guardedby.spring.aop.GuardedByAopAutoConfiguration;
import dev.guardedby.spring.config.GuardedByAutoConfiguration;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.ref.WeakReference;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

class MetricsTest {
    private static final Duration WAIT = Duration.ofMinutes(5);
    // Near overflow, as the time of a ticker may be.
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1_000);
    private final ApplicationContextRunner without = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(GuardedByAutoConfiguration.class, GuardedByMetricsAutoConfiguration.class))
            .withBean("guardedByTicker", LongSupplier.class, () -> now::get);
    private final ApplicationContextRunner context =
            without.withBean(SimpleMeterRegistry.class, () -> new SimpleMeterRegistry());

    @Test
    void everyFieldOfTheStats_isAGauge() {
        context.run(started -> {
            CircuitBreaker breaker = registry(started).get("llm");
            List<String> expected = breaker.stats().toMap().keySet().stream()
                    .map(MetricsTest::meterOf)
                    .toList();

            assertThat(meters(started).getMeters().stream()
                            .filter(meter -> meter.getId().getType() == Meter.Type.GAUGE)
                            .map(meter -> meter.getId().getName())
                            .distinct())
                    .containsExactlyInAnyOrderElementsOf(expected);
        });
    }

    @Test
    void budget_isThreeGauges_thatGoAwayWithTheBreaker() {
        context.withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.usd=25",
                        "guardedby.breakers.llm.budgets.daily.window=day",
                        "guardedby.breakers.llm.budgets.all.tokens=1000",
                        "guardedby.breakers.llm.budgets.all.window=lifetime")
                .run(started -> {
                    CircuitBreaker llm = registry(started).get("llm");
                    MeterRegistry meters = meters(started);
                    llm.recordCost(100, 20, new BigDecimal("0.5"));
                    Permit underWay = llm.acquire(Cost.of(30, 0, new BigDecimal("0.25")));

                    assertThat(gauges(meters))
                            .containsExactlyInAnyOrder(
                                    "guardedby.budget.limit{budget=daily,name=llm,unit=usd} 25.0",
                                    "guardedby.budget.spent{budget=daily,name=llm,unit=usd} 0.5",
                                    "guardedby.budget.held{budget=daily,name=llm,unit=usd} 0.25",
                                    "guardedby.budget.limit{budget=all,name=llm,unit=tokens} 1000.0",
                                    "guardedby.budget.spent{budget=all,name=llm,unit=tokens} 120.0",
                                    "guardedby.budget.held{budget=all,name=llm,unit=tokens} 30.0");
                    llm.limit("all", new BigDecimal(120));
                    underWay.ignore();
                    assertThat(llm.tryAcquire()).isEmpty();
                    assertThat(gauges(meters))
                            .contains(
                                    "guardedby.budget.limit{budget=all,name=llm,unit=tokens} 120.0",
                                    "guardedby.budget.held{budget=all,name=llm,unit=tokens} 0.0");
                    assertThat(meters.get("guardedby.rejections")
                                    .tag("reason", "budget")
                                    .functionCounter()
                                    .count())
                            .isEqualTo(1);
                    registry(started).remove("llm");
                    assertThat(gauges(meters)).isEmpty();
                });
    }

    @Test
    void budgetThatIsAddedOrReplaced_hasItsGauges_fromTheNextReadingOn() {
        context.run(started -> {
            CircuitBreaker llm = registry(started).get("llm");
            MeterRegistry meters = meters(started);
            Permit underWay = llm.acquire(Cost.usd("0.25"));
            assertThat(gauges(meters)).isEmpty();
            assertThat(meters.find("guardedby.degraded").gauge()).isNull();

            llm.reconfigure(change -> change.budget(Budget.usd("daily", new BigDecimal("25"))
                    .per(BudgetWindow.lifetime())
                    .build()));
            llm.recordCost(Cost.usd("0.5"));
            scrape(meters);
            assertThat(gauges(meters))
                    .containsExactlyInAnyOrder(
                            "guardedby.budget.limit{budget=daily,name=llm,unit=usd} 25.0",
                            "guardedby.budget.spent{budget=daily,name=llm,unit=usd} 0.5",
                            "guardedby.budget.held{budget=daily,name=llm,unit=usd} 0.0");
            assertThat(meters.get("guardedby.degraded").gauge().value()).isZero();

            llm.reconfigure(change -> change.budget(Budget.tokens("daily", 100)
                            .per(BudgetWindow.lifetime())
                            .build())
                    .budget(Budget.calls("burst", 7)
                            .per(BudgetWindow.rolling(Duration.ofMinutes(10)))
                            .build()));
            scrape(meters);
            assertThat(gauges(meters))
                    .containsExactlyInAnyOrder(
                            "guardedby.budget.limit{budget=daily,name=llm,unit=tokens} 100.0",
                            "guardedby.budget.spent{budget=daily,name=llm,unit=tokens} 0.0",
                            "guardedby.budget.held{budget=daily,name=llm,unit=tokens} 0.0",
                            "guardedby.budget.limit{budget=burst,name=llm,unit=calls} 7.0",
                            "guardedby.budget.spent{budget=burst,name=llm,unit=calls} 0.0",
                            "guardedby.budget.held{budget=burst,name=llm,unit=calls} 0.0");

            Gauge leftOver =
                    meters.get("guardedby.state").tag("state", "closed").gauge();
            registry(started).remove("llm");
            assertThat(leftOver.value()).isEqualTo(1);
            assertThat(meters.getMeters())
                    .as("a scrape that began before the breaker left")
                    .isEmpty();
            underWay.success();
        });
    }

    @Test
    void budgetWhoseStoreDoesNotAnswer_keepsItsGauges_whichShowNothing() {
        StoreThatGoesAway store = new StoreThatGoesAway();
        context.withBean(Ledger.class, () -> store)
                .withPropertyValues(
                        "guardedby.breakers.llm.budgets.all.calls=10",
                        "guardedby.breakers.llm.budgets.all.window=lifetime")
                .run(started -> {
                    MeterRegistry meters = meters(started);
                    registry(started).get("llm").run(() -> {});

                    store.away(true);
                    scrape(meters);
                    assertThat(gauges(meters))
                            .containsExactlyInAnyOrder(
                                    "guardedby.budget.limit{budget=all,name=llm,unit=calls} NaN",
                                    "guardedby.budget.spent{budget=all,name=llm,unit=calls} NaN",
                                    "guardedby.budget.held{budget=all,name=llm,unit=calls} NaN");
                    store.away(false);
                    scrape(meters);
                    assertThat(gauges(meters)).contains("guardedby.budget.spent{budget=all,name=llm,unit=calls} 1.0");
                });
    }

    private static void scrape(MeterRegistry meters) {
        meters.getMeters().forEach(meter -> meter.measure().forEach(measured -> measured.getValue()));
    }

    private static List<String> gauges(MeterRegistry meters) {
        return meters.getMeters().stream()
                .filter(meter -> meter.getId().getName().startsWith("guardedby.budget."))
                .map(meter -> meter.getId().getName()
                        + meter.getId().getTags().stream()
                                .map(tag -> tag.getKey() + "=" + tag.getValue())
                                .collect(Collectors.joining(",", "{", "} "))
                        + meter.measure().iterator().next().getValue())
                .toList();
    }

    private static String meterOf(String field) {
        if (field.equals("state")) {
            return "guardedby.state";
        }
        String dotted = Arrays.stream(field.split("(?=[A-Z])"))
                .map(word -> word.toLowerCase(java.util.Locale.ROOT))
                .collect(Collectors.joining("."));
        return "guardedby.stats." + (dotted.startsWith("last.") ? dotted.replaceAll("\\.at$", ".age") : dotted);
    }

    @Test
    void allMeters_areThereBeforeTheFirstCall() {
        context.run(started -> {
            registry(started).get("llm");

            assertThat(meters(started).getMeters().stream()
                            .filter(meter -> !meter.getId().getName().startsWith("guardedby.stats."))
                            .map(MetricsTest::shown))
                    .containsExactlyInAnyOrder(
                            "guardedby.calls{name=llm, outcome=failure} 0",
                            "guardedby.calls{name=llm, outcome=ignored} 0",
                            "guardedby.calls{name=llm, outcome=success} 0",
                            "guardedby.cost{confidence=estimated, name=llm} 0",
                            "guardedby.cost{confidence=hold, name=llm} 0",
                            "guardedby.cost{confidence=reported, name=llm} 0",
                            "guardedby.rejections{name=llm, reason=held_open} 0",
                            "guardedby.rejections{name=llm, reason=open} 0",
                            "guardedby.rejections{name=llm, reason=probing} 0",
                            "guardedby.rejections{name=llm, reason=ramp_up} 0",
                            "guardedby.rejections{name=llm, reason=budget} 0",
                            "guardedby.stale{name=llm} 0",
                            "guardedby.state{name=llm, state=closed} 1",
                            "guardedby.state{name=llm, state=half_open} 0",
                            "guardedby.state{name=llm, state=open} 0",
                            "guardedby.tokens{direction=input, name=llm} 0",
                            "guardedby.tokens{direction=output, name=llm} 0",
                            "guardedby.transitions{cause=failures, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=failure_rate, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=slow_call_rate, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=trip, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=force_open, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=hold_open, from=closed, name=llm, to=open} 0",
                            "guardedby.transitions{cause=wait_over, from=open, name=llm, to=half_open} 0",
                            "guardedby.transitions{cause=force_close, from=open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=reset, from=open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=mode, from=open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=probes_succeeded, from=half_open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=force_close, from=half_open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=reset, from=half_open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=mode, from=half_open, name=llm, to=closed} 0",
                            "guardedby.transitions{cause=probes_failed, from=half_open, name=llm, to=open} 0",
                            "guardedby.transitions{cause=force_open, from=half_open, name=llm, to=open} 0",
                            "guardedby.transitions{cause=hold_open, from=half_open, name=llm, to=open} 0");
        });
    }

    @Test
    void oneOutage_inMeters() {
        context.withPropertyValues("guardedby.breakers.llm.failure-threshold=2").run(started -> {
            CircuitBreaker llm = registry(started).get("llm");
            llm.call(Cost.usd("0.02"), permit -> {
                now.addAndGet(TimeUnit.MILLISECONDS.toNanos(30));
                permit.recordCost(10, 5, new BigDecimal("0.0183"));
                return "ok";
            });
            Permit late = llm.acquire();
            fail(llm);
            fail(llm);
            assertThat(llm.tryAcquire()).isEmpty();
            late.success();
            now.addAndGet(WAIT.toNanos());
            try (Permit probe = llm.acquire()) {
                assertThat(llm.tryAcquire()).isEmpty();
                probe.ignore();
            }

            assertThat(meters(started).getMeters().stream()
                            .map(MetricsTest::shown)
                            .filter(meter -> !meter.endsWith(" 0") && !meter.contains("guardedby.stats.last.")))
                    .containsExactlyInAnyOrder(
                            "guardedby.calls{name=llm, outcome=success} 2",
                            "guardedby.calls{name=llm, outcome=failure} 2",
                            "guardedby.calls{name=llm, outcome=ignored} 1",
                            "guardedby.rejections{name=llm, reason=open} 1",
                            "guardedby.rejections{name=llm, reason=probing} 1",
                            "guardedby.stale{name=llm} 1",
                            "guardedby.tokens{direction=input, name=llm} 10",
                            "guardedby.tokens{direction=output, name=llm} 5",
                            "guardedby.cost{confidence=reported, name=llm} 0.0183",
                            "guardedby.state{name=llm, state=half_open} 1",
                            "guardedby.transitions{cause=failures, from=closed, name=llm, to=open} 1",
                            "guardedby.transitions{cause=wait_over, from=open, name=llm, to=half_open} 1",
                            "guardedby.stats.total.successes{name=llm} 2",
                            "guardedby.stats.total.failures{name=llm} 2",
                            "guardedby.stats.total.ignored{name=llm} 1",
                            "guardedby.stats.total.rejected{name=llm} 2",
                            "guardedby.stats.total.input.tokens{name=llm} 10",
                            "guardedby.stats.total.output.tokens{name=llm} 5",
                            "guardedby.stats.total.estimated.cost{name=llm} 0.0183",
                            "guardedby.stats.consecutive.failures{name=llm} 2",
                            "guardedby.stats.stale{name=llm} 1",
                            "guardedby.stats.times.opened{name=llm} 1",
                            "guardedby.stats.times.half.opened{name=llm} 1",
                            "guardedby.stats.time.closed{name=llm} 0.03",
                            "guardedby.stats.time.open{name=llm} 300");
            assertThat(timer(started, "success").totalTime(TimeUnit.MILLISECONDS))
                    .isEqualTo(30);
        });
    }

    @Test
    void ages_areSecondsByTheWallClock_andNaNForNever() {
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        Instant failedAt = Instant.parse("2026-11-23T10:15:30Z");
        CircuitBreaker llm = CircuitBreaker.builder("llm")
                .clock(InstantSource.fixed(failedAt))
                .build();
        llm.recordFailure();
        new BreakerMeters(0, budget -> false)
                .publish(llm, true, meters, InstantSource.fixed(failedAt.plusMillis(12_500)));

        assertThat(meters.get("guardedby.stats.last.failure.age").timeGauge().value(TimeUnit.SECONDS))
                .isEqualTo(12.5);
        assertThat(meters.get("guardedby.stats.last.state.change.age")
                        .timeGauge()
                        .value(TimeUnit.SECONDS))
                .isNaN();
    }

    @Test
    void everyTransition_hasItsCounter() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        context.withPropertyValues(
                        "guardedby.defaults.failure-threshold=2",
                        "guardedby.defaults.trip-exceptions=" + java.io.EOFException.class.getName())
                .run(started -> {
                    CircuitBreaker llm = registry(started).get("llm");
                    for (int i = 0; i < 20_000; i++) {
                        step(llm, random.nextInt(11));
                    }

                    double counted = meters(started).get("guardedby.transitions").functionCounters().stream()
                            .mapToDouble(counter -> counter.count())
                            .sum();
                    var stats = llm.stats();
                    assertThat(counted).as("seed %d", seed).isEqualTo((double)
                            (stats.timesOpened() + stats.timesHalfOpened() + stats.timesClosed()));
                });
    }

    private void step(CircuitBreaker llm, int what) {
        switch (what) {
            case 0, 1, 2 -> llm.tryAcquire().ifPresent(permit -> permit.failure(new IllegalStateException()));
            case 3 -> llm.tryAcquire().ifPresent(permit -> permit.failure(new java.io.EOFException()));
            case 4, 5 -> llm.tryAcquire().ifPresent(Permit::success);
            case 6 -> {
                now.addAndGet(WAIT.toNanos());
                llm.state();
            }
            case 7 -> llm.forceOpen();
            case 8 -> llm.holdOpen();
            case 9 -> {
                llm.reset();
                llm.forceOpen();
                llm.forceClose();
            }
            default -> {
                llm.mode(Mode.DISABLED);
                llm.mode(Mode.ENFORCE);
            }
        }
    }

    @Test
    void callsBeforeTheMeterRegistryExists_areNotLost() {
        without.withBean(AtomicLong.class, () -> now)
                .withBean(EarlyCaller.class)
                .withUserConfiguration(RegistryThatCalls.class)
                .run(started -> {
                    Timer success = timer(started, "success");
                    assertThat(success.count()).isEqualTo(3);
                    assertThat(success.totalTime(TimeUnit.NANOSECONDS)).isEqualTo(17);
                    assertThat(success.max(TimeUnit.NANOSECONDS)).isEqualTo(10);
                });
    }

    /** A meter registry that needs a guarded bean. */
    @Configuration(proxyBeanMethods = false)
    static class RegistryThatCalls {
        @Bean
        SimpleMeterRegistry meters(EarlyCaller caller) {
            assertThat(caller.breaker.stats().totalSuccesses()).isEqualTo(3);
            return new SimpleMeterRegistry();
        }
    }

    static class EarlyCaller {
        final CircuitBreaker breaker;

        EarlyCaller(CircuitBreakerRegistry registry, AtomicLong now) {
            breaker = registry.get("llm");
            for (long nanos : new long[] {3, 4, 10}) {
                breaker.run(() -> now.addAndGet(nanos));
            }
        }
    }

    @Test
    void resultsWithoutAPermit_areCountedInTheStats_andNotTimed() {
        context.run(started -> {
            CircuitBreaker llm = registry(started).get("llm");
            llm.run(() -> now.addAndGet(20));
            llm.recordSuccess();
            llm.recordFailure();

            assertThat(timer(started, "success").count()).isEqualTo(1);
            assertThat(timer(started, "success").mean(TimeUnit.NANOSECONDS)).isEqualTo(20);
            assertThat(timer(started, "failure").count()).isZero();
            assertThat(llm.stats().totalSuccesses()).isEqualTo(2);
            assertThat(llm.stats().totalFailures()).isEqualTo(1);
        });
    }

    @Test
    void breakerThatJoinsLater_getsMeters_andOneThatLeaves_losesThem() {
        context.run(started -> {
            CircuitBreakerRegistry registry = registry(started);
            CircuitBreaker first = registry.get("llm");
            registry.get("other");
            registry.remove("llm");
            first.acquire().success();
            assertThat(names(started)).containsExactly("other");

            CircuitBreaker second = registry.get("llm");
            second.acquire().success();
            assertThat(names(started)).containsExactly("llm", "other");
            assertThat(timer(started, "success").count()).isEqualTo(1);
        });
    }

    @Test
    void breakerThatComesBack_isHeardAgain() {
        context.run(started -> {
            CircuitBreaker llm = registry(started).get("llm");
            llm.acquire().success();
            registry(started).remove("llm");
            registry(started).add(llm);
            llm.acquire().success();

            assertThat(timer(started, "success").count()).isEqualTo(1);
            assertThat(meters(started)
                            .get("guardedby.stats.total.successes")
                            .gauge()
                            .value())
                    .isEqualTo(2);
        });
    }

    @Test
    void costsAreCountedByHowFarTheyCanBeTrusted_andDegradationIsSeen() {
        context.withPropertyValues(
                        "guardedby.breakers.llm.budgets.daily.usd=1",
                        "guardedby.breakers.llm.budgets.daily.window=day",
                        "guardedby.breakers.llm.budgets.daily.degrade-at=50",
                        "guardedby.breakers.llm.estimate-per-call.usd=0.3")
                .run(started -> {
                    CircuitBreaker llm = registry(started).get("llm");
                    Permit told = llm.acquire();
                    told.recordCost(Cost.usd("0.1"));
                    told.success();
                    Permit guessed = llm.acquire();
                    guessed.recordCost(Cost.usd("0.05"), Confidence.ESTIMATED);
                    guessed.success();
                    assertThat(costs(started))
                            .containsExactly("estimated 0.05", "hold 0", "reported 0.1", "degraded 0");
                    llm.acquire().success();
                    llm.acquire().success();
                    assertThat(costs(started))
                            .containsExactly("estimated 0.05", "hold 0.6", "reported 0.1", "degraded 1");
                });
    }

    private static List<String> costs(ApplicationContext started) {
        List<String> costs = new ArrayList<>();
        for (String confidence : List.of("estimated", "hold", "reported")) {
            costs.add(confidence + " "
                    + shown(meters(started)
                                    .get("guardedby.cost")
                                    .tag("confidence", confidence)
                                    .functionCounter())
                            .replaceAll(".* ", ""));
        }
        costs.add("degraded "
                + shown(meters(started).get("guardedby.degraded").gauge()).replaceAll(".* ", ""));
        return costs;
    }

    @Test
    void breakerBuiltByTheApplication_hasItsStats_butNobodyListens() {
        context.withBean(CircuitBreaker.class, () -> CircuitBreaker.of("own")).run(started -> {
            started.getBean(CircuitBreaker.class).recordSuccess();
            registry(started).get("own");

            assertThat(meters(started).getMeters().stream()
                            .map(MetricsTest::shown)
                            .filter(meter -> !meter.contains("guardedby.stats.")))
                    .containsExactlyInAnyOrder(
                            "guardedby.cost{confidence=reported, name=own} 0",
                            "guardedby.stale{name=own} 0",
                            "guardedby.state{name=own, state=closed} 1",
                            "guardedby.state{name=own, state=half_open} 0",
                            "guardedby.state{name=own, state=open} 0",
                            "guardedby.tokens{direction=input, name=own} 0",
                            "guardedby.tokens{direction=output, name=own} 0");
            assertThat(meters(started)
                            .get("guardedby.stats.total.successes")
                            .gauge()
                            .value())
                    .isEqualTo(1);
        });
    }

    @Test
    void meters_stayAliveWithTheirBreaker_andLetItGoWithIt() {
        context.run(started -> {
            CircuitBreakerRegistry registry = registry(started);
            registry.get("llm").forceOpen();
            assertThat(registry.get("llm").tryAcquire()).isEmpty();
            collectGarbage(new WeakReference<>(new Object()));
            assertThat(meters(started)
                            .get("guardedby.rejections")
                            .tag("reason", "open")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
            assertThat(meters(started)
                            .get("guardedby.stats.times.opened")
                            .gauge()
                            .value())
                    .isEqualTo(1);

            WeakReference<CircuitBreaker> gone = new WeakReference<>(registry.get("llm"));
            registry.remove("llm");
            collectGarbage(gone);
            assertThat(gone.get()).isNull();
        });
    }

    private static void collectGarbage(WeakReference<?> example) {
        for (int i = 0; i < 100 && example.get() != null; i++) {
            System.gc();
        }
    }

    @Test
    void costsThatCouldNotBeBooked_areCountedForTheirBreaker() {
        context.withConfiguration(
                        AutoConfigurations.of(MetricsAutoConfiguration.class, GuardedByAopAutoConfiguration.class))
                .withBean(Priced.class)
                .run(started -> {
                    started.getBean(Priced.class).call("no price");
                    started.getBean(Priced.class).call("1.5");
                    started.getBean(Priced.class).unpriced();
                    started.getBean(CostRecorder.class).record(Cost.ZERO);

                    assertThat(meters(started).find("guardedby.cost.lost").functionCounters())
                            .extracting(counter -> counter.getId().getTags() + " " + counter.count())
                            .containsExactly("[tag(name=priced), tag(reason=expression)] 1.0");
                });
    }

    static class Priced {
        @GuardedBy(name = "priced", cost = "new java.math.BigDecimal(#a0)")
        public void call(String price) {}

        @GuardedBy("unpriced") public void unpriced() {}
    }

    @Test
    void compositeMeterRegistry_getsAllMetersOnce() {
        without.withBean("a", SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .withBean("b", SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .withConfiguration(AutoConfigurations.of(
                        MetricsAutoConfiguration.class, CompositeMeterRegistryAutoConfiguration.class))
                .run(started -> {
                    registry(started).get("llm").acquire().success();

                    assertThat(started.getBeansOfType(MeterRegistry.class)).hasSize(3);
                    for (MeterRegistry registry :
                            started.getBeansOfType(MeterRegistry.class).values()) {
                        assertThat(registry.get("guardedby.calls")
                                        .tag("outcome", "success")
                                        .timer()
                                        .count())
                                .isEqualTo(1);
                        assertThat(registry.get("guardedby.stats.total.successes")
                                        .gauge()
                                        .value())
                                .isEqualTo(1);
                    }
                });
    }

    @Test
    void severalMeterRegistries_getAllMeters() {
        without.withBean("a", SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .withBean("b", SimpleMeterRegistry.class, () -> new SimpleMeterRegistry())
                .run(started -> {
                    registry(started).get("llm").acquire().success();

                    for (MeterRegistry registry :
                            started.getBeansOfType(MeterRegistry.class).values()) {
                        assertThat(registry.get("guardedby.calls")
                                        .tag("outcome", "success")
                                        .timer()
                                        .count())
                                .isEqualTo(1);
                    }
                });
    }

    @Test
    void withoutMeterRegistry_nobodyListensOrReadsAClock() {
        AtomicLong reads = new AtomicLong();
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        GuardedByAutoConfiguration.class, GuardedByMetricsAutoConfiguration.class))
                .withBean("guardedByTicker", LongSupplier.class, () -> reads::incrementAndGet)
                .run(started -> {
                    CircuitBreaker llm = registry(started).get("llm");
                    long before = reads.get();
                    assertThat(llm.call(() -> "guarded")).isEqualTo("guarded");
                    assertThat(reads.get()).isEqualTo(before);
                });
    }

    @Test
    void withoutMicrometer_theApplicationStartsAndGuards() {
        context.withClassLoader(new FilteredClassLoader("io.micrometer")).run(started -> {
            CircuitBreaker llm = registry(started).get("llm");
            assertThat(llm.call(() -> "guarded")).isEqualTo("guarded");
            assertThat(started).doesNotHaveBean(MeteredBreakers.class);
        });
    }

    @Test
    void switchedOff_publishesNothing() {
        context.withPropertyValues("guardedby.enabled=false").run(started -> {
            registry(started).get("llm").recordFailure();

            assertThat(meters(started).getMeters()).isEmpty();
        });
    }

    private static void fail(CircuitBreaker breaker) {
        breaker.acquire().failure(new IllegalStateException());
    }

    private static CircuitBreakerRegistry registry(ApplicationContext started) {
        return started.getBean(CircuitBreakerRegistry.class);
    }

    private static MeterRegistry meters(ApplicationContext started) {
        return started.getBean(MeterRegistry.class);
    }

    private static Timer timer(ApplicationContext started, String outcome) {
        return meters(started)
                .get("guardedby.calls")
                .tags("name", "llm", "outcome", outcome)
                .timer();
    }

    private static List<String> names(ApplicationContext started) {
        return meters(started).getMeters().stream()
                .map(meter -> String.valueOf(meter.getId().getTag("name")))
                .distinct()
                .sorted()
                .toList();
    }

    private static String shown(Meter meter) {
        String tags = meter.getId().getTags().stream()
                .map(tag -> tag.getKey() + "=" + tag.getValue())
                .collect(Collectors.joining(", "));
        double value = meter.measure().iterator().next().getValue();
        String number = value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
        return meter.getId().getName() + "{" + tags + "} " + number;
    }
}
