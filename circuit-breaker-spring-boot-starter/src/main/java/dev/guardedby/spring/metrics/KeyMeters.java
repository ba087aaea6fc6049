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

    private Counts made(String key) {
        Counts counts = new Counts();
        String tag;
        Place at;
        synchronized (this) {
            int own = byKey.size() - (byKey.containsKey(OTHER) ? 1 : 0);
            tag = byKey.containsKey(key) || own < most ? key : OTHER;
            Counts earlier = byKey.putIfAbsent(tag, counts);
            if (earlier != null) {
                return earlier;
            }
            at = place;
        }
        if (at != null) {
            publish(at, tag, counts);
        }
        return counts;
    }

    /**
     * Registers the meters.
     *
     * @param breaker the breaker of the name
     * @param isShared whether a budget of that name is none of a key itself
     */
    void publish(CircuitBreaker breaker, Predicate<String> isShared, Tags tags, MeterRegistry registry) {
        Place at = new Place(breaker, isShared, tags, registry);
        synchronized (this) {
            place = at;
        }
        byKey.forEach((key, counts) -> publish(at, key, counts));
    }

    // Without the lock: a registry asks filters and tells listeners of the application.
    private void publish(Place at, String key, Counts counts) {
        List<Meter> meters = new ArrayList<>();
        Tags tags = at.tags.and("key", key);
        counts.results.forEach((outcome, count) -> meters.add(BreakerMeters.counter(
                "guardedby.key.calls",
                "Finished calls with a key",
                tags.and("outcome", BreakerMeters.word(outcome)),
                count,
                at.registry)));
        counts.refusals.forEach((reason, count) -> meters.add(BreakerMeters.counter(
                "guardedby.key.rejections",
                "Refused calls with a key",
                tags.and("reason", BreakerMeters.word(reason)),
                count,
                at.registry)));
        if (!keep(at, key, tags, meters)) {
            meters.forEach(at.registry::remove);
        }
    }

    /** Keeps meters to take them away again; false if those of that place are to go already. */
    private synchronized boolean keep(Place at, String key, Tags tags, List<Meter> meters) {
        if (!at.equals(place)) {
            return false;
        }
        published.addAll(meters);
        if (!key.equals(OTHER)) {
            budgets.add(BudgetMeters.ofKey(at.breaker, key, at.isShared, tags, at.registry));
        }
        return true;
    }

    /** Looks whether there are other budgets now. */
    void follow() {
        budgets.forEach(BudgetMeters::follow);
    }

    void withdraw(MeterRegistry registry) {
        List<Meter> meters;
        List<BudgetMeters> ofBudgets;
        synchronized (this) {
            place = null;
            meters = List.copyOf(published);
            ofBudgets = List.copyOf(budgets);
            published.clear();
            budgets.clear();
        }
        meters.forEach(registry::remove);
        ofBudgets.forEach(BudgetMeters::withdraw);
    }
}
