package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerListener;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.circuitbreaker.Refusal;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.spring.CircuitBreakerCustomizer;
import dev.guardedby.spring.config.ConfiguredBreakers;
import dev.guardedby.spring.config.ConfiguredBreakers.ConfiguredBudget;
import dev.guardedby.spring.keys.Keys;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.time.InstantSource;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * Gives every breaker its meters, from the day it joins the registry to the day it leaves.
 *
 * <p>Breakers may be made, and called, long before the {@link MeterRegistry} exists: a bean that guards calls may even be
 * part of what the registry is made of. So each breaker counts from its first call, and its meters are published once all
 * singletons are there.
 *
 * <p>A breaker that the application builds itself has nobody inside who listens: its stats are published, but not the
 * meters of single calls, refusals and transitions.
 */
final class MeteredBreakers implements CircuitBreakerCustomizer, SmartInitializingSingleton {
    private final ObjectProvider<CircuitBreakerRegistry> breakers;
    private final ObjectProvider<MeterRegistry> registries;
    private final InstantSource clock;
    private final ConfiguredBreakers configured;
    private final ObjectProvider<Keys> keys;
    // Weak, because a breaker that has left the registry may still report, or come back.
    private final Map<CircuitBreaker, BreakerMeters> meters = Collections.synchronizedMap(new WeakHashMap<>());

    private final Set<String> told = ConcurrentHashMap.newKeySet();

    /**
     * No meters yet.
     *
     * @param configured says how many keys of a breaker get series of their own, and which budgets are shared
     * @param keys tells which breakers have keys
     */
    MeteredBreakers(
            ObjectProvider<CircuitBreakerRegistry> breakers,
            ObjectProvider<MeterRegistry> registries,
            InstantSource clock,
            ConfiguredBreakers configured,
            ObjectProvider<Keys> keys) {
        this.breakers = breakers;
        this.registries = registries;
        this.clock = clock;
        this.configured = configured;
        this.keys = keys;
    }

    @Override
    public void customize(String name, CircuitBreaker.Builder breaker) {
        told.add(name);
        breaker.listener(new Recorder());
    }

    @Override
    public void afterSingletonsInstantiated() {
        MeterRegistry registry = registries.getIfUnique(this::all);
        CircuitBreakerRegistry present = breakers.getObject();
        keys.ifAvailable(known -> known.onKeyed((breaker, counts) -> of(breaker).keyed(breaker, counts, registry)));
        present.onAdded(breaker -> publish(breaker, registry));
        present.onRemoved(breaker -> {
            of(breaker).withdraw(registry);
            // One of the same name may have joined already, and found the meters taken.
            present.find(breaker.name()).ifPresent(successor -> publish(successor, registry));
        });
    }

    private MeterRegistry all() {
        CompositeMeterRegistry all = new CompositeMeterRegistry();
        registries.orderedStream().forEach(all::add);
        return all;
    }

    private void publish(CircuitBreaker breaker, MeterRegistry registry) {
        of(breaker).publish(breaker, told.contains(breaker.name()), registry, clock);
    }

    private BreakerMeters of(CircuitBreaker breaker) {
        return meters.computeIfAbsent(breaker, key -> made(key.name()));
    }

    private BreakerMeters made(String name) {
        return new BreakerMeters(
                configured.tagKeys(name),
                budget -> configured
                        .budget(name, budget)
                        .map(ConfiguredBudget::shared)
                        .orElse(false));
    }

    /**
     * Tells the meters of one breaker what it and those of its keys do; which breaker that is, it learns from the first event.
     */
    private final class Recorder implements CircuitBreakerListener {
        private volatile @Nullable BreakerMeters mine;

        @Override
        public void onResult(CircuitBreaker breaker, Outcome outcome, long durationNanos, @Nullable Throwable failure) {
            meters(breaker).result(breaker, outcome, durationNanos);
        }

        @Override
        public void onRefused(CircuitBreaker breaker, Refusal refusal) {
            meters(breaker).refused(breaker, refusal.reason());
        }

        @Override
        public void onTransition(Transition transition) {
            meters(transition.breaker()).moved(transition);
        }

        @Override
        public void onCost(CircuitBreaker breaker, Cost cost, Confidence confidence) {
            meters(breaker).cost(cost, confidence);
        }

        @Override
        public boolean wantsDurations() {
            return true;
        }

        private BreakerMeters meters(CircuitBreaker breaker) {
            BreakerMeters known = mine;
            if (known == null) {
                known = of(breaker.parent().orElse(breaker));
                mine = known;
            }
            return known;
        }
    }
}
