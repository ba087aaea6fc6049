package dev.guardedby.spring.aop;

import dev.guardedby.spring.models.ModelCall;
import dev.guardedby.spring.models.ModelCalls;
import dev.guardedby.spring.models.ModelRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Those of an application with {@code guardedby.enabled=false}: every call of a model is made, and nobody counts it. */
final class UnguardedModelCalls implements ModelCalls {

    @Override
    public ModelCall begin(ModelRequest request) {
        return UnguardedModelCall.INSTANCE;
    }

    @Override
    public CompletionStage<ModelCall> beginAsync(ModelRequest request, @Nullable Object carried) {
        return CompletableFuture.completedFuture(UnguardedModelCall.INSTANCE);
    }
}
