package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.circuitbreaker.Refusal.Reason;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The meters of single keys of one breaker: the first so many keys have their own, all others share the key {@value #OTHER}, so
 * that whoever makes keys up does not make series.
 */
final class KeyMeters {
    private static final String OTHER = "other";

    /** What one key did. */
    private static final class Counts {
        final Map<Outcome, LongAdder> results = adders(Outcome.class);
        final Map<Reason, LongAdder> refusals = adders(Reason.class);

        private static <K extends Enum<K>> Map<K, LongAdder> adders(Class<K> keys) {
            Map<K, LongAdder> adders = new EnumMap<>(keys);
            for (K key : keys.getEnumConstants()) {
                adders.put(key, new LongAdder());
            }
            return adders;
        }
    }

    /** Where the meters go, the tags that all of them have, and whose they are. */
    private record Place(CircuitBreaker breaker, Predicate<String> isShared, Tags tags, MeterRegistry registry) {}

    private final int most;
    private final Map<String, Counts> byKey = new ConcurrentHashMap<>();
    private final List<Meter> published = new ArrayList<>();
    private final List<BudgetMeters> budgets = new CopyOnWriteArrayList<>();
    private @Nullable Place place;

    KeyMeters(int most) {
        this.most = most;
    }

    void result(String key, Outcome outcome) {
        Objects.requireNonNull(of(key).results.get(outcome)).increment();
    }

    void refused(String key, Reason reason) {
        Objects.requireNonNull(of(key).refusals.get(reason)).increment();
    }

    private Counts of(String key) {
        Counts known = byKey.get(key);
        if (known == null && byKey.size() > most) {
            // The others have their meters, and nobody else gets any.
            known = byKey.get(OTHER);
        }
        return known == null ? made(key) : known;
    }

    private synchronized Counts made(String key) {
        Counts known = byKey.get(key);
        if (known != null) {
            return known;
        }
        int own = byKey.size() - (byKey.containsKey(OTHER) ? 1 : 0);
        String tag = own < most ? key : OTHER;
        Counts shared = byKey.get(tag);
        if (shared != null) {
            return shared;
        }
        Counts counts = new Counts();
        byKey.put(tag, counts);
        publish(tag, counts);
        return counts;
    }

    /**
     * Registers the meters.
     *
     * @param breaker the breaker of the name
     * @param isShared whether a budget of that name is none of a key itself
     */
    synchronized void publish(CircuitBreaker breaker, Predicate<String> isShared, Tags tags, MeterRegistry registry) {
        place = new Place(breaker, isShared, tags, registry);
        byKey.forEach(this::publish);
    }

    private void publish(String key, Counts counts) {
        if (place == null) {
            return;
        }
        Tags tags = place.tags.and("key", key);
        MeterRegistry registry = place.registry;
        counts.results.forEach((outcome, count) -> published.add(BreakerMeters.counter(
                "guardedby.key.calls",
                "Finished calls with a key",
                tags.and("outcome", BreakerMeters.word(outcome)),
                count,
                registry)));
        counts.refusals.forEach((reason, count) -> published.add(BreakerMeters.counter(
                "guardedby.key.rejections",
                "Refused calls with a key",
                tags.and("reason", BreakerMeters.word(reason)),
                count,
                registry)));
        if (!key.equals(OTHER)) {
            budgets.add(BudgetMeters.ofKey(place.breaker, key, place.isShared, tags, registry));
        }
    }

    /** Looks whether there are other budgets now. */
    void follow() {
        budgets.forEach(BudgetMeters::follow);
    }

    synchronized void withdraw(MeterRegistry registry) {
        published.forEach(registry::remove);
        published.clear();
        budgets.forEach(BudgetMeters::withdraw);
        budgets.clear();
        place = null;
    }
}
