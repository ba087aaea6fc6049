package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.Running.Slice;
import dev.guardedby.circuitbreaker.Transition.Evidence;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The life of one state, from the transition into it to the next.
 *
 * <p>Its identity is what ties a call to the time that admitted it: a result is worth something only while the breaker is
 * still in the very period that gave the permit, so a late one can do no harm. The object holds what stays true for the
 * whole life, and what the rate rules look at; what else changes within it is in {@link State}.
 */
final class Period {
    private static final AtomicReferenceFieldUpdater<Period, @Nullable FailureClass> FAILURE_CLASSES =
            AtomicReferenceFieldUpdater.newUpdater(Period.class, FailureClass.class, "failureClasses");
    // An outage has few faces; what comes after these is not worth memory that an attacker's remote can grow.
    private static final int FAILURE_CLASSES_KEPT = 16;
    private static final int FAILURE_CLASSES_SHOWN = 5;

    /** By the ticker. */
    final long startedAt;
    /** Why it began; null for a breaker's first. */
    final @Nullable Decision decision;
    /** Recoveries that have failed in a row before it. */
    final int failedRecoveries;

    /** The transition that began it; null for a breaker's first and where the state stayed. */
    final @Nullable Transition transition;

    final History history;
    private volatile @Nullable Window window;
    private volatile @Nullable Running running;
    private volatile @Nullable FailureClass failureClasses;
    private volatile @Nullable Period next;

    private Period(
            long startedAt,
            @Nullable Decision decision,
            int failedRecoveries,
            @Nullable Transition transition,
            History history) {
        this.startedAt = startedAt;
        this.decision = decision;
        this.failedRecoveries = failedRecoveries;
        this.transition = transition;
        this.history = history;
    }

    static Period first(long now) {
        return new Period(now, null, 0, null, History.NONE);
    }

    /** The period after this one; the counts of transitions move only where the state does. */
    Period successor(
            Engine engine, CircuitState from, CircuitState to, Decision decision, int nextFailedRecoveries, long now) {
        History past = history.after(from, Math.max(0, now - startedAt));
        if (from == to) {
            return new Period(now, decision, nextFailedRecoveries, null, past);
        }
        Evidence evidence = new Evidence(
                decision.rule(),
                decision.calls(),
                decision.failures(),
                decision.slow(),
                decision.hung(),
                topFailures());
        Transition moved = new Transition(engine.breaker, from, to, decision.cause(), engine.wallTime(), evidence);
        return new Period(now, decision, nextFailedRecoveries, moved, past.moved(moved));
    }

    /** What the rate rules look at; null where there are none, and outside CLOSED. */
    @Nullable Window window() {
        return window;
    }

    /** The calls under way; null without a rule for slow ones, and outside CLOSED. */
    @Nullable Running running() {
        return running;
    }

    /** Counts a call as under way, if anybody wants to know. */
    @Nullable Slice begin() {
        Running calls = running;
        return calls == null ? null : calls.begin();
    }

    /** Gives the rate rules what they look at; what fits the settings stays, and judges at the next result. */
    synchronized void watch(Engine engine, long now) {
        Settings settings = engine.settings;
        Window present = window;
        if (present != null && present.fits(settings)) {
            present.alert();
        } else {
            window = Window.of(engine, settings, now);
        }
        Duration slow = settings.slowCallDuration;
        Running calls = running;
        if (slow == null) {
            running = null;
        } else if (calls == null) {
            running = new Running(slow, now);
        } else if (!calls.fits(slow)) {
            running = calls.with(slow, now);
        }
    }

    void countFailure(Throwable failure) {
        String name = failure.getClass().getName();
        FailureClass known;
        FailureClass latest;
        do {
            known = failureClasses;
            latest = known != null && known.name.equals(name) ? known : FailureClass.latest(name, known);
        } while (latest != known && !FAILURE_CLASSES.compareAndSet(this, known, latest));
        latest.count.increment();
    }

    private Map<String, Long> topFailures() {
        List<Map.Entry<String, Long>> counts = new ArrayList<>();
        for (FailureClass one = failureClasses; one != null; one = one.next) {
            counts.add(Map.entry(one.name, one.count.sum()));
        }
        Map.Entry<String, Long> latest = counts.isEmpty() ? null : counts.get(0);
        counts.sort(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()));
        List<Map.Entry<String, Long>> most = counts.subList(0, Math.min(FAILURE_CLASSES_SHOWN, counts.size()));
        if (latest != null && !most.contains(latest)) {
            // What came last may be what decided, however rare it is.
            most.set(most.size() - 1, latest);
        }
        Map<String, Long> top = new LinkedHashMap<>();
        for (Map.Entry<String, Long> count : most) {
            top.put(count.getKey(), count.getValue());
        }
        return Collections.unmodifiableMap(top);
    }

    /** Makes the period that followed known to whoever delivers transitions. */
    void followedBy(Period successor) {
        next = successor;
    }

    /**
     * The period that followed, once. Cutting the link keeps a hung call, which holds its period, from holding all later
     * ones.
     */
    @Nullable Period takeNext() {
        Period taken = next;
        if (taken != null) {
            next = null;
        }
        return taken;
    }

    /**
     * How often exceptions of one class failed calls: a link of a chain that never changes, the latest first. When it is full,
     * the class that failed longest ago is forgotten: an outage must be in its own evidence, however many rare exceptions
     * came before.
     */
    private static final class FailureClass {
        final String name;
        final LongAdder count;
        final @Nullable FailureClass next;

        private FailureClass(String name, LongAdder count, @Nullable FailureClass next) {
            this.name = name;
            this.count = count;
            this.next = next;
        }

        static FailureClass latest(String name, @Nullable FailureClass chain) {
            LongAdder count = new LongAdder();
            Deque<FailureClass> others = new ArrayDeque<>();
            for (FailureClass one = chain; one != null; one = one.next) {
                if (one.name.equals(name)) {
                    count = one.count;
                } else if (others.size() < FAILURE_CLASSES_KEPT - 1) {
                    others.push(one);
                }
            }
            FailureClass next = null;
            for (FailureClass one : others) {
                next = new FailureClass(one.name, one.count, next);
            }
            return new FailureClass(name, count, next);
        }
    }

    /** What a breaker had been through when a period began. */
    static final class History {
        static final History NONE = new History(0, 0, 0, 0, 0, 0, List.of());
        private static final int TRANSITIONS_KEPT = 20;

        final long timesOpened;
        final long timesHalfOpened;
        final long timesClosed;
        final long closedNanos;
        final long openNanos;
        final long halfOpenNanos;
        /** The oldest first. */
        final List<Transition> transitions;

        private History(
                long timesOpened,
                long timesHalfOpened,
                long timesClosed,
                long closedNanos,
                long openNanos,
                long halfOpenNanos,
                List<Transition> transitions) {
            this.timesOpened = timesOpened;
            this.timesHalfOpened = timesHalfOpened;
            this.timesClosed = timesClosed;
            this.closedNanos = closedNanos;
            this.openNanos = openNanos;
            this.halfOpenNanos = halfOpenNanos;
            this.transitions = transitions;
        }

        History after(CircuitState state, long nanos) {
            return new History(
                    timesOpened,
                    timesHalfOpened,
                    timesClosed,
                    closedNanos + (state == CircuitState.CLOSED ? nanos : 0),
                    openNanos + (state == CircuitState.OPEN ? nanos : 0),
                    halfOpenNanos + (state == CircuitState.HALF_OPEN ? nanos : 0),
                    transitions);
        }

        private History moved(Transition transition) {
            CircuitState to = transition.to();
            int forgotten = transitions.size() < TRANSITIONS_KEPT ? 0 : 1;
            List<Transition> kept = new ArrayList<>(transitions.subList(forgotten, transitions.size()));
            kept.add(transition);
            return new History(
                    timesOpened + (to == CircuitState.OPEN ? 1 : 0),
                    timesHalfOpened + (to == CircuitState.HALF_OPEN ? 1 : 0),
                    timesClosed + (to == CircuitState.CLOSED ? 1 : 0),
                    closedNanos,
                    openNanos,
                    halfOpenNanos,
                    List.copyOf(kept));
        }

        @Nullable Transition last() {
            return transitions.isEmpty() ? null : transitions.get(transitions.size() - 1);
        }

        Duration in(CircuitState state) {
            return Duration.ofNanos(
                    switch (state) {
                        case CLOSED -> closedNanos;
                        case OPEN -> openNanos;
                        case HALF_OPEN -> halfOpenNanos;
                    });
        }
    }
}
