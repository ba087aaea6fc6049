package dev.guardedby.circuitbreaker;

import dev.guardedby.circuitbreaker.OutcomeRules.Verdict;
import dev.guardedby.circuitbreaker.Transition.Cause;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Guards calls to one remote: cuts them off while it fails, and finds out by itself when it has recovered.
 *
 * <pre>{@code
 * CircuitBreaker llm = CircuitBreaker.builder("llm")
 *         .failureThreshold(3)
 *         .recoveryTimeout(Duration.ofSeconds(30))
 *         .build();
 * String answer = llm.call(() -> client.ask(question));
 * }</pre>
 *
 * <p>CLOSED, calls pass and consecutive failures are counted; at {@code failure-threshold} the breaker trips. OPEN, calls
 * are refused at once until {@code recovery-timeout} has passed. HALF_OPEN, {@code probes} calls find out whether the
 * remote has recovered, and everybody else is refused. No thread and no timer is involved: the wait is judged by whoever
 * looks next, which every admission, {@link #state()} and {@link #timeUntilRetry()} do. Monitoring ({@link #stats()},
 * {@link #refusal()}, {@link #toString()}) moves nothing.
 *
 * <p>A result belongs to the period that admitted it, so what comes late moves nothing: it counts in the totals and as
 * {@linkplain CircuitBreakerStats#stale() stale}.
 *
 * <p>Thread-safe. Admissions and transitions take no lock, nor do results without a rate rule. With one, what may raise a
 * rate takes a lock for a few additions: a failure, a slow call, and each result until {@code minimum-calls} are in. A
 * success of {@code call} or {@code run} on a closed breaker allocates nothing, and reads a clock only for a window of time, a
 * rule for slow calls, or a listener that wants durations.
 * A breaker holds no resources and need not be closed.
 */
public final class CircuitBreaker {
    private final String name;
    /** Null for the breaker of the name itself. */
    private final @Nullable String key;

    private final Engine engine;

    private CircuitBreaker(String name, Settings settings) {
        Rehearsal.once();
        this.name = name;
        this.key = null;
        this.engine = new Engine(this, settings);
    }

    /** The breaker of a key. */
    CircuitBreaker(CircuitBreaker parent, String key, Standing standing) {
        this.name = parent.name;
        this.key = key;
        this.engine = new Engine(this, standing, parent.engine);
    }

    /**
     * A breaker with all defaults.
     *
     * @param name 1 to 64 letters, digits, '.', '_' or '-'
     * @throws IllegalArgumentException if the name is none
     */
    public static CircuitBreaker of(String name) {
        return builder(name).build();
    }

    /** A builder with all defaults; the name is checked when the breaker is built. */
    public static Builder builder(String name) {
        return new Builder(Objects.requireNonNull(name, "name"), Settings.DEFAULT);
    }

    // Guarding a call

    /**
     * Makes the call if it is permitted, and counts how it ended.
     *
     * @return what the call returned
     * @throws X what the call threw, the very object
     * @throws CallNotPermittedException if it is refused; then nothing was called
     */
    public <T extends @Nullable Object, X extends Throwable> T call(Call<? extends T, ? extends X> call) throws X {
        Objects.requireNonNull(call, "call");
        State seen = engine.state;
        if (!seen.calm || Ceiling.areUsed()) {
            return WatchedCall.<T, X>call(engine, call);
        }
        T result;
        try {
            result = call.call();
        } catch (Throwable thrown) {
            try {
                engine.threw(seen, null, Engine.UNTIMED, thrown);
            } catch (Throwable ignored) {
                // A stack that is exhausted, or a clock that throws: nothing of ours hides what the caller must see.
            }
            throw thrown;
        }
        if (engine.state == seen) {
            engine.totals.countSuccess();
        } else {
            engine.returned(seen, null, Engine.UNTIMED, engine.settings.rules.judgeResult(result));
        }
        return result;
    }

    /**
     * Makes the call if it is permitted, and counts how it ended; there is no result, so {@code failOnResult} rules are not
     * asked.
     *
     * @throws X what the call threw, the very object
     * @throws CallNotPermittedException if it is refused; then nothing was called
     */
    public <X extends Throwable> void run(Action<? extends X> action) throws X {
        Objects.requireNonNull(action, "action");
        State seen = engine.state;
        if (!seen.calm || Ceiling.areUsed()) {
            WatchedCall.<X>run(engine, action);
            return;
        }
        try {
            action.run();
        } catch (Throwable thrown) {
            try {
                engine.threw(seen, null, Engine.UNTIMED, thrown);
            } catch (Throwable ignored) {
                // As in call.
            }
            throw thrown;
        }
        if (engine.state == seen) {
            engine.totals.countSuccess();
        } else {
            engine.returned(seen, null, Engine.UNTIMED, Verdict.SUCCESS);
        }
    }

    /**
     * Makes the call if it is permitted, with its permit at hand to record what it cost, and counts how it ended.
     *
     * @param hold the most that the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @return what the call returned
     * @throws X what the call threw, the very object
     * @throws CallNotPermittedException if it is refused; then nothing was called
     */
    public <T extends @Nullable Object, X extends Throwable> T call(
            Cost hold, PermitCall<? extends T, ? extends X> call) throws X {
        return this.<T, X>callFor(Estimate.atMost(Objects.requireNonNull(hold, "hold")), call);
    }

    /**
     * Makes the call if it is permitted, with its permit at hand to record what it cost, and counts how it ended.
     *
     * @param estimate what the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @return what the call returned
     * @throws X what the call threw, the very object
     * @throws CallNotPermittedException if it is refused; then nothing was called
     */
    public <T extends @Nullable Object, X extends Throwable> T callFor(
            Estimate estimate, PermitCall<? extends T, ? extends X> call) throws X {
        Objects.requireNonNull(call, "call");
        return WatchedCall.<T, X>call(acquireFor(estimate), call);
    }

    /**
     * Starts the call if it is permitted, and counts how its stage ends.
     *
     * <p>The future completes with the stage's result or with the very exception that the remote threw. A refusal, or what
     * the supplier throws, is a failed future; a null stage is a failure. Completing the future from outside cancels the
     * stage: a {@link java.util.concurrent.TimeoutException}, as by {@code orTimeout}, counts as a failure, anything else,
     * such as {@code cancel}, is ignored.
     *
     * @throws NullPointerException if the supplier is null; nothing else is thrown
     */
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(Supplier<? extends CompletionStage<T>> call) {
        Objects.requireNonNull(call, "call");
        return GuardedFuture.start(this, Estimate.UNKNOWN, permit -> call.get());
    }

    /**
     * Starts the call if it is permitted, with its permit at hand to record what it cost, and counts how its stage ends; for
     * the rest like {@link #callAsync(Supplier)}.
     *
     * @param hold the most that the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @throws NullPointerException if an argument is null; nothing else is thrown
     */
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Cost hold, Function<? super Permit, ? extends CompletionStage<T>> call) {
        return callAsyncFor(Estimate.atMost(Objects.requireNonNull(hold, "hold")), call);
    }

    /**
     * Starts the call if it is permitted, with its permit at hand to record what it cost, and counts how its stage ends; for
     * the rest like {@link #callAsync(Supplier)}.
     *
     * @param estimate what the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @throws NullPointerException if an argument is null; nothing else is thrown
     */
    public <T extends @Nullable Object> CompletableFuture<T> callAsyncFor(
            Estimate estimate, Function<? super Permit, ? extends CompletionStage<T>> call) {
        return GuardedFuture.start(
                this, Objects.requireNonNull(estimate, "estimate"), Objects.requireNonNull(call, "call"));
    }

    // Two steps

    /**
     * Leave to make one call, for code that cannot be a lambda; report how it ended.
     *
     * @throws CallNotPermittedException if it is refused
     */
    public Permit acquire() {
        return acquireFor(Estimate.UNKNOWN);
    }

    /** Leave to make one call, or empty if it is refused; report how it ended. */
    public Optional<Permit> tryAcquire() {
        return Optional.ofNullable(Admission.now(engine, Estimate.UNKNOWN, false, false));
    }

    /**
     * Leave to make one call that costs at most the hold.
     *
     * @param hold the most that the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @throws CallNotPermittedException if it is refused
     */
    public Permit acquire(Cost hold) {
        return acquireFor(Estimate.atMost(Objects.requireNonNull(hold, "hold")));
    }

    /**
     * Leave to make one call that costs as estimated.
     *
     * @param estimate what the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @throws CallNotPermittedException if it is refused
     */
    public Permit acquireFor(Estimate estimate) {
        Objects.requireNonNull(estimate, "estimate");
        return Objects.requireNonNull(Admission.now(engine, estimate, false, true));
    }

    /**
     * Leave to make one call that costs at most the hold, or empty if it is refused.
     *
     * @param hold the most that the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     */
    public Optional<Permit> tryAcquire(Cost hold) {
        return Optional.ofNullable(
                Admission.now(engine, Estimate.atMost(Objects.requireNonNull(hold, "hold")), false, false));
    }

    /**
     * Leave to make one call that costs at most the hold; never blocks.
     *
     * @param hold the most that the call may cost, to reserve in every budget; a breaker without budgets reserves nothing
     * @return a stage of the permit; it fails with {@link CallNotPermittedException} if the call is refused
     */
    public CompletionStage<Permit> acquireAsync(Cost hold) {
        return Admission.later(engine, Estimate.atMost(Objects.requireNonNull(hold, "hold")));
    }

    /**
     * Why a call made now by this thread would be refused, or empty if it would pass; takes and moves nothing. Where the budgets are in
     * a ledger that is far away it waits for that, which neither the state nor a ledger in memory does.
     */
    public Optional<Refusal> refusal() {
        State seen = engine.state;
        if (seen.mode != Mode.ENFORCE) {
            return Optional.empty();
        }
        if (!(seen instanceof Closed closed && closed.isTimeless())) {
            long now = engine.now();
            State looked = seen.lookAtAdmission(engine, now);
            if (!looked.ridesOnProbe() && !looked.wouldAdmit(now)) {
                return Optional.of(looked.refusal(now));
            }
        }
        return Optional.ofNullable(engine.purse.look()).map(BudgetRefusal::refusal);
    }

    /**
     * Refuses, as a call made now by this thread would be refused: counted, and told to listeners, like any other refusal.
     * Where the call would pass nothing is taken, moved or counted, and nothing promised: it asks for its own permit when it
     * is made, and may still be refused then.
     *
     * <p>For what stands further out than the call and would go to some trouble before it is made, such as a loop of retries.
     *
     * @throws CallNotPermittedException if a call would be refused; it does not ask for a permit then, or counts twice
     */
    public void checkPermitted() {
        engine.checkPermitted();
    }

    // The manual protocol: an admission and results without a permit

    /**
     * Whether a call may be made now: an admission without a permit. While HALF_OPEN it takes a probe's slot, which the next
     * caller may take over after {@code probe-timeout} if nobody reports a result. It is false when a budget is spent, counts as a
     * call in budgets of calls, and holds nothing.
     */
    public boolean canExecute() {
        return Admission.now(engine, Estimate.UNKNOWN, true, false) != null;
    }

    /** Records a success, without a permit, on the present state. */
    public void recordSuccess() {
        engine.recordManual(Verdict.SUCCESS);
    }

    /** Records a failure, without a permit, on the present state. */
    public void recordFailure() {
        engine.recordManual(Verdict.FAILURE);
    }

    /**
     * Records what a call cost, whatever its outcome and the state.
     *
     * @param inputTokens tokens sent, 0 to 10^12
     * @param outputTokens tokens received, 0 to 10^12
     * @param estimatedCostUsd US dollars, 0 to 1,000,000; a fraction of a nano-USD is rounded up
     * @throws IllegalArgumentException if an amount is out of range; then nothing is recorded
     */
    public void recordCost(long inputTokens, long outputTokens, BigDecimal estimatedCostUsd) {
        recordCost(Cost.of(inputTokens, outputTokens, estimatedCostUsd));
    }

    /**
     * Records what a call cost, whatever its outcome and the state. In budgets it is booked at once; where it is recorded by the
     * thread of a call that this breaker guards, as what that call cost.
     *
     * @throws IllegalArgumentException if an amount is above 10^12 tokens or 1,000,000 USD; then nothing is recorded
     */
    public void recordCost(Cost cost) {
        engine.purse.recordCost(cost);
    }

    /** Whether more US dollars than that have been recorded: exactly that many are not above it. */
    public boolean checkCostThreshold(BigDecimal maxCostUsd) {
        return engine.totals.cost.usd().compareTo(maxCostUsd) > 0;
    }

    // Looking

    /** The state, after a look: an OPEN whose wait is over becomes HALF_OPEN. */
    public CircuitState state() {
        return engine.state instanceof Closed
                ? CircuitState.CLOSED
                : engine.look(engine.now()).circuitState();
    }

    /** The rest of the wait, positive, after a look; empty unless the breaker is OPEN with a deadline. */
    public Optional<Duration> timeUntilRetry() {
        long now = engine.now();
        State seen = engine.look(now);
        return seen instanceof Open open && !open.isHeld()
                ? Optional.of(Duration.ofNanos(open.retryNanos(now)))
                : Optional.empty();
    }

    /** The counts at this instant; moves nothing. */
    public CircuitBreakerStats stats() {
        return new CircuitBreakerStats(engine.state, engine.totals, engine.now());
    }

    /** Whether calls have budgets to ask, of this breaker or shared with others; moves nothing. */
    public boolean hasBudgets() {
        return engine.settings.hasBudgets();
    }

    /**
     * How the budgets stand at this instant, the breaker's own before those it shares, last those for one call each, which are those
     * of the call that this thread is in; moves nothing. Those of a store that does not answer are left out.
     */
    public List<BudgetStatus> budgets() {
        Gate gate = engine.purse.gate();
        return gate == null ? List.of() : gate.statuses();
    }

    /**
     * Whether calls should spend less, because a budget has reached its {@code degrade-at}, and by which model; moves nothing. A call
     * that is under way asks its {@link Permit#advice()}, which also knows the budgets for that call. Where a budget has a
     * {@code degrade-at} this waits for a ledger that is far away; it is empty if that does not answer.
     */
    public Optional<Advice> advice() {
        Gate gate = engine.purse.gate();
        return gate == null ? Optional.empty() : gate.advice();
    }

    /**
     * Settles the calls under way, of this breaker and its keys, whose holds would outlive this process: each costs what is known so far,
     * or else what it holds. What they report later is taken for a correction. For the end of an application; a ledger in memory has
     * nothing to settle.
     */
    public void settleOpenCalls() {
        engine.purse.settleOpen();
        keys().ifPresent(keys -> keys.all().forEach(CircuitBreaker::settleOpenCalls));
    }

    /** The latest changes of the state with their evidence, at most 20, the oldest first; moves nothing. */
    public List<Transition> transitions() {
        return engine.state.period.history.transitions;
    }

    /** The latest change of the state, with its evidence; moves nothing. */
    public Optional<Transition> lastTransition() {
        return Optional.ofNullable(engine.state.period.history.last());
    }

    /** How an exception thrown by a call in this thread counts, by this breaker's outcome rules; records nothing. */
    public Outcome outcomeOf(Throwable thrown) {
        return engine.settings.rules.judge(thrown).outcome;
    }

    /**
     * How a stage that fails with an exception counts, by this breaker's outcome rules; records nothing. Unlike
     * {@link #outcomeOf}, which takes an interruption or a cancellation for the caller's own.
     */
    public Outcome outcomeOfStage(Throwable failure) {
        return engine.settings.rules.judgeAsync(failure).outcome;
    }

    // Keys

    /** The key whose calls this breaker guards; empty for the breaker of the name itself. */
    public Optional<String> key() {
        return Optional.ofNullable(key);
    }

    /** The breaker of the name, if this is the one of a key. */
    public Optional<CircuitBreaker> parent() {
        return Optional.ofNullable(engine.parent).map(parent -> parent.breaker);
    }

    /**
     * Gives this breaker one of its own for each key, such as a tenant, a model or a host; they are kept by the argument.
     *
     * @throws IllegalStateException if it has been given them before, or is itself the breaker of a key
     */
    public void keyedBy(KeyedBreakers keys) {
        engine.keyedBy(Objects.requireNonNull(keys, "keys"));
    }

    /** What keeps the breakers of this one's keys; empty if it has no keys. */
    public Optional<KeyedBreakers> keys() {
        return Optional.ofNullable(engine.family).map(family -> family.keeper);
    }

    /**
     * The breaker of a key, made now if there is none.
     *
     * <p>It has the name and the settings of this one, and a state of its own. What it counts counts in the totals here, too, so
     * that they are those of all keys and outlast each; the state, the failures in a row and the rates here are those of the
     * calls that were made without a key. What is done to this breaker, by {@link #reset()}, {@link #holdOpen()}, {@link
     * #mode(Mode)}, {@link #reconfigure} and the like, is done to all its keys; one that is made later begins as this one is, with
     * its settings and its mode, and held open if this one is.
     *
     * @param key 1 to 256 characters, not blank, and none of them a control character
     * @return the breaker to use for this call; where no more can be kept, that is this one
     * @throws IllegalArgumentException if the key is none
     * @throws IllegalStateException if this breaker has no keys
     */
    public CircuitBreaker forKey(String key) {
        Family family = engine.family;
        if (family == null) {
            throw new IllegalStateException(this + " has no keys; give it what keeps them by keyedBy, once");
        }
        return family.of(key);
    }

    /**
     * Whether nothing is lost if this breaker is forgotten and made anew for the next call: closed, no failures in a row, no
     * failures or slow calls in its window, no ramp-up; and, for the breaker of a key, settings and mode of its parent. Moves
     * nothing. Its totals are lost all the same, but for those of the parent, in which they count.
     */
    public boolean isIdle() {
        return engine.isForgettable(0);
    }

    /**
     * Whether nothing that may still matter is lost if this breaker is forgotten and made anew for the next call, given that it
     * has not been called for so long. Moves nothing.
     *
     * <ul>
     *   <li>One that is {@linkplain #isIdle() idle} may be forgotten at any time.
     *   <li>What calls have left behind, failures in a row, results in a window, probes, matters for ten minutes after the last
     *       call; for longer if {@code recovery-timeout}, {@code probe-timeout} or a {@code window} of time is longer.
     *   <li>One that is open matters until its wait is over, and that long afterwards.
     *   <li>One that ramps up matters until it has.
     *   <li>What an operator has made of it alone, held open or with a mode or settings of its own, matters for ever.
     * </ul>
     *
     * @param uncalled the time since the last call, at most 292 years
     */
    public boolean isForgettable(Duration uncalled) {
        return engine.isForgettable(uncalled.toNanos());
    }

    // The operator

    /** Closes, zeroes the consecutive failures, and starts a new period, so that what is in flight is stale. */
    public void reset() {
        engine.operate((breaker, seen, now) -> seen.closedByOperator(breaker, Cause.RESET, now));
    }

    /** Closes like {@link #reset()}; the two differ in the cause that the transition shows. */
    public void forceClose() {
        engine.operate((breaker, seen, now) -> seen.closedByOperator(breaker, Cause.FORCE_CLOSE, now));
    }

    /**
     * Opens as if tripped now, so that the breaker recovers by itself; no effect on one that is open, held open or
     * {@link Mode#DISABLED}.
     */
    public void forceOpen() {
        engine.operate((breaker, seen, now) -> seen.forcedOpen(breaker, now));
    }

    /**
     * Opens until {@link #reset()} or {@link #forceClose()}; one that is open already loses its deadline. No effect when
     * {@link Mode#DISABLED}.
     */
    public void holdOpen() {
        engine.operate((breaker, seen, now) -> seen.heldOpen(breaker, now));
    }

    /**
     * Sets the limit of a budget, at once and in all later windows, in place of the configured one. Done to a breaker that has keys, it
     * holds for its own account and for those of all keys that were given no limit of their own.
     *
     * @param budget the name of a budget of this breaker, or of one it shares, which changes for all that share it
     * @param newLimit as for a {@link Budget} of that unit; 0 refuses all calls
     * @throws IllegalArgumentException if there is no such budget, or the limit is out of range
     * @throws IllegalStateException if the ledger does not take it
     */
    public void limit(String budget, BigDecimal newLimit) {
        Objects.requireNonNull(budget, "budget");
        Objects.requireNonNull(newLimit, "newLimit");
        budgeted(budget).limit(budget, newLimit);
    }

    /**
     * Corrects what a budget has charged in its present window, never below zero. Done to a breaker that has keys, it is about its own
     * account, never those of keys.
     *
     * @param budget the name of a budget of this breaker, or of one it shares
     * @param signedAmount what to add, in the budget's unit; negative to take away
     * @param reason why, for who looks at the books; not blank
     * @throws IllegalArgumentException if there is no such budget, it is one for single calls, or an argument is out of range
     */
    public void adjust(String budget, BigDecimal signedAmount, String reason) {
        Objects.requireNonNull(budget, "budget");
        Objects.requireNonNull(signedAmount, "signedAmount");
        Objects.requireNonNull(reason, "reason");
        budgeted(budget).adjust(budget, signedAmount, reason);
    }

    private Gate budgeted(String budget) {
        Gate gate = engine.purse.gate();
        if (gate == null) {
            throw Gate.noBudget(engine, budget, List.of());
        }
        return gate;
    }

    /** The mode. */
    public Mode mode() {
        return engine.state.mode;
    }

    /**
     * Switches the mode. Between ENFORCE and OBSERVE everything is kept; entering or leaving DISABLED starts a new, closed
     * period.
     */
    public void mode(Mode mode) {
        Objects.requireNonNull(mode, "mode");
        engine.operate((breaker, seen, now) -> seen.switched(breaker, mode, now));
    }

    // The settings

    /** The name. */
    public String name() {
        return name;
    }

    /** The consecutive failures at which the breaker trips; 0 without such a rule. */
    public int failureThreshold() {
        return engine.settings.failureThreshold();
    }

    /** How long the breaker stays open before it probes. */
    public Duration recoveryTimeout() {
        return engine.settings.recoveryTimeout;
    }

    /**
     * Changes settings of a live breaker. Nothing is judged at once: thresholds act on the next result, waits and probes on
     * the next OPEN or HALF_OPEN; a window of another kind or size starts empty. The state, its deadline, counts and calls in
     * flight stay.
     *
     * <p>All keys get the settings that result, in place of any that were changed for one of them alone.
     *
     * @param change writes to a builder that holds the present settings; it runs again if another change comes first
     * @throws IllegalArgumentException if the settings would be bad, or if the ticker, the clock or the listeners change; then
     *     nothing has changed
     * @throws IllegalStateException if the change itself changes settings of a live breaker
     */
    public void reconfigure(Consumer<Builder> change) {
        Objects.requireNonNull(change, "change");
        engine.reconfigure(seen -> {
            Settings changed = seen.copy();
            changed.modeWritten = false;
            change.accept(new Builder(name, changed));
            return changed.checked();
        });
    }

    /**
     * Every setting as it is in force, defaults included, by the name of its key in {@code application.yml}; moves nothing.
     * Numbers are an Integer or a Double, waits a Duration, a window either of the two, and the mode a {@link Mode}. What is
     * off, such as {@code failure-threshold} where only a rate decides, is left out, and so are rules for exceptions and
     * results.
     *
     * @return a map that cannot be changed and does not change, in a fixed order
     */
    public Map<String, Object> settings() {
        return engine.settings.shown(mode());
    }

    Engine engine() {
        return engine;
    }

    /** How messages call it: {@code Circuit breaker 'llm'}, with {@code for key 'acme'} after it if it has one. */
    public String title() {
        return title(name, key);
    }

    /** The same within a sentence. */
    String titleInside() {
        return "c" + title().substring(1);
    }

    static String title(String name, @Nullable String key) {
        return "Circuit breaker '" + name + (key == null ? "'" : "' for key '" + key + "'");
    }

    /**
     * {@code CircuitBreaker[name=llm, state=closed, failures=0/5]}, with {@code key=acme} after the name if it has one; moves
     * nothing.
     */
    @Override
    public String toString() {
        State seen = engine.state;
        int threshold = failureThreshold();
        return "CircuitBreaker[name=" + name + (key == null ? "" : ", key=" + key) + ", state="
                + seen.circuitState().name().toLowerCase(Locale.ROOT) + ", failures=" + seen.streak
                + (threshold == 0 ? "" : "/" + threshold) + "]";
    }

    /**
     * Collects the settings of a breaker; {@link #build()} checks them.
     *
     * <p>Not thread-safe. It may build more than one breaker; what is set afterwards does not touch those built before.
     */
    public static final class Builder {
        private final String name;
        private Settings settings;

        private Builder(String name, Settings settings) {
            this.name = name;
            this.settings = settings;
        }

        /** The settings to write to: none of a builder's own are needed for all defaults, which breakers share. */
        private Settings own() {
            if (settings == Settings.DEFAULT) {
                settings = settings.copy();
            }
            return settings;
        }

        /**
         * Consecutive failures at which the breaker trips: at least 1, default 5. A {@link #failureRateThreshold} replaces the
         * default; what is set here stands beside it, and either trips.
         */
        public Builder failureThreshold(int consecutiveFailures) {
            own().failureThreshold = consecutiveFailures;
            return this;
        }

        /**
         * Share of failures in the window, in percent, at which the breaker trips once {@code minimum-calls} are in: above 0, at
         * most 100; default none.
         */
        public Builder failureRateThreshold(double percent) {
            own().failureRateThreshold = percent;
            return this;
        }

        /**
         * How long a call may run before it counts as slow: positive, at most 10 years; default none. It needs a
         * {@link #slowCallRateThreshold}.
         */
        public Builder slowCallDuration(Duration limit) {
            own().slowCallDuration = Objects.requireNonNull(limit, "slow-call-duration");
            return this;
        }

        /**
         * Share of slow calls, in percent, at which the breaker trips once {@code minimum-calls} are in: above 0, at most 100;
         * default none. Calls that hang are slow while they still run. It needs a {@link #slowCallDuration}.
         */
        public Builder slowCallRateThreshold(double percent) {
            own().slowCallRateThreshold = percent;
            return this;
        }

        /** Rates are of the last so many calls: at least 1, default 100. */
        public Builder window(int calls) {
            own().windowCalls = calls;
            own().windowLength = null;
            return this;
        }

        /**
         * Rates are of the calls of the last so much time: positive, at most 10 years. It forgets in steps of a fiftieth of the
         * length, late and never early.
         */
        public Builder window(Duration length) {
            own().windowLength = Objects.requireNonNull(length, "window");
            return this;
        }

        /**
         * Calls that must be in the window before a rate decides: at least 1, at most a window of calls; default 20, or the
         * window if that is smaller.
         */
        public Builder minimumCalls(int calls) {
            own().minimumCalls = calls;
            return this;
        }

        /** By how much the wait grows with each recovery that fails in a row: at least 1, default 1, which is not at all. */
        public Builder recoveryBackoffMultiplier(double factor) {
            own().recoveryBackoffMultiplier = factor;
            return this;
        }

        /** The longest wait: at least {@code recovery-timeout}, at most 10 years; default 10 times the {@code recovery-timeout}. */
        public Builder maxRecoveryTimeout(Duration cap) {
            own().maxRecoveryTimeout = Objects.requireNonNull(cap, "max-recovery-timeout");
            return this;
        }

        /**
         * The share of the wait that chance may take off, drawn once for each wait, so that instances which tripped together do
         * not probe together: at least 0, below 1; default 0.2 with a growing wait, else 0.
         */
        public Builder recoveryJitter(double share) {
            own().recoveryJitter = share;
            return this;
        }

        /**
         * How long after a recovery only a growing share of the calls passes, from a tenth to all: positive, at most 10 years;
         * default none.
         */
        public Builder rampUp(Duration length) {
            own().rampUp = Objects.requireNonNull(length, "ramp-up");
            return this;
        }

        /**
         * Where to find how long the remote asked to be left alone, on top of the sources set before. It is asked about the
         * failure and what it wraps; the wait is at least that long, up to {@code max-recovery-timeout}. The first that knows
         * counts, before what an {@linkplain #answers answer} says. What it throws is logged, and the wait does without it.
         */
        public Builder retryAfter(Function<? super Throwable, Optional<Duration>> hint) {
            own().add(Objects.requireNonNull(hint, "retryAfter"));
            return this;
        }

        /** How long the breaker stays open before it probes: positive, at most 10 years, default 300 s. */
        public Builder recoveryTimeout(Duration wait) {
            own().recoveryTimeout = Objects.requireNonNull(wait, "recovery-timeout");
            return this;
        }

        /** Calls that find out, while HALF_OPEN, whether the remote has recovered: at least 1, default 1. */
        public Builder probes(int permitted) {
            own().probes = permitted;
            return this;
        }

        /** Probes that must succeed to close the breaker: 1 to {@code probes}, default all of them. */
        public Builder successesToClose(int required) {
            own().successesToClose = required;
            return this;
        }

        /**
         * How long a probe keeps its slot before the next caller may take it over: positive, at most 10 years, default 60 s.
         */
        public Builder probeTimeout(Duration lease) {
            own().probeTimeout = Objects.requireNonNull(lease, "probe-timeout");
            return this;
        }

        /**
         * Exceptions that count as failures, subclasses included, on top of the rules set before. With record rules, an
         * exception that none of them matches is a success; an {@link Error} is always a failure.
         */
        @SafeVarargs
        @SuppressWarnings("varargs") // only read
        public final Builder recordExceptions(Class<? extends Throwable>... types) {
            return recordIf(OutcomeRules.anyOf(types));
        }

        /** Exceptions that say nothing about the remote, subclasses included, on top of the rules set before. */
        @SafeVarargs
        @SuppressWarnings("varargs") // only read
        public final Builder ignoreExceptions(Class<? extends Throwable>... types) {
            return ignoreIf(OutcomeRules.anyOf(types));
        }

        /**
         * Exceptions of which one is proof enough to open the breaker, subclasses included, on top of the rules set before.
         */
        @SafeVarargs
        @SuppressWarnings("varargs") // only read
        public final Builder tripExceptions(Class<? extends Throwable>... types) {
            return tripIf(OutcomeRules.anyOf(types));
        }

        /**
         * A rule for exceptions that count as failures, on top of the rules set before. It is asked about the exception and
         * what it wraps; if it throws, that is logged and the call is a failure.
         */
        public Builder recordIf(Predicate<? super Throwable> rule) {
            own().rules = settings.rules.recording(Objects.requireNonNull(rule, "recordIf"));
            return this;
        }

        /**
         * A rule for exceptions that say nothing about the remote, on top of the rules set before; it wins over all others.
         * It is asked about the exception and what it wraps; if it throws, that is logged and the call is a failure.
         */
        public Builder ignoreIf(Predicate<? super Throwable> rule) {
            own().rules = settings.rules.ignoring(Objects.requireNonNull(rule, "ignoreIf"));
            return this;
        }

        /**
         * A rule for exceptions of which one is proof enough to open the breaker, such as a revoked key, on top of the rules
         * set before. It is asked about the exception and what it wraps; if it throws, that is logged and the call is a
         * failure.
         */
        public Builder tripIf(Predicate<? super Throwable> rule) {
            own().rules = settings.rules.trippingOn(Objects.requireNonNull(rule, "tripIf"));
            return this;
        }

        /**
         * What opens the breaker at once when the remote says it in an answer that one of the {@linkplain #answers readers}
         * understands; replaces what was set before. By default every {@link Proof}; with none, no answer is proof. Ignore
         * rules win over it. Where calls are made with the keys of an application's customers, leave {@link
         * Proof#KEY_REVOKED} out: the revoked key of one of them would stop everybody.
         */
        public Builder tripOn(Proof... proofs) {
            own().rules = settings.rules.trippingOn(Set.copyOf(Arrays.asList(proofs)));
            return this;
        }

        /**
         * One more client whose answers are understood. They say when the remote wants to be called again, by {@code
         * Retry-After} with 429 or 503, which raises the wait as {@link #retryAfter} does, and they may be {@linkplain #tripOn
         * proof}. The reader is asked about the exception and all its causes, and about results if it {@linkplain
         * AnswerReader#readsResults() wants to}; the caller gets the result all the same. What it throws is logged, and the
         * call is judged without it.
         */
        public Builder answers(AnswerReader reader) {
            own().rules = settings.rules.reading(Objects.requireNonNull(reader, "answers"));
            return this;
        }

        /**
         * A rule for results that count as failures, on top of the rules set before; the caller gets the result all the same.
         * It is asked about null, too; if it throws, that is logged and the call is a failure.
         */
        public Builder failOnResult(Predicate<@Nullable Object> rule) {
            own().rules = settings.rules.failingOn(Objects.requireNonNull(rule, "failOnResult"));
            return this;
        }

        /**
         * One more budget, or another in place of the one of that name. With keys, each key has it for itself. A breaker whose budget
         * is spent refuses calls with {@link BudgetExceededException}; its state stays what it is.
         */
        public Builder budget(Budget budget) {
            own().budgets = Settings.with(settings.budgets, Objects.requireNonNull(budget, "budget"));
            return this;
        }

        /**
         * Budgets that breakers share, on top of those set before: all that name them and have the same {@link #ledger} charge to
         * them, and their keys, too. They need a ledger, and a window other than {@link BudgetWindow#call()}.
         */
        public Builder chargeTo(Budget... shared) {
            for (Budget budget : shared) {
                own().chargeTo = Settings.with(settings.chargeTo, Objects.requireNonNull(budget, "charge-to"));
            }
            return this;
        }

        /** Where the accounts of budgets are kept: default one in memory, for this breaker and its keys alone. */
        public Builder ledger(Ledger ledger) {
            own().ledger = Objects.requireNonNull(ledger, "ledger");
            return this;
        }

        /**
         * What a call may cost where it does not say so itself, each of money and tokens by itself; default unknown. A call of which
         * nobody knows passes while anything is left of the budget, which may then be passed by what is under way.
         */
        public Builder estimatePerCall(Cost estimate) {
            own().estimatePerCall = Objects.requireNonNull(estimate, "estimate-per-call");
            return this;
        }

        /**
         * After how long a call that has not ended counts as having cost what it holds: positive, at most 10 years, default 15 min.
         * What it reports later is taken instead.
         */
        public Builder holdTimeout(Duration timeout) {
            own().holdTimeout = Objects.requireNonNull(timeout, "hold-timeout");
            return this;
        }

        /**
         * Failures after which a call costs what it held, because the remote may have done its work, subclasses included, and so are
         * what they caused; replaces what was set before. Default: timeouts of reading, not those of connecting. None: a failed call
         * costs what was recorded.
         */
        @SafeVarargs
        @SuppressWarnings("varargs") // only read
        public final Builder chargeOnFailure(Class<? extends Throwable>... types) {
            own().chargeOnFailure = ChargedFailures.of(types);
            return this;
        }

        /** How far the breaker acts on what it computes: default {@link Mode#ENFORCE}. */
        public Builder mode(Mode mode) {
            own().mode = Objects.requireNonNull(mode, "mode");
            own().modeWritten = true;
            return this;
        }

        /** One more listener. */
        public Builder listener(CircuitBreakerListener listener) {
            own().add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * The time that durations are measured by: monotonic nanoseconds, default {@link System#nanoTime()}. They are
         * compared by difference, so any origin will do.
         */
        public Builder ticker(LongSupplier nanoTime) {
            own().ticker = Objects.requireNonNull(nanoTime, "ticker");
            return this;
        }

        /** The time that people read in timestamps: default the system's. */
        public Builder clock(InstantSource wallClock) {
            own().clock = Objects.requireNonNull(wallClock, "clock");
            return this;
        }

        /**
         * A breaker with these settings.
         *
         * @throws IllegalArgumentException if a setting is out of its range or two do not go together; it names them, the
         *     value and the rule
         */
        public CircuitBreaker build() {
            return new CircuitBreaker(Require.name(name), settings.checked());
        }
    }
}
