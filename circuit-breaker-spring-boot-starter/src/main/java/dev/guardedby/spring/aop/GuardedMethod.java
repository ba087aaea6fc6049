package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Estimate;
import dev.guardedby.spring.models.ModelRequest;
import java.lang.reflect.Method;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;

/**
 * Everything about a guarded method that is decided before it is called.
 *
 * @param method the method, as the bean's class has it
 * @param breaker what guards it, and where it has keys, the breaker of the name
 * @param shape how it gives its result
 * @param fallback what answers when it fails, or null
 * @param cost what reads its cost from the result, or null
 * @param usage what reads from the result what was used, and so its cost; null if it cannot tell, or {@code cost} does
 * @param key what reads from the arguments whose call it is, or null
 * @param argument which of its arguments tells what a model will be asked for; null if none can tell, or {@code cost} tells the cost
 * @param learnt what its calls cost as a rule
 */
record GuardedMethod(
        Method method,
        CircuitBreaker breaker,
        Shape shape,
        @Nullable Fallback fallback,
        @Nullable CostExpression cost,
        @Nullable UsageCost usage,
        @Nullable KeyExpression key,
        @Nullable ModelArgument argument,
        LearntCost learnt) {

    private static final String ASKED = GuardedMethod.class.getName() + ".asked";

    /** Whether the cost depends on the result. */
    boolean readsResult() {
        return cost != null || usage != null;
    }

    /**
     * What a call will ask a model for, by its arguments; null if they do not tell, or if no budget will be asked. It is read while the
     * breaker is open, too, because a publisher may be subscribed to when it has closed.
     */
    @Nullable ModelRequest request(MethodInvocation invocation) {
        return argument == null || !breaker.hasBudgets() ? null : argument.read(invocation.getArguments());
    }

    /**
     * What one call that begins now may cost, as far as its arguments and the calls before it tell.
     *
     * @param request what a model will be asked for; null if it is not known
     */
    Estimate estimate(@Nullable ModelRequest request) {
        Estimate likely = learnt.likely();
        Estimate estimate = argument == null || request == null ? likely : argument.estimate(request, likely.likely());
        String unpriced = usage == null ? null : usage.unpricedAnswer();
        return unpriced == null ? estimate : estimate.withoutPriceOf(unpriced);
    }

    /** Whether it is to be known what calls cost as a rule. */
    boolean learns() {
        return breaker.hasBudgets();
    }

    /** A call has succeeded that cost so much. */
    void learn(Cost cost) {
        learnt.add(cost);
    }

    /**
     * Whether a call has its permit at hand: because it is to be charged to budgets, may make calls of models on the way, or is to be refused
     * by budgets around it.
     */
    boolean needsPermit() {
        return breaker.hasBudgets() || ModelSteps.ARE_MADE || (usage != null && usage.unpricedAnswer() != null);
    }

    /**
     * What guards one call.
     *
     * @throws InvalidKeyException if it is to have a key and has none
     */
    CircuitBreaker breakerFor(MethodInvocation invocation) {
        if (key == null) {
            return breaker;
        }
        CircuitBreaker asked = invocation instanceof ProxyMethodInvocation proxied ? takeAsked(proxied) : null;
        return asked == null ? key.breaker(invocation.getArguments()) : asked;
    }

    /**
     * What guards one call, for whoever asks it before the call is made. The call then goes through the very same, so that it is
     * looked up, and counted, once; a second attempt is a call of its own.
     *
     * @throws InvalidKeyException if it is to have a key and has none
     */
    CircuitBreaker askedFor(MethodInvocation invocation) {
        CircuitBreaker found = breakerFor(invocation);
        if (key != null && invocation instanceof ProxyMethodInvocation proxied) {
            proxied.setUserAttribute(ASKED, found);
        }
        return found;
    }

    private static @Nullable CircuitBreaker takeAsked(ProxyMethodInvocation invocation) {
        CircuitBreaker asked = (CircuitBreaker) invocation.getUserAttribute(ASKED);
        if (asked != null) {
            invocation.setUserAttribute(ASKED, null);
        }
        return asked;
    }
}
