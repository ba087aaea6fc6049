package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Advice;
import dev.guardedby.circuitbreaker.Estimate;
import dev.guardedby.circuitbreaker.Permit;
import dev.guardedby.circuitbreaker.Step;
import dev.guardedby.spring.models.ModelCall;
import dev.guardedby.spring.models.ModelCalls;
import dev.guardedby.spring.models.ModelRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/** Makes calls of models steps of the guarded calls that they are made in. */
final class ModelSteps implements ModelCalls {
    /** Whether something on the class path asks for steps by itself. */
    static final boolean ARE_MADE = isPresent("org.springframework.ai.chat.client.advisor.api.CallAdvisor")
            || isPresent("dev.langchain4j.model.chat.ChatModel");

    private static final CompletionStage<ModelCall> UNGUARDED =
            CompletableFuture.completedFuture(UnguardedModelCall.INSTANCE);

    private final UsageCosts usages;

    ModelSteps(UsageCosts usages) {
        this.usages = usages;
    }

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, ModelSteps.class.getClassLoader());
    }

    @Override
    public ModelCall begin(ModelRequest request) {
        Inside inside = Inside.present();
        GuardedCall call = inside.call();
        if (call == null) {
            return UnguardedModelCall.INSTANCE;
        }
        ModelStep step = prepared(call.proper(), inside, request);
        Permit permit = step.permit();
        return permit == null ? step : step.admitted(permit.step(step.estimate()));
    }

    @Override
    public CompletionStage<ModelCall> beginAsync(ModelRequest request, @Nullable Object carried) {
        Inside inside = carried instanceof Inside taken ? taken : Inside.present();
        GuardedCall call = inside.call();
        if (call == null) {
            return UNGUARDED;
        }
        try {
            ModelStep step = prepared(call.proper(), inside, request);
            Permit permit = step.permit();
            return permit == null
                    ? CompletableFuture.completedFuture(step)
                    : admitted(step, permit.stepAsync(step.estimate()));
        } catch (RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    // Not a dependent stage, which would wrap the refusal.
    private static CompletionStage<ModelCall> admitted(ModelStep step, CompletionStage<Step> asked) {
        CompletableFuture<ModelCall> result = new CompletableFuture<>();
        CompletionStage<Step> unused = asked.whenComplete((given, refused) -> {
            if (refused == null) {
                result.complete(step.admitted(given));
            } else {
                result.completeExceptionally(refused);
            }
        });
        return result;
    }

    private ModelStep prepared(GuardedCall call, Inside inside, ModelRequest asked) {
        Pricing.AtStart prices = usages.pricing().now();
        UsageCost costs = usages.ofSteps(call.breaker());
        String cheaper = cheaper(call, asked, prices, costs);
        ModelRequest request = cheaper == null ? asked : asked.by(cheaper);
        String unpriced = unpriced(request, prices, costs);
        Estimate estimate = prices.estimate(request, costs.learnt().likely().likely());
        return new ModelStep(
                call,
                inside,
                costs,
                request,
                cheaper,
                prices,
                unpriced == null ? estimate : estimate.withoutPriceOf(unpriced));
    }

    /** The model that a budget advises; not one that would be refused, which would be worse than a dear one. */
    private @Nullable String cheaper(GuardedCall call, ModelRequest asked, Pricing.AtStart prices, UsageCost costs) {
        String model =
                asked.fixed() ? null : call.advice().flatMap(Advice::model).orElse(null);
        if (model == null || model.equals(asked.model())) {
            return null;
        }
        Permit permit = call.permit();
        String unpriced = unpriced(asked.by(model), prices, costs);
        if (permit != null && unpriced != null && permit.countsDollars()) {
            usages.pricing().warnOfUselessAdvice(model, unpriced);
            return null;
        }
        return model;
    }

    /** The model without a price that is asked for, or has answered in place of it, if such calls are to be refused; else null. */
    private @Nullable String unpriced(ModelRequest request, Pricing.AtStart prices, UsageCost costs) {
        return usages.pricing().rejects(request, prices) ? request.model() : costs.unpricedAnswerTo(request);
    }
}
