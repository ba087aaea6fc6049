package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.ModelUsage;
import dev.guardedby.spring.models.ModelCall;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A call of a model outside every guarded call, which nobody counts. */
enum UnguardedModelCall implements ModelCall {
    INSTANCE;

    @Override
    public Optional<String> model() {
        return Optional.empty();
    }

    @Override
    public void end(@Nullable Object answer) {}

    @Override
    public void endStream(@Nullable Object last, long outputTokens) {}

    @Override
    public void end(ModelUsage usage) {}

    @Override
    public void cut(long outputTokens) {}

    @Override
    public void notMade() {}

    @Override
    public void fail(Throwable failure) {}

    @Override
    public boolean isCurrent() {
        return GuardedCall.innermost() == null;
    }

    @Override
    public void inside(Runnable work) {
        work.run();
    }
}
