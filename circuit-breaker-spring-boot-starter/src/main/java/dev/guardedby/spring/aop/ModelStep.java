package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Estimate;
import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.circuitbreaker.Step;
import dev.guardedby.circuitbreaker.Usage;
import dev.guardedby.spring.aop.UsageCost.Priced;
import dev.guardedby.spring.models.ModelCall;
import dev.guardedby.spring.models.ModelRequest;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One call of a model inside a guarded call. */
final class ModelStep implements ModelCall {
    private final GuardedCall call;
    private final Inside inside;
    private final UsageCost costs;
    private final ModelRequest request;
    private final @Nullable String cheaper;
    private final Pricing.AtStart prices;
    private final Estimate estimate;
    /** Null until it is admitted, and where no permit is at hand. */
    private volatile @Nullable Step step;
    /** The most that it was said to cost. By this object's lock. */
    private Cost most = Cost.ZERO;

    /**
     * A step that is yet to be admitted.
     *
     * @param call the guarded call, itself and not its preparation
     * @param inside what the call of the model is made inside of
     * @param request with the model that is to be called in the end
     * @param cheaper that model, if it is not the one that was asked for
     * @param prices those in force
     * @param estimate what it may cost
     */
    ModelStep(
            GuardedCall call,
            Inside inside,
            UsageCost costs,
            ModelRequest request,
            @Nullable String cheaper,
            Pricing.AtStart prices,
            Estimate estimate) {
        this.call = call;
        this.inside = inside;
        this.costs = costs;
        this.request = request;
        this.cheaper = cheaper;
        this.prices = prices;
        this.estimate = estimate;
    }

    @Nullable Permit permit() {
        return call.permit();
    }

    Estimate estimate() {
        return estimate;
    }

    ModelStep admitted(Step given) {
        step = given;
        return this;
    }

    @Override
    public Optional<String> model() {
        return Optional.ofNullable(cheaper);
    }

    @Override
    public void end(@Nullable Object answer) {
        endStream(answer, 0);
    }

    @Override
    public void endStream(@Nullable Object last, long outputTokens) {
        if (outputTokens < 0) {
            throw new IllegalArgumentException("outputTokens must be at least 0, but was " + outputTokens);
        }
        ModelUsage usage = last == null ? null : costs.read(last);
        if (usage != null) {
            book(usage);
        } else if (outputTokens == 0) {
            endUnknown();
        } else {
            endUntold(seen(outputTokens));
        }
    }

    /** What was used as far as can be seen from here. */
    private ModelUsage seen(long outputTokens) {
        Long limit = request.maxOutputTokens();
        // What was counted here is rather too much, and there cannot have been more.
        long received = limit == null ? outputTokens : Math.min(outputTokens, limit);
        return named(ModelUsage.of(request.model(), Usage.of(request.inputTokens(), received))
                .with(Confidence.ESTIMATED));
    }

    /** The remote has done its work, and does not tell how much: no less than what is seen of it. */
    private void endUntold(ModelUsage seen) {
        Cost held = held();
        try {
            Priced priced = costs.price(seen, prices, held.nanoUsd());
            Cost cost = Pricing.theMore(held, priced.cost());
            if (cost.equals(held)) {
                endUnknown();
            } else {
                say(cost, priced.confidence());
            }
        } catch (RuntimeException refused) {
            costs.notBooked(refused);
            endUnknown();
        }
    }

    /** What was worked out here, and not said by anybody, is no reason for the call to fail. */
    private void book(ModelUsage usage) {
        try {
            end(usage);
        } catch (RuntimeException refused) {
            costs.notBooked(refused);
            endUnknown();
        }
    }

    @Override
    public void end(ModelUsage usage) {
        if (usage.confidence() == Confidence.UNKNOWN) {
            endUnknown();
            return;
        }
        ModelUsage named = named(usage);
        Priced priced = costs.price(named, prices, held().nanoUsd());
        costs.note(request, named, priced);
        say(priced.cost(), priced.confidence());
        if (priced.confidence() == Confidence.REPORTED) {
            costs.learnt().add(priced.cost());
        }
    }

    private void endUnknown() {
        Step given = step;
        if (given != null) {
            given.endUnknown();
            call.stepped(more(given.costIfUnknown()), Confidence.UNKNOWN);
        }
    }

    /** What answers leave out the request tells. */
    private ModelUsage named(ModelUsage usage) {
        ModelUsage named = usage.model() == null ? usage.by(request.model()) : usage;
        return named.provider() == null ? named.servedBy(request.provider()) : named;
    }

    private Cost held() {
        Step given = step;
        return given == null ? Cost.ZERO : given.costIfUnknown();
    }

    private void say(Cost cost, Confidence confidence) {
        Step given = step;
        if (given != null) {
            given.end(cost, confidence);
            call.stepped(more(cost), confidence);
        } else {
            call.steppedAlone(more(cost), confidence);
        }
    }

    /** What a word adds to those before it: only a step takes anything back. */
    private synchronized Cost more(Cost said) {
        Cost before = most;
        most = Pricing.theMore(before, said);
        return new Cost(
                most.inputTokens() - before.inputTokens(),
                most.outputTokens() - before.outputTokens(),
                most.nanoUsd() - before.nanoUsd());
    }

    @Override
    public void cut(long outputTokens) {
        if (request.inputTokens() == 0 && outputTokens == 0) {
            endUnknown();
        } else if (request.maxOutputTokens() == null) {
            // There may be more in it than what is counted, an image for example.
            endUntold(seen(outputTokens));
        } else {
            book(seen(outputTokens));
        }
    }

    @Override
    public void notMade() {
        Step given = step;
        if (given != null) {
            given.end(Cost.ZERO, Confidence.REPORTED);
        }
    }

    @Override
    public void fail(Throwable failure) {
        Objects.requireNonNull(failure, "failure");
        Step given = step;
        if (given != null) {
            given.fail(failure);
        }
    }

    @Override
    public boolean isCurrent() {
        GuardedCall innermost = GuardedCall.innermost();
        return innermost != null && innermost.proper() == call;
    }

    @Override
    public void inside(Runnable work) {
        Inside.Visit visit = inside.enter();
        try {
            work.run();
        } finally {
            visit.end();
        }
    }
}
