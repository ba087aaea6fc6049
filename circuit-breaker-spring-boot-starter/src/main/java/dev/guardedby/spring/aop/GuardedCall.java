package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.Call;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Confidence;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.spring.CostRecorder;
import java.math.BigDecimal;
import java.util.Objects;
import java.util.Optional;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/**
 * One guarded call: what costs are recorded on, while it runs and afterwards.
 *
 * <p>It is the {@link Call} that the breaker makes as well, so that a call needs one object and not three.
 */
final class GuardedCall implements CostRecorder, Call<@Nullable Object, Throwable> {
    // An array of the JDK's, so that the threads of a pool keep nothing of ours when the application is gone.
    private static final ThreadLocal<@Nullable Object[]> CURRENT = ThreadLocal.withInitial(() -> new Object[1]);

    private final GuardedMethod method;
    private final MethodInvocation invocation;
    private final CircuitBreaker breaker;
    private final @Nullable Permit permit;
    private final UsageCost.@Nullable Tally tally;
    private volatile boolean recorded;
    private volatile boolean recordedInside;
    /** What it has cost so far, as far as is known; null for nothing. By this object's lock, which most calls never take. */
    private @Nullable Cost soFar;
    /** Whether a part of that was estimated, or unknown. */
    private boolean uncertain;
    /** Whether a step was booked that no permit knows of, so that nothing can stand in its place. */
    private volatile boolean bookedAlone;

    private @Nullable GuardedCall outer;
    private volatile @Nullable GuardedCall continuation;

    /**
     * A call that is about to be made.
     *
     * @param breaker what guards this call
     * @param permit the leave to make it; null if the breaker keeps that to itself
     */
    GuardedCall(GuardedMethod method, MethodInvocation invocation, CircuitBreaker breaker, @Nullable Permit permit) {
        this.method = method;
        this.invocation = invocation;
        this.breaker = breaker;
        this.permit = permit;
        UsageCost usage = method.usage();
        this.tally = usage == null ? null : usage.begin();
    }

    /** The innermost call that this thread is in, or null. */
    static @Nullable GuardedCall innermost() {
        return (GuardedCall) CURRENT.get()[0];
    }

    /** Makes a call the innermost of this thread, or none; answers the one before. */
    static @Nullable GuardedCall enter(@Nullable GuardedCall call) {
        @Nullable Object[] current = CURRENT.get();
        Object outer = current[0];
        current[0] = call;
        return (GuardedCall) outer;
    }

    /** The same call, known to be made inside another. */
    GuardedCall inside(@Nullable GuardedCall other) {
        outer = other;
        return this;
    }

    /** From now on, what is recorded here is recorded there: the call proper, of which this was the preparation. */
    void continuedBy(GuardedCall call) {
        call.recorded = recorded;
        call.recordedInside = recordedInside;
        call.startWith(this);
        continuation = call;
    }

    @Override
    @SuppressWarnings("NullAway") // does not see that the type argument lets it return null
    public @Nullable Object call() throws Throwable {
        Object result = proceed();
        returned(result);
        return result;
    }

    /** Goes on with the invocation, inside this call. */
    @Nullable Object proceed() throws Throwable {
        @Nullable Object[] current = CURRENT.get();
        Object outside = current[0];
        outer = (GuardedCall) outside;
        current[0] = this;
        try {
            return invocation.proceed();
        } finally {
            current[0] = outside;
        }
    }

    /**
     * Books what the method's cost expression makes of its result, or else what the result says was used, unless the method has
     * recorded a cost itself.
     */
    void returned(@Nullable Object result) {
        CostExpression expression = method.cost();
        if (expression != null && !recorded && !bookedAlone) {
            expression.book(this, invocation.getArguments(), result);
        } else if (tally != null && !recorded && !recordedInside) {
            tally.book(this, result);
        }
        if ((recorded || recordedInside) && method.learns()) {
            learn();
        }
    }

    private synchronized void learn() {
        // What was only held would come to be held for having been held.
        if (soFar != null && !uncertain) {
            method.learn(soFar);
        }
    }

    /** What is recorded counts in place of what steps have cost. */
    private synchronized void note(Cost cost, Confidence confidence) {
        if (!recorded) {
            soFar = null;
            uncertain = false;
        }
        recorded = true;
        add(cost, confidence);
    }

    private void startWith(GuardedCall preparation) {
        bookedAlone = preparation.bookedAlone;
        synchronized (preparation) {
            soFar = preparation.soFar;
            uncertain = preparation.uncertain;
        }
    }

    private synchronized void addStep(Cost cost, Confidence confidence) {
        if (!recorded) {
            add(cost, confidence);
        }
    }

    private synchronized void add(Cost cost, Confidence confidence) {
        soFar = soFar == null ? cost : soFar.plus(cost);
        uncertain |= confidence != Confidence.REPORTED;
    }

    /** Notes what an item of a stream tells of the usage of the whole. */
    void passed(Object item) {
        if (tally != null) {
            tally.see(item);
        }
    }

    /** Books what was told of the usage, and reports the failure to the permit. */
    void failed(Throwable failure) {
        if (tally != null && !recorded && !recordedInside) {
            tally.bookTold(this);
        }
        Objects.requireNonNull(permit).failureAsync(failure);
    }

    /** Books the cost, and reports the success to the permit. */
    void succeeded(@Nullable Object result) {
        returned(result);
        Objects.requireNonNull(permit).success(result);
    }

    @Override
    public void record(long inputTokens, long outputTokens, BigDecimal usd) {
        record(Cost.of(inputTokens, outputTokens, usd));
    }

    @Override
    public void record(Cost cost) {
        record(cost, Confidence.REPORTED);
    }

    /** Records what the call costs, in place of what its steps do. */
    void record(Cost cost, Confidence confidence) {
        GuardedCall proper = continuation;
        if (proper != null) {
            proper.record(cost, confidence);
            return;
        }
        if (permit == null) {
            breaker.recordCost(cost);
        } else {
            permit.recordCost(cost, confidence);
        }
        note(cost, confidence);
        tellOuterCalls();
    }

    /** The call proper: this one, or the one that it was the preparation of. */
    GuardedCall proper() {
        GuardedCall proper = continuation;
        return proper == null ? this : proper;
    }

    CircuitBreaker breaker() {
        return breaker;
    }

    /** The leave to make it; null if the breaker keeps that to itself, which has no budgets then. */
    @Nullable Permit permit() {
        return permit;
    }

    /** What it costs if it succeeds and nobody knows. */
    Cost costIfUnknown() {
        return permit == null ? Cost.ZERO : permit.costIfUnknown();
    }

    /** A step has cost so much, of which its permit does not know: it is booked at once. */
    void steppedAlone(Cost cost, Confidence confidence) {
        boolean known = confidence != Confidence.UNKNOWN;
        breaker.recordCost(known ? cost : new Cost(cost.inputTokens(), cost.outputTokens(), 0));
        bookedAlone = true;
        stepped(cost, confidence);
    }

    /** A step of it has cost so much, so its result is not to be read any more. */
    void stepped(Cost cost, Confidence confidence) {
        addStep(cost, confidence);
        recordedInside = true;
        tellOuterCalls();
    }

    @Override
    public Optional<Advice> advice() {
        Permit present = proper().permit;
        return present == null ? Optional.empty() : present.advice();
    }

    // What they return tells the same usage again, and one breaker is to book it once.
    private void tellOuterCalls() {
        for (GuardedCall call = outer; call != null; call = call.outer) {
            if (call.breaker == breaker) {
                call.proper().recordedInside = true;
            }
        }
    }

    @Override
    public CostRecorder current() {
        return this;
    }
}
