package dev.guardedby.spring.aop;

import java.util.Objects;
import kotlinx.coroutines.Deferred;
import org.springframework.core.CoroutinesUtils;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;

/** The deferred values of Kotlin, which a coroutine that is under way will have. */
final class DeferredValues {
    private DeferredValues() {}

    /** Adapted like Spring does it, but whoever cancels the guarded one cancels the coroutine behind it. */
    static Shape shape() {
        ReactiveAdapter springs = Objects.requireNonNull(
                ReactiveAdapterRegistry.getSharedInstance().getAdapter(Deferred.class));
        ReactiveAdapter ours = new ReactiveAdapter(
                springs.getDescriptor(),
                source -> {
                    Deferred<?> deferred = (Deferred<?>) source;
                    return CoroutinesUtils.deferredToMono(deferred).doOnCancel(() -> deferred.cancel(null));
                },
                springs::fromPublisher);
        return new ReactiveShape(ours, true);
    }
}
