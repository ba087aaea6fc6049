package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.spring.aop.LostCosts.Reason;
import dev.guardedby.spring.usage.UsageExtractor;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** Books what the calls of a method cost, by the usage that their results tell of and the prices of their start. */
final class UsageCost {
    private static final Log LOG = LogFactory.getLog(UsageCost.class);
    // A remote may name as many models as it likes.
    private static final int MOST_WARNED_OF = 256;

    private final String method;
    private final List<Reader> readers;
    private final Supplier<PriceBook> prices;
    private final InstantSource clock;
    private final LongAdder broken;
    private final LongAdder untold;
    private final LongAdder unpriced;
    private final Set<String> unpricedModels;
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
     * For one method.
     *
     * @param method as messages name it
     * @param readers those that may be able to read its results
     * @param prices the book in force
     * @param clock tells on which day a call began
     * @param lost counts what cannot be booked
     * @param unpricedModels the models that were warned of, and the methods that name none
     */
    UsageCost(
            String method,
            String breaker,
            List<Reader> readers,
            Supplier<PriceBook> prices,
            InstantSource clock,
            LostCosts lost,
            Set<String> unpricedModels) {
        this.method = method;
        this.readers = readers;
        this.prices = prices;
        this.clock = clock;
        this.broken = lost.of(breaker, Reason.EXTRACTOR);
        this.untold = lost.of(breaker, Reason.USAGE);
        this.unpriced = lost.of(breaker, Reason.PRICE);
        this.unpricedModels = unpricedModels;
    }

    /** A call that begins now. */
    Tally begin() {
        return new Tally(prices.get(), clock.instant());
    }

    /** What one call has told of its usage so far, and the prices that it began with. */
    final class Tally {
        private final PriceBook book;
        private final Instant begun;
        // Written by the thread of the items, read by the one that ends the call.
        private volatile @Nullable ModelUsage told;
        // For readers that add items up: the same, or the model, where that is all that is known.
        private volatile @Nullable ModelUsage last;
        private volatile boolean asked;
        private volatile boolean failed;

        private Tally(PriceBook book, Instant begun) {
            this.book = book;
            this.begun = begun;
        }

        /** Looks at one item of many. The last that tells a usage counts: some remotes tell the sum so far each time. */
        void see(Object item) {
            for (int i = 0; i < readers.size(); i++) {
                Reader reader = readers.get(i);
                if (reader.reads(item)) {
                    asked = true;
                    ModelUsage usage = read(reader.extractor, item);
                    if (usage != null) {
                        told = usage;
                        return;
                    }
                }
            }
        }

        private @Nullable ModelUsage read(UsageExtractor extractor, Object item) {
            try {
                ModelUsage usage = extractor.extract(item, last).orElse(null);
                last = usage == null ? last : usage;
                return usage == null || usage.confidence() == Confidence.UNKNOWN ? null : usage;
            } catch (Throwable thrown) {
                // A client of another version lacks a method, for example.
                failed = true;
                warnOfBroken(thrown);
                return null;
            }
        }

        /** Books what a call cost that has ended with a result, or with the last item of many. */
        void book(GuardedCall call, @Nullable Object result) {
            if (told == null && result != null) {
                see(result);
            }
            bookTold(call);
            if (told == null && failed) {
                broken.increment();
            } else if (told == null && asked) {
                untold.increment();
                warnOfUntold();
            }
        }

        /** Books what was told before the call failed; a failure tells nothing itself. */
        void bookTold(GuardedCall call) {
            ModelUsage usage = told;
            if (usage == null) {
                return;
            }
            try {
                call.record(price(usage));
            } catch (RuntimeException refused) {
                broken.increment();
                warnOfBroken(refused);
            }
        }

        private Cost price(ModelUsage usage) {
            Cost cost = book.price(usage, begun).orElse(null);
            if (cost != null) {
                return cost;
            }
            unpriced.increment();
            warnOfNoPrice(usage);
            return usage.usage().cost(0);
        }
    }

    private void warnOfBroken(Throwable thrown) {
        if (warnedOfBroken.compareAndSet(false, true)) {
            LOG.warn(
                    "What " + method
                            + " used could not be read from its result: that is not affected, but the cost is not"
                            + " recorded. Further failures of this method are counted and not logged.",
                    thrown);
        }
    }

    private void warnOfUntold() {
        if (warnedOfUntold.compareAndSet(false, true)) {
            LOG.warn("The result of " + method
                    + " does not tell what was used, so nothing is recorded of what it cost. If it"
                    + " is a stream, ask the remote for the usage at its end. Further results of this method are counted and"
                    + " not logged.");
        }
    }

    private void warnOfNoPrice(ModelUsage usage) {
        String model = usage.model();
        if (unpricedModels.size() < MOST_WARNED_OF && unpricedModels.add(model == null ? method : model)) {
            LOG.warn(
                    model == null
                            ? "The result of " + method
                                    + " does not name its model, so what it used has no price: the tokens are"
                                    + " recorded, and 0 USD. Let the annotation's cost or a CostRecorder say it. Further results"
                                    + " of this method are counted and not logged."
                            : "There is no price for what the model '" + model + "' used, " + usage.usage()
                                    + ": the tokens are recorded, and 0 USD. Write it in guardedby.prices.models. Further calls"
                                    + " of this model are counted and not logged.");
        }
    }
}
