package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Estimate;
import dev.guardedby.spring.models.ModelRequest;
import dev.guardedby.spring.models.ModelRequestReader;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** The argument of a method that tells what its calls will ask a model for. */
final class ModelArgument {
    private static final Log LOG = LogFactory.getLog(ModelArgument.class);

    private final String method;
    private final int index;
    private final ModelRequestReader reader;
    private final Pricing pricing;
    private final LongAdder broken;
    private final AtomicBoolean warned = new AtomicBoolean();

    /**
     * An argument.
     *
     * @param method as messages name it
     * @param index of the argument among all
     * @param reader reads arguments of its type
     * @param pricing what knows the prices
     * @param broken counts those that could not be read
     */
    ModelArgument(String method, int index, ModelRequestReader reader, Pricing pricing, LongAdder broken) {
        this.method = method;
        this.index = index;
        this.reader = reader;
        this.pricing = pricing;
        this.broken = broken;
    }

    /** What a call will ask for; null if there is nothing that could be read. */
    @Nullable ModelRequest read(@Nullable Object[] arguments) {
        Object argument = arguments[index];
        return argument == null ? null : read(argument);
    }

    private @Nullable ModelRequest read(Object argument) {
        try {
            return Objects.requireNonNull(reader.read(argument), "a ModelRequestReader answered null");
        } catch (Throwable thrown) {
            // A client of another version lacks a method, for example.
            broken.increment();
            warn(thrown);
            return null;
        }
    }

    /**
     * What a call may cost that begins now.
     *
     * @param learnt what such calls cost as a rule
     */
    Estimate estimate(ModelRequest request, Cost learnt) {
        Pricing.AtStart prices = pricing.now();
        Estimate estimate = prices.estimate(request, learnt);
        // Without any price the method says itself what it costs.
        return prices.areThere() && pricing.rejects(request, prices)
                ? estimate.withoutPriceOf(Objects.requireNonNull(request.model()))
                : estimate;
    }

    private void warn(Throwable thrown) {
        if (warned.compareAndSet(false, true)) {
            LOG.warn(
                    "What " + method
                            + " is to ask a model for could not be read from its argument: the call is made all the same, and holds"
                            + " what such calls cost as a rule. Further failures of this method are counted and not logged.",
                    thrown);
        }
    }
}
