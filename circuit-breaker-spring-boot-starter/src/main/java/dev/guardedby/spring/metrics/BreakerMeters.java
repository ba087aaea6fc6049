package dev.guardedby.spring.metrics;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitState;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.circuitbreaker.Refusal;
import dev.guardedby.circuitbreaker.Transition;
import dev.guardedby.circuitbreaker.Transition.Cause;
import dev.guardedby.spring.keys.Keys.Counts;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one breaker.
 *
 * <p>They count before they are published. Every meter that can be known beforehand is there from the first scrape, so that
 * a rate over it does not miss the first event.
 */
final class BreakerMeters {
    /** A change of state, without its time. */
    private record Move(CircuitState from, CircuitState to, Cause cause) {}

    private static final List<Move> MOVES = List.of(
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.FAILURES),
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.FAILURE_RATE),
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.SLOW_CALL_RATE),
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.TRIP),
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.FORCE_OPEN),
            new Move(CircuitState.CLOSED, CircuitState.OPEN, Cause.HOLD_OPEN),
            new Move(CircuitState.OPEN, CircuitState.HALF_OPEN, Cause.WAIT_OVER),
            new Move(CircuitState.OPEN, CircuitState.CLOSED, Cause.FORCE_CLOSE),
            new Move(CircuitState.OPEN, CircuitState.CLOSED, Cause.RESET),
            new Move(CircuitState.OPEN, CircuitState.CLOSED, Cause.MODE),
            new Move(CircuitState.HALF_OPEN, CircuitState.CLOSED, Cause.PROBES_SUCCEEDED),
            new Move(CircuitState.HALF_OPEN, CircuitState.CLOSED, Cause.FORCE_CLOSE),
            new Move(CircuitState.HALF_OPEN, CircuitState.CLOSED, Cause.RESET),
            new Move(CircuitState.HALF_OPEN, CircuitState.CLOSED, Cause.MODE),
            new Move(CircuitState.HALF_OPEN, CircuitState.OPEN, Cause.PROBES_FAILED),
            new Move(CircuitState.HALF_OPEN, CircuitState.OPEN, Cause.FORCE_OPEN),
            new Move(CircuitState.HALF_OPEN, CircuitState.OPEN, Cause.HOLD_OPEN));

    private final Map<Refusal.Reason, LongAdder> refusals = new EnumMap<>(Refusal.Reason.class);
    private final Map<Move, LongAdder> moves = new HashMap<>();
    /** In whole nano-USD. */
    private final Map<Confidence, LongAdder> costs = new EnumMap<>(Confidence.class);

    private final Map<Outcome, LongSummaryStatistics> unpublished = new EnumMap<>(Outcome.class);
    private final List<Meter> published = new ArrayList<>();
    private volatile @Nullable Map<Outcome, Timer> timers;
    /** Null where no key gets series of its own. */
    private final @Nullable KeyMeters byKey;

    private final Predicate<String> isShared;
    /** Null as long as the breaker has no keys. */
    private @Nullable KeptKeyMeters ofKeys;
    /** Null as long as they are not published. */
    private @Nullable BudgetMeters budgets;

    /**
     * Nothing counted yet.
     *
     * @param tagKeys how many keys get series of their own
     * @param isShared whether other breakers charge to a budget of that name, too
     */
    BreakerMeters(int tagKeys, Predicate<String> isShared) {
        this.isShared = isShared;
        byKey = tagKeys == 0 ? null : new KeyMeters(tagKeys);
        for (Refusal.Reason reason : Refusal.Reason.values()) {
            refusals.put(reason, new LongAdder());
        }
        for (Confidence confidence : Confidence.values()) {
            costs.put(confidence, new LongAdder());
        }
        for (Outcome outcome : Outcome.values()) {
            unpublished.put(outcome, new LongSummaryStatistics());
        }
        MOVES.forEach(move -> moves.put(move, new LongAdder()));
    }

    /** Counts a result of the breaker, or of the one of a key. */
    void result(CircuitBreaker by, Outcome outcome, long duration) {
        if (byKey != null && by.key().isPresent()) {
            byKey.result(by.key().get(), outcome);
        }
        if (duration < 0) {
            // Recorded without a permit: nobody knows how long the call ran, and 0 would pull every quantile down.
            return;
        }
        Map<Outcome, Timer> present = timers;
        if (present == null) {
            present = keepUnlessPublished(outcome, duration);
        }
        if (present != null) {
            of(present, outcome).record(duration, TimeUnit.NANOSECONDS);
        }
    }

    private synchronized @Nullable Map<Outcome, Timer> keepUnlessPublished(Outcome outcome, long duration) {
        if (timers == null) {
            of(unpublished, outcome).accept(duration);
        }
        return timers;
    }

    /** Counts a refusal by the breaker, or by the one of a key. */
    void refused(CircuitBreaker by, Refusal.Reason reason) {
        if (byKey != null && by.key().isPresent()) {
            byKey.refused(by.key().get(), reason);
        }
        of(refusals, reason).increment();
    }

    /** Counts what was recorded, or charged because nobody knew. */
    void cost(Cost cost, Confidence confidence) {
        of(costs, confidence).add(cost.nanoUsd());
    }

    void moved(Transition transition) {
        of(moves, new Move(transition.from(), transition.to(), transition.cause()))
                .increment();
    }

    /**
     * Registers the meters; those registered before are replaced.
     *
     * @param told whether this object is told of results, refusals and transitions; if not, what counts them would show 0
     *     for ever, so it is left out
     */
    synchronized void publish(CircuitBreaker breaker, boolean told, MeterRegistry registry, InstantSource clock) {
        withdraw(registry);
        Tags tags = Tags.of("name", breaker.name());
        BudgetMeters ofBudgets = BudgetMeters.of(breaker, isShared, tags, registry);
        budgets = ofBudgets;
        ofBudgets.follow();
        published.addAll(StatsMeters.register(breaker, tags, registry, clock, () -> {
            ofBudgets.follow();
            if (byKey != null) {
                byKey.follow();
            }
        }));
        if (ofKeys != null) {
            published.addAll(ofKeys.register(breaker, tags, registry));
        }
        if (told) {
            publishEvents(tags, registry);
            if (byKey != null) {
                byKey.publish(breaker, isShared, tags, registry);
            }
        } else {
            published.add(
                    cost(breaker, each -> each.stats().totalEstimatedCost().doubleValue(), tags, "reported", registry));
        }
    }

    /** The breaker has been given keys; where its meters are published, theirs are, too. */
    synchronized void keyed(CircuitBreaker breaker, Counts counts, MeterRegistry registry) {
        if (ofKeys != null) {
            return;
        }
        ofKeys = new KeptKeyMeters(counts);
        if (!published.isEmpty()) {
            published.addAll(ofKeys.register(breaker, Tags.of("name", breaker.name()), registry));
        }
    }

    private void publishEvents(Tags tags, MeterRegistry registry) {
        refusals.forEach((reason, count) -> published.add(
                counter("guardedby.rejections", "Refused calls", tags.and("reason", word(reason)), count, registry)));
        moves.forEach((move, count) -> published.add(counter(
                "guardedby.transitions",
                "Changes of the state",
                tags.and("from", word(move.from), "to", word(move.to), "cause", word(move.cause)),
                count,
                registry)));
        costs.forEach((confidence, nanoUsd) -> published.add(cost(
                nanoUsd,
                sum -> sum.sum() / 1e9,
                tags,
                confidence == Confidence.UNKNOWN ? "hold" : word(confidence),
                registry)));
        Map<Outcome, Timer> calls = new EnumMap<>(Outcome.class);
        unpublished.forEach((outcome, early) -> {
            Timer timer = Timer.builder("guardedby.calls")
                    .description("Finished calls; results recorded without a permit have no duration and are left out")
                    .tags(tags.and("outcome", word(outcome)))
                    .register(registry);
            record(early, timer);
            calls.put(outcome, timer);
        });
        unpublished.replaceAll((outcome, early) -> new LongSummaryStatistics());
        published.addAll(calls.values());
        timers = calls;
    }

    private static <T> FunctionCounter cost(
            T counting, ToDoubleFunction<T> usd, Tags tags, String confidence, MeterRegistry registry) {
        return FunctionCounter.builder("guardedby.cost", counting, usd)
                .description("Cost in US dollars, by how far it can be trusted")
                .baseUnit("usd")
                .tags(tags.and("confidence", confidence))
                .register(registry);
    }

    static FunctionCounter counter(
            String name, String description, Tags tags, LongAdder count, MeterRegistry registry) {
        return FunctionCounter.builder(name, count, LongAdder::sum)
                .description(description)
                .tags(tags)
                .register(registry);
    }

    /** Hands calls over whose number, sum and maximum were kept: these three are exact, what lies between is even. */
    private static void record(LongSummaryStatistics early, Timer timer) {
        long others = early.getCount() - 1;
        if (others < 0) {
            return;
        }
        timer.record(early.getMax(), TimeUnit.NANOSECONDS);
        long rest = early.getSum() - early.getMax();
        for (long i = 0; i < others; i++) {
            timer.record(rest / others + (i < rest % others ? 1 : 0), TimeUnit.NANOSECONDS);
        }
    }

    /** Takes the meters out. */
    synchronized void withdraw(MeterRegistry registry) {
        published.forEach(registry::remove);
        published.clear();
        if (budgets != null) {
            budgets.withdraw();
            budgets = null;
        }
        if (byKey != null) {
            byKey.withdraw(registry);
        }
    }

    private static <K, V> V of(Map<K, V> map, K key) {
        return Objects.requireNonNull(map.get(key), () -> "no meter for " + key);
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
