package dev.guardedby.circuitbreaker;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The breakers of an application, by name.
 *
 * <p>Thread-safe. Neither the settings function nor a listener ever runs inside a lock of the registry.
 */
public final class CircuitBreakerRegistry {
    private final Function<String, CircuitBreaker.Builder> settings;
    private final Map<String, CircuitBreaker> breakers = new ConcurrentHashMap<>();
    private final List<AddedListener> addedListeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<CircuitBreaker>> removedListeners = new CopyOnWriteArrayList<>();

    private CircuitBreakerRegistry(Function<String, CircuitBreaker.Builder> settings) {
        this.settings = settings;
    }

    /**
     * A registry that makes breakers as they are asked for.
     *
     * @param settings the builder for a name; when two threads ask for a new name at once it may run twice, and one of the
     *     two breakers is dropped before anybody sees it
     */
    public static CircuitBreakerRegistry of(Function<String, CircuitBreaker.Builder> settings) {
        return new CircuitBreakerRegistry(Objects.requireNonNull(settings, "settings"));
    }

    /**
     * The breaker of that name, made now if there is none.
     *
     * @throws IllegalArgumentException if the name is not 1 to 64 letters, digits, '.', '_' or '-', or if its settings are
     *     bad
     */
    public CircuitBreaker get(String name) {
        CircuitBreaker present = breakers.get(name);
        if (present != null) {
            return present;
        }
        CircuitBreaker made = settings.apply(Require.name(name)).build();
        if (!made.name().equals(name)) {
            throw new IllegalArgumentException("the settings for circuit breaker '" + name
                    + "' must build that name, but built '" + made.name() + "'");
        }
        CircuitBreaker earlier = breakers.putIfAbsent(name, made);
        if (earlier != null) {
            return earlier;
        }
        tellAdded(made);
        return made;
    }

    /** The breaker of that name, if there is one; makes none. */
    public Optional<CircuitBreaker> find(String name) {
        return Optional.ofNullable(breakers.get(name));
    }

    /**
     * The breaker of a key, if the breaker of that name has one at present; makes none.
     *
     * @see CircuitBreaker#forKey
     */
    public Optional<CircuitBreaker> find(String name, String key) {
        return find(name).flatMap(CircuitBreaker::keys).flatMap(keys -> keys.find(key));
    }

    /** All breakers there are now, sorted by name, one a name; a copy. */
    public Collection<CircuitBreaker> all() {
        return breakers.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(Map.Entry::getValue)
                .toList();
    }

    /**
     * Adds a breaker that was built elsewhere; adding it again is a no-op.
     *
     * @throws IllegalArgumentException if another breaker has that name
     */
    public void add(CircuitBreaker breaker) {
        CircuitBreaker earlier = breakers.putIfAbsent(breaker.name(), breaker);
        if (earlier == null) {
            tellAdded(breaker);
        } else if (earlier != breaker) {
            throw new IllegalArgumentException(
                    "name must be unique in a registry, but another circuit breaker is called '" + breaker.name()
                            + "'");
        }
    }

    /** Takes the breaker of that name out, and answers it; calls that hold it go on with it. */
    public Optional<CircuitBreaker> remove(String name) {
        CircuitBreaker removed = breakers.remove(name);
        if (removed != null) {
            addedListeners.forEach(listener -> listener.told.remove(removed));
            tellRemoved(removed);
        }
        return Optional.ofNullable(removed);
    }

    /** Tells the listener of each breaker, those already there included, once. What it throws is logged. */
    public void onAdded(Consumer<CircuitBreaker> listener) {
        AddedListener added = new AddedListener(Objects.requireNonNull(listener, "listener"));
        // Listening first and looking after: a breaker that comes in between is met twice, and told once.
        addedListeners.add(added);
        all().forEach(breaker -> tell(added, breaker));
    }

    /** Tells the listener of each breaker that is taken out from now on. What it throws is logged. */
    public void onRemoved(Consumer<CircuitBreaker> listener) {
        removedListeners.add(Objects.requireNonNull(listener, "listener"));
    }

    private void tellAdded(CircuitBreaker breaker) {
        addedListeners.forEach(listener -> tell(listener, breaker));
    }

    private void tell(AddedListener listener, CircuitBreaker breaker) {
        if (isPresent(breaker) && listener.told.add(breaker)) {
            tell(listener.listener, breaker);
            if (!isPresent(breaker) && listener.told.remove(breaker)) {
                // Taken out meanwhile, perhaps before this listener had heard of it: the last word must be that it is
                // gone.
                tellRemoved(breaker);
            }
        }
    }

    private void tellRemoved(CircuitBreaker breaker) {
        removedListeners.forEach(listener -> tell(listener, breaker));
    }

    private static void tell(Consumer<CircuitBreaker> listener, CircuitBreaker breaker) {
        try {
            listener.accept(breaker);
        } catch (Throwable broken) {
            Deliveries.warn("A listener of the circuit breaker registry threw over '" + breaker.name() + "'", broken);
        }
    }

    private boolean isPresent(CircuitBreaker breaker) {
        return breakers.get(breaker.name()) == breaker;
    }

    private static final class AddedListener {
        final Consumer<CircuitBreaker> listener;
        final Set<CircuitBreaker> told = ConcurrentHashMap.newKeySet();

        AddedListener(Consumer<CircuitBreaker> listener) {
            this.listener = listener;
        }
    }
}
