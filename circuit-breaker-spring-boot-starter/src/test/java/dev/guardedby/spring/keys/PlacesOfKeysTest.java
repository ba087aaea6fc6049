package dev.guardedby.spring.keys;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.KeyedBreakers;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two threads change one key: the second comes while the first looks at the time, at each of its looks in turn. Whatever they
 * do, the key ends in one place, the one for what it remembers.
 */
@Timeout(120)
class PlacesOfKeysTest {
    private static final int MOST = 3;
    private static final List<String> RIGHT =
            List.of("counting, kept 1 times, room for 2 others", "idle, kept 1 times, room for 3 others");

    /** Something that makes a key busy, or idle. */
    private record Act(String name, Consumer<CircuitBreaker> act) {
        static final List<Act> ALL =
                List.of(new Act("failure", CircuitBreaker::recordFailure), new Act("reset", CircuitBreaker::reset));
    }

    private @Nullable Runnable atEachLook;

    private long look() {
        Runnable present = atEachLook;
        if (present != null) {
            present.run();
        }
        return 7;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void keyHasOnePlace_whereverTwoChangesMeet(int failuresBefore) throws InterruptedException {
        List<String> wrong = new ArrayList<>();
        for (Act first : Act.ALL) {
            for (Act second : Act.ALL) {
                int looks;
                int met = 0;
                do {
                    CircuitBreaker key = key(failuresBefore);
                    looks = meet(key, first, second, ++met);
                    String places = places(key);
                    if (!RIGHT.contains(places)) {
                        wrong.add(first.name + ", met by " + second.name + " at look " + met + ": " + places);
                    }
                } while (met < looks);
                assertThat(looks).as("looks of %s", first.name).isPositive();
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void resetOfAnIdleKey_waitsForNobodyWhoForgetsOthers() throws InterruptedException {
        CircuitBreaker key = key(0);
        KeyedBreakers keys = key.parent().orElseThrow().keys().orElseThrow();
        List<Thread.State> met = new ArrayList<>();
        Thread other = new Thread(key::reset, "other");
        Thread mine = Thread.currentThread();
        atEachLook = () -> {
            if (Thread.currentThread() == mine && met.isEmpty()) {
                other.start();
                met.add(awaitEndOrLock(other));
            }
        };

        assertThat(keys.size()).isEqualTo(1);
        other.join();
        assertThat(met).containsExactly(Thread.State.TERMINATED);
    }

    private CircuitBreaker key(int failures) {
        CircuitBreaker llm = CircuitBreaker.builder("llm")
                .failureThreshold(9)
                .ticker(this::look)
                .build();
        llm.keyedBy(new CaffeineKeys(llm, MOST, this::look, new LongAdder()));
        CircuitBreaker key = llm.forKey("acme");
        for (int i = 0; i < failures; i++) {
            key.recordFailure();
        }
        return key;
    }

    /** Has the second act as far as it gets, in a thread of its own, at a look of the first; answers how often that one looked. */
    private int meet(CircuitBreaker key, Act first, Act second, int look) throws InterruptedException {
        Thread other = new Thread(() -> second.act.accept(key), "other");
        Thread mine = Thread.currentThread();
        AtomicInteger looks = new AtomicInteger();
        atEachLook = () -> {
            if (Thread.currentThread() == mine && looks.incrementAndGet() == look) {
                other.start();
                awaitEndOrLock(other);
            }
        };
        first.act.accept(key);
        atEachLook = null;
        other.join();
        return looks.get();
    }

    private static Thread.State awaitEndOrLock(Thread thread) {
        Thread.State state;
        do {
            Thread.onSpinWait();
            state = thread.getState();
        } while (state != Thread.State.TERMINATED && state != Thread.State.BLOCKED && state != Thread.State.WAITING);
        return state;
    }

    /** How the key is, how often it is kept, and for how many others that fail there is room. */
    private static String places(CircuitBreaker key) {
        CircuitBreaker llm = key.parent().orElseThrow();
        int kept = llm.keys().orElseThrow().size();
        long room = Stream.of("a", "b", "c", "d")
                .map(llm::forKey)
                .filter(other -> other != llm)
                .peek(CircuitBreaker::recordFailure)
                .count();
        return (key.isIdle() ? "idle" : "counting") + ", kept " + kept + " times, room for " + room + " others";
    }
}
