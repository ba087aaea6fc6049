package dev.guardedby.spring.models;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Makes each call of a model a step of the guarded call that it is made in, for what stands between an application and its models. Inject
 * the bean of this type:
 *
 * <pre>{@code
 * ModelCall call = modelCalls.begin(ModelRequest.of("acme-large").withTokens(estimate, maxTokens));
 * try {
 *     Answer answer = client.ask(call.model().orElse("acme-large"), question);
 *     call.end(answer);
 *     return answer;
 * } catch (Throwable failure) {
 *     call.fail(failure);
 *     throw failure;
 * }
 * }</pre>
 *
 * <p>Budgets are asked before, with what the call may cost by the prices in force; a refusal ends the loop that it is made in. What it
 * cost is booked afterwards, once: what the guarded method returns is then not read any more. Outside every guarded call all of this does
 * nothing. Thread-safe.
 */
public interface ModelCalls {
    /** Under which a Reactor context has what a guarded call takes along, for {@link #beginAsync}. */
    String CONTEXT_KEY = "guardedby.call";

    /**
     * Asks for leave to call a model in the guarded call that the current thread is in; waits for a ledger that is far away.
     *
     * @throws dev.guardedby.circuitbreaker.CallNotPermittedException if it is refused
     */
    ModelCall begin(ModelRequest request);

    /**
     * Asks for leave to call a model; never blocks.
     *
     * @param carried what a Reactor context has under {@link #CONTEXT_KEY}; null for the guarded call that the current thread is in
     * @return a stage that fails with {@link dev.guardedby.circuitbreaker.CallNotPermittedException} if it is refused
     */
    CompletionStage<ModelCall> beginAsync(ModelRequest request, @Nullable Object carried);
}
