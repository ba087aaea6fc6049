package dev.guardedby.spring;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.Cost;
import java.math.BigDecimal;
import java.util.Optional;

/**
 * Records what a guarded call costs, from inside it. Inject the bean of this type:
 *
 * <pre>{@code
 * @GuardedBy("llm")
 * public String ask(String question) {
 *     Completion completion = client.complete(question);
 *     costs.record(completion.promptTokens(), completion.completionTokens(), completion.price());
 *     return completion.text();
 * }
 * }</pre>
 *
 * <p>A record belongs to the innermost {@link GuardedBy} call that the current thread is in, adds to what that call has
 * recorded before, and counts whether the call then succeeds or fails. What is recorded here replaces the annotation's
 * {@code cost} expression.
 *
 * <p>Outside a guarded call there is nothing to record on: that is logged, once for each line of code that does it, and
 * otherwise ignored. With {@code guardedby.enabled=false} everything is. Thread-safe.
 */
public interface CostRecorder {

    /**
     * Records tokens and dollars.
     *
     * @param inputTokens tokens sent, cache reads and writes included; 0 to 10^12
     * @param outputTokens tokens received, reasoning included; 0 to 10^12
     * @param usd US dollars, 0 to 1,000,000; a fraction of a nano-USD is rounded up
     * @throws IllegalArgumentException if an amount is out of range; then nothing is recorded
     */
    void record(long inputTokens, long outputTokens, BigDecimal usd);

    /**
     * Records a cost.
     *
     * @throws IllegalArgumentException if it is above 10^12 tokens or 1,000,000 USD; then nothing is recorded
     */
    void record(Cost cost);

    /**
     * The recorder of the call that the current thread is in, to be carried to another thread. It stays with that call, and
     * records on it after the method has returned, too.
     */
    CostRecorder current();

    /**
     * Why this call should spend less, and by which model: a budget of it has reached its {@code degrade-at}. As the budgets stood when
     * the call, or its last step, was admitted; empty if there is no need, and outside a guarded call.
     */
    Optional<Advice> advice();
}
