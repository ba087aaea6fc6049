package dev.guardedby.spring.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Keeps the breakers of one name's keys, no more than so many, and forgets none that has something to remember.
 *
 * <p>Who is who and who is kept are two questions. {@code alive} answers the first: it holds each breaker weakly, so that
 * there is one at most for a key as long as anybody, a call in flight above all, holds it. The second has two answers. A
 * breaker that is open or counting is in {@code busy}, and stays until that is over; one that is {@linkplain
 * CircuitBreaker#isIdle() idle} is in {@code idle}, which forgets those that are called least, or have not been called for
 * an hour. The room of the idle ones is what the busy ones leave of the bound.
 *
 * <p>When the busy ones take all of it, calls with further keys go through the breaker of the name, which they share, until
 * there is room again. So whoever makes keys up gets neither memory nor a breaker without a past.
 */
final class CaffeineKeys implements KeyedBreakers {
    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    private static final Duration IDLE_TIME = Duration.ofHours(1);
    // Looking through all of them takes too long to do it for every call that finds no room.
    private static final long SWEEP_NANOS = Duration.ofSeconds(1).toNanos();

    private final CircuitBreaker parent;
    private final int most;
    private final LongSupplier ticker;
    private final LongAdder overflow;
    private final Cache<String, CircuitBreaker> alive =
            Caffeine.newBuilder().weakValues().executor(Runnable::run).build();
    private final Cache<String, CircuitBreaker> idle;
    private final Policy.Eviction<String, CircuitBreaker> room;
    private final Map<String, CircuitBreaker> busy = new ConcurrentHashMap<>();
    /** Places taken in {@code busy}: before what they are for is put there, so that there are never too many. */
    private final AtomicInteger taken = new AtomicInteger();

    private final AtomicLong sweptAt;
    private final AtomicBoolean warned = new AtomicBoolean();

    /**
     * A keeper without keys.
     *
     * @param parent the breaker of the name
     * @param most how many it keeps
     * @param ticker the time by which idle ones are forgotten
     * @param overflow counts the calls for which there is no room
     */
    CaffeineKeys(CircuitBreaker parent, int most, LongSupplier ticker, LongAdder overflow) {
        this.parent = parent;
        this.most = most;
        this.ticker = ticker;
        this.overflow = overflow;
        this.idle = Caffeine.newBuilder()
                .maximumSize(most)
                .expireAfterAccess(IDLE_TIME)
                .ticker(ticker::getAsLong)
                .executor(Runnable::run)
                .build();
        this.room = idle.policy().eviction().orElseThrow();
        this.sweptAt = new AtomicLong(ticker.getAsLong());
    }

    @Override
    public Optional<CircuitBreaker> find(String key) {
        CircuitBreaker known = idle.getIfPresent(key);
        if (known == null) {
            known = busy.get(key);
        }
        if (known == null) {
            known = alive.getIfPresent(key);
            if (known != null) {
                place(known);
            }
        }
        return Optional.ofNullable(known);
    }

    @Override
    public CircuitBreaker keep(CircuitBreaker made) {
        String key = keyOf(made);
        if (isFull()) {
            CircuitBreaker known = alive.getIfPresent(key);
            if (known == null) {
                overflow.increment();
                warnOnce();
                return parent;
            }
        }
        CircuitBreaker earlier = alive.asMap().putIfAbsent(key, made);
        CircuitBreaker kept = earlier == null ? made : earlier;
        place(kept);
        return kept;
    }

    @Override
    public Collection<CircuitBreaker> all() {
        // A copy: the size of the view counts what is collected already.
        List<CircuitBreaker> all = new ArrayList<>();
        alive.asMap().values().forEach(all::add);
        return all;
    }

    @Override
    public int size() {
        // Whoever looks lets go of what time has forgotten, for there may be no calls to do it.
        idle.cleanUp();
        alive.cleanUp();
        return taken.get() + (int) idle.estimatedSize();
    }

    @Override
    public void changed(CircuitBreaker breaker) {
        place(breaker);
    }

    /** Puts a breaker where it belongs, and looks again: whoever changed it meanwhile may have come too early. */
    private void place(CircuitBreaker breaker) {
        String key = keyOf(breaker);
        boolean isIdle;
        do {
            isIdle = breaker.isIdle();
            if (isIdle) {
                putIdle(key, breaker);
            } else {
                putBusy(key, breaker);
            }
        } while (breaker.isIdle() != isIdle);
    }

    private void putIdle(String key, CircuitBreaker breaker) {
        if (busy.remove(key, breaker)) {
            giveBack();
        }
        if (idle.getIfPresent(key) == null) {
            idle.put(key, breaker);
        }
        if (busy.containsKey(key)) {
            idle.invalidate(key);
        }
    }

    private void putBusy(String key, CircuitBreaker breaker) {
        if (busy.containsKey(key)) {
            return;
        }
        idle.invalidate(key);
        // The place is taken with the key, so that two threads with one key never take two.
        CircuitBreaker kept = busy.computeIfAbsent(key, missing -> reserve() ? breaker : null);
        if (kept == null) {
            // So many failed at once that what they have to remember is more than may be kept. It is forgotten with the
            // last of the calls that hold it, and further ones with that key share the breaker of the name.
            warnOnce();
            return;
        }
        resize();
    }

    private boolean reserve() {
        int seen;
        do {
            seen = taken.get();
            if (seen >= most) {
                return false;
            }
        } while (!taken.compareAndSet(seen, seen + 1));
        return true;
    }

    private void giveBack() {
        taken.decrementAndGet();
        resize();
    }

    private void resize() {
        int seen;
        do {
            seen = taken.get();
            room.setMaximum(Math.max(0, most - seen));
        } while (taken.get() != seen);
    }

    private boolean isFull() {
        if (taken.get() < most) {
            return false;
        }
        long now = ticker.getAsLong();
        long last = sweptAt.get();
        if (now - last >= SWEEP_NANOS && sweptAt.compareAndSet(last, now)) {
            // Time alone may have emptied a window, or ended a ramp-up: nobody has told.
            busy.values().forEach(this::place);
        }
        return taken.get() >= most;
    }

    private void warnOnce() {
        if (warned.compareAndSet(false, true)) {
            LOG.warn("Circuit breaker '" + parent.name() + "' keeps " + most
                    + " keys that are open or counting failures, as"
                    + " many as max-keys allows: until there is room again, calls with further keys share the breaker of the"
                    + " name. If these are no made-up keys, raise guardedby.breakers."
                    + (parent.name().contains(".") ? "[" + parent.name() + "]" : parent.name())
                    + ".max-keys; to forget what they remember, reset the breaker. Further such calls are counted in"
                    + " guardedby.keys.overflow and not logged.");
        }
    }

    private static String keyOf(CircuitBreaker breaker) {
        return breaker.key().orElseThrow();
    }
}
