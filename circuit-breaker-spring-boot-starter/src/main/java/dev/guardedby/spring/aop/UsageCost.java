package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.spring.aop.LostCosts.Reason;
import dev.guardedby.spring.models.ModelRequest;
import dev.guardedby.spring.usage.UsageExtractor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what the calls of a method, or the steps of a breaker's calls, cost: by the usage that results tell of, and the prices in
 * force when they began.
 */
final class UsageCost {
    private static final Log LOG = LogFactory.getLog(UsageCost.class);
    // An application may ask for as many models as it likes.
    private static final int MOST_UNPRICED = 256;
    /** Of a method nobody knows which model it asks for. */
    private static final String WHICHEVER = "";

    private final String method;
    private final List<Reader> readers;
    private final Pricing pricing;
    private final LongAdder broken;
    private final LongAdder untold;
    private final LongAdder unpriced;
    /** What steps cost as a rule, which is not known of single ones whose answer has no limit. */
    private final LearntCost learnt = new LearntCost();

    /** What the last answer used without a price, by the model that was asked for. */
    private final Map<String, ModelUsage> lastUnpriced = new ConcurrentHashMap<>();

    private final AtomicBoolean warnedOfBroken = new AtomicBoolean();
    private final AtomicBoolean warnedOfUntold = new AtomicBoolean();

    /** An extractor, and the types that it reads. */
    record Reader(UsageExtractor extractor, List<Class<?>> types) {
        static Reader of(UsageExtractor extractor) {
            return new Reader(extractor, List.copyOf(extractor.types()));
        }

        private boolean reads(Object result) {
            for (int i = 0; i < types.size(); i++) {
                if (types.get(i).isInstance(result)) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * What a usage costs.
     *
     * @param confidence how far that can be trusted
     * @param hasPrice whether it follows from a price
     */
    record Priced(Cost cost, Confidence confidence, boolean hasPrice) {}

    /**
     * For one method.
     *
     * @param method as messages name it
     * @param readers those that may be able to read its results
     * @param pricing what knows the prices
     * @param lost counts what cannot be booked
     */
    UsageCost(String method, String breaker, List<Reader> readers, Pricing pricing, LostCosts lost) {
        this.method = method;
        this.readers = readers;
        this.pricing = pricing;
        this.broken = lost.of(breaker, Reason.EXTRACTOR);
        this.untold = lost.of(breaker, Reason.USAGE);
        this.unpriced = lost.of(breaker, Reason.PRICE);
    }

    /** A call that begins now. */
    Tally begin() {
        return new Tally(pricing.now());
    }

    /** The model without a price that has answered the last call, if such calls are to be refused and there still is none; else null. */
    @Nullable String unpricedAnswer() {
        return unpricedAnswerTo(WHICHEVER);
    }

    /** The same of requests that ask for the same. */
    @Nullable String unpricedAnswerTo(ModelRequest request) {
        return unpricedAnswerTo(key(request));
    }

    private @Nullable String unpricedAnswerTo(String asked) {
        ModelUsage answer = lastUnpriced.isEmpty() ? null : lastUnpriced.get(asked);
        return answer != null && pricing.rejectsUnknown() && pricing.now().price(answer) == null
                ? answer.model()
                : null;
    }

    /** What a result, or an item of a stream, tells of what was used; null if nothing. */
    private @Nullable ModelUsage told(Object item, Told told) {
        for (int i = 0; i < readers.size(); i++) {
            Reader reader = readers.get(i);
            if (reader.reads(item)) {
                told.asked = true;
                ModelUsage usage = read(reader.extractor, item, told);
                if (usage != null) {
                    return usage;
                }
            }
        }
        return null;
    }

    private @Nullable ModelUsage read(UsageExtractor extractor, Object item, Told told) {
        try {
            ModelUsage usage = extractor.extract(item, told.last).orElse(null);
            if (usage == null) {
                return null;
            }
            told.last = usage;
            return usage.confidence() == Confidence.UNKNOWN ? null : usage;
        } catch (Throwable thrown) {
            // A client of another version lacks a method, for example.
            told.failed = true;
            warnOfBroken("What " + method + " used could not be read from its result", thrown);
            return null;
        }
    }

    /** What the result of a step tells of what was used; null, and counted, if nothing. */
    @Nullable ModelUsage read(Object result) {
        Told told = new Told();
        ModelUsage usage = told(result, told);
        if (usage == null) {
            countUntold(told);
        }
        return usage;
    }

    LearntCost learnt() {
        return learnt;
    }

    private void countUntold(Told told) {
        if (told.failed) {
            broken.increment();
        } else if (told.asked) {
            untold.increment();
            warnOfUntold();
        }
    }

    /**
     * What a usage costs; if its model has no price, what the configuration says.
     *
     * @param prices those that were in force when it began
     * @param unknownNanoUsd what it costs if nobody knows
     */
    Priced price(ModelUsage usage, Pricing.AtStart prices, long unknownNanoUsd) {
        Cost cost = prices.price(usage);
        if (cost != null) {
            return new Priced(cost, usage.confidence(), true);
        }
        unpriced.increment();
        pricing.warnOfNoPrice(method, usage);
        return new Priced(
                usage.usage().cost(pricing.allowsUnknown() ? 0 : unknownNanoUsd),
                pricing.confidenceInUnknown(usage),
                false);
    }

    /** Takes note of an answer: one without a price tells what the next call will use that asks for the same. */
    void note(ModelRequest request, ModelUsage answer, Priced priced) {
        note(key(request), answer, priced);
    }

    private void note(String asked, ModelUsage answer, Priced priced) {
        // What names no model tells nothing of the next call.
        if (priced.hasPrice() || answer.model() == null) {
            if (!lastUnpriced.isEmpty()) {
                lastUnpriced.remove(asked);
            }
        } else if (lastUnpriced.size() < MOST_UNPRICED) {
            lastUnpriced.put(asked, answer);
        }
    }

    private static String key(ModelRequest request) {
        // What names no model is told apart by who serves it, at least.
        return request.model() == null ? WHICHEVER + request.provider() : request.model();
    }

    /** What is known of the asking. */
    private static final class Told {
        // Written by the thread of the items, read by the one that ends the call.
        private volatile boolean asked;
        private volatile boolean failed;
        /** For readers that add items up: what was made of the last one, be it the model alone. */
        private volatile @Nullable ModelUsage last;
    }

    /** What one call has told of its usage so far, and the prices that it began with. */
    final class Tally {
        private final Pricing.AtStart prices;
        private final Told asking = new Told();
        private volatile @Nullable ModelUsage usage;

        private Tally(Pricing.AtStart prices) {
            this.prices = prices;
        }

        /** Looks at one item of many. The last that tells a usage counts: some remotes tell the sum so far each time. */
        void see(Object item) {
            ModelUsage told = told(item, asking);
            if (told != null) {
                usage = told;
            }
        }

        /** Books what a call cost that has ended with a result, or with the last item of many. */
        void book(GuardedCall call, @Nullable Object result) {
            if (usage == null && result != null) {
                see(result);
            }
            bookTold(call);
            if (usage == null) {
                countUntold(asking);
            }
        }

        /** Books what was told before the call failed; a failure tells nothing itself. */
        void bookTold(GuardedCall call) {
            ModelUsage told = usage;
            if (told == null) {
                return;
            }
            try {
                Priced priced = price(told, prices, call.costIfUnknown().nanoUsd());
                note(WHICHEVER, told, priced);
                call.record(priced.cost(), priced.confidence());
            } catch (RuntimeException refused) {
                notBooked(refused);
            }
        }
    }

    /** Counts a usage that cannot be booked, such as one that costs more than any call can. */
    void notBooked(RuntimeException refused) {
        broken.increment();
        warnOfBroken("What " + method + " used cannot be booked", refused);
    }

    private void warnOfBroken(String what, Throwable thrown) {
        if (warnedOfBroken.compareAndSet(false, true)) {
            LOG.warn(
                    what
                            + ": the call is not affected, but its cost is not recorded, and budgets are charged what was held."
                            + " Further failures here are counted and not logged.",
                    thrown);
        }
    }

    private void warnOfUntold() {
        if (warnedOfUntold.compareAndSet(false, true)) {
            LOG.warn("The result of " + method
                    + " does not tell what was used, so nothing is recorded of what it cost, and budgets are charged what"
                    + " was held. If it is a stream, ask the remote for the usage at its end. Further such results are"
                    + " counted and not logged.");
        }
    }
}
