package dev.guardedby.circuitbreaker;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** Keeps the breakers of up to so many keys for ever, and writes down what it is told about them. */
final class KeptInAMap implements KeyedBreakers {
    final Map<String, CircuitBreaker> kept = new ConcurrentHashMap<>();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final int most;
    Runnable beforeKeeping = () -> {};
    /** Once. */
    Runnable beforeAll = () -> {};

    Runnable whenTold = () -> {};

    KeptInAMap(int most) {
        this.most = most;
    }

    @Override
    public Optional<CircuitBreaker> find(String key) {
        return Optional.ofNullable(kept.get(key));
    }

    @Override
    public CircuitBreaker keep(String key, Supplier<CircuitBreaker> made) {
        CircuitBreaker present = kept.get(key);
        if (present != null) {
            // Another thread has been quicker, perhaps with the last place.
            return present;
        }
        if (kept.size() >= most) {
            return kept.values().iterator().next().parent().orElseThrow();
        }
        CircuitBreaker breaker = made.get();
        beforeKeeping.run();
        CircuitBreaker earlier = kept.putIfAbsent(key, breaker);
        return earlier == null ? breaker : earlier;
    }

    @Override
    public Collection<CircuitBreaker> all() {
        Runnable once = beforeAll;
        beforeAll = () -> {};
        once.run();
        return kept.values();
    }

    @Override
    public int size() {
        return kept.size();
    }

    @Override
    public void changed(CircuitBreaker breaker) {
        whenTold.run();
        told.add(breaker.key().orElseThrow() + (breaker.isIdle() ? " is idle" : " remembers"));
    }

    /** What it was told since it was last asked. */
    List<String> told() {
        List<String> lines = new ArrayList<>(told);
        told.clear();
        return lines;
    }
}
