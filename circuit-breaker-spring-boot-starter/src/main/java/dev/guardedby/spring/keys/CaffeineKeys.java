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
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the breakers of one name's keys, no more than so many, and forgets none whose memories may still matter.
 *
 * <p>Who is who and who is kept are two questions. {@code alive} answers the first: it holds each breaker weakly, so that
 * there is one at most for a key as long as anybody, a call in flight above all, holds it. The second has two answers. A
 * breaker that is open or counting is in {@code busy}, and stays until that is over, or until it {@linkplain
 * CircuitBreaker#isForgettable(Duration) can no longer matter} because nobody calls it any more; all others are in {@code idle},
 * which forgets those that are called least, or have not been called for an hour. The room of the idle ones is what the
 * busy ones leave of the bound. One place excludes the other: a breaker changes places under the lock that {@code busy} has for
 * its key, where nothing runs but Caffeine and the ticker.
 *
 * <p>Nobody tells when time makes something forgettable. So whoever comes with a new key, or changes what a breaker
 * remembers, looks at the next few of the busy ones, in turn.
 *
 * <p>When the busy ones take all of the room, calls with further keys go through the breaker of the name, which they share,
 * until there is room again. So whoever makes keys up gets neither memory nor a breaker without a past, and takes the room
 * from others only as long as their calls go on.
 */
final class CaffeineKeys implements KeyedBreakers {
    private static final Log LOG = LogFactory.getLog("dev.guardedby");
    private static final Duration IDLE_TIME = Duration.ofHours(1);
    // More than one for each that comes, or those that went by themselves would pile up in the queue.
    private static final int SEEN_AT_ONCE = 8;

    private final CircuitBreaker parent;
    private final int most;
    private final LongSupplier ticker;
    private final LongAdder overflow;
    private final Cache<String, CircuitBreaker> alive =
            Caffeine.newBuilder().weakValues().executor(Runnable::run).build();
    private final Cache<String, CircuitBreaker> idle;
    private final Policy.Eviction<String, CircuitBreaker> room;
    private final ConcurrentMap<String, Busy> busy = new ConcurrentHashMap<>();
    /** Those of {@code busy} and a few that are no longer there, the longest unseen first. */
    private final Queue<Busy> unseen = new ConcurrentLinkedQueue<>();
    /** Places taken in {@code busy}: before what they are for is put there, so that there are never too many. */
    private final AtomicInteger taken = new AtomicInteger();

    private final AtomicBoolean warned = new AtomicBoolean();

    /**
     * A keeper without keys.
     *
     * @param parent the breaker of the name
     * @param most how many it keeps
     * @param ticker the time by which they are forgotten
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
    }

    @Override
    public Optional<CircuitBreaker> find(String key) {
        return Optional.ofNullable(alive.getIfPresent(key));
    }

    @Override
    public Optional<CircuitBreaker> findForCall(String key) {
        CircuitBreaker known = idle.getIfPresent(key);
        if (known == null) {
            Busy one = busy.get(key);
            if (one != null) {
                one.calledAt = ticker.getAsLong();
                known = one.breaker;
            }
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
    public CircuitBreaker keep(String key, Supplier<CircuitBreaker> made) {
        letGoOfSome();
        CircuitBreaker kept = alive.getIfPresent(key);
        if (kept == null) {
            if (taken.get() >= most) {
                overflow.increment();
                warnOnce();
                return parent;
            }
            CircuitBreaker breaker = made.get();
            CircuitBreaker earlier = alive.asMap().putIfAbsent(key, breaker);
            kept = earlier == null ? breaker : earlier;
        }
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
        letGoOfSome();
        place(breaker);
    }

    /**
     * Puts a breaker where it belongs. Whoever changes it comes here afterwards, and one at a time: so the last to ask whether
     * it is idle knows of the last change.
     */
    private void place(CircuitBreaker breaker) {
        Busy called = new Busy(breaker, ticker.getAsLong());
        Busy kept = busy.compute(
                keyOf(breaker),
                (key, present) ->
                        breaker.isIdle() ? amongIdle(key, breaker, present) : amongBusy(key, called, present));
        if (kept == called) {
            unseen.add(called);
        } else if (kept == null && taken.get() >= most) {
            // Where more failed at once than may be kept, what one has to remember is forgotten with the last of the
            // calls
            // that hold it, and further ones with that key share the breaker of the name.
            warnOnce();
        }
    }

    // These two run under the lock of the key, and answer who is to be busy with it.

    private @Nullable Busy amongIdle(String key, CircuitBreaker breaker, @Nullable Busy present) {
        if (present != null) {
            taken.decrementAndGet();
            resize();
        }
        idle.asMap().putIfAbsent(key, breaker);
        return null;
    }

    private @Nullable Busy amongBusy(String key, Busy called, @Nullable Busy present) {
        if (present != null) {
            present.calledAt = called.calledAt;
            return present;
        }
        idle.invalidate(key);
        if (!reserve()) {
            return null;
        }
        resize();
        return called;
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

    /** Looks at the busy ones that have not been looked at for longest. */
    private void letGoOfSome() {
        Busy first = null;
        for (int i = 0; i < SEEN_AT_ONCE; i++) {
            Busy one = unseen.poll();
            if (one == null) {
                return;
            }
            if (letGo(one)) {
                continue;
            }
            unseen.add(one);
            if (one == first) {
                return;
            }
            first = first == null ? one : first;
        }
    }

    /** Lets a busy one become one of the idle if it can no longer matter; answers whether it is busy no more. */
    private boolean letGo(Busy one) {
        String key = keyOf(one.breaker);
        if (busy.get(key) == one && isForgettable(one)) {
            // Asked again, for a call in between has moved the time.
            busy.computeIfPresent(
                    key,
                    (same, present) ->
                            present == one && isForgettable(one) ? amongIdle(key, one.breaker, one) : present);
        }
        return busy.get(key) != one;
    }

    private boolean isForgettable(Busy one) {
        long calledAt = one.calledAt;
        return one.breaker.isForgettable(Duration.ofNanos(ticker.getAsLong() - calledAt));
    }

    private void resize() {
        int seen;
        do {
            seen = taken.get();
            room.setMaximum(Math.max(0, most - seen));
        } while (taken.get() != seen);
    }

    private void warnOnce() {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(parent.title() + " keeps " + most
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

    /** A breaker that is open or counting. */
    private static final class Busy {
        private final CircuitBreaker breaker;
        /** When it was last asked for, or had something to remember. */
        private volatile long calledAt;

        Busy(CircuitBreaker breaker, long calledAt) {
            this.breaker = breaker;
            this.calledAt = calledAt;
        }
    }
}
