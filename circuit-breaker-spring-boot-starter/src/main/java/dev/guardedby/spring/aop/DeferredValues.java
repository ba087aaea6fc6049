package dev.guardedby.spring.aop;

import java.util.Objects;
import kotlinx.coroutines.BuildersKt;
import kotlinx.coroutines.CoroutineStart;
import kotlinx.coroutines.Deferred;
import kotlinx.coroutines.Dispatchers;
import kotlinx.coroutines.GlobalScope;
import kotlinx.coroutines.reactor.MonoKt;
import org.reactivestreams.Publisher;
import org.springframework.core.CoroutinesUtils;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import reactor.core.publisher.Mono;

/** The deferred values of Kotlin, which a coroutine that is under way will have. */
final class DeferredValues {
    private DeferredValues() {}

    /**
     * Adapted like Spring does it, but whoever cancels the guarded one cancels the coroutine behind it, and what is guarded has
     * begun when its caller has it.
     */
    static Shape shape() {
        ReactiveAdapter springs = Objects.requireNonNull(
                ReactiveAdapterRegistry.getSharedInstance().getAdapter(Deferred.class));
        ReactiveAdapter ours = new ReactiveAdapter(
                springs.getDescriptor(),
                source -> {
                    Deferred<?> deferred = (Deferred<?>) source;
                    return CoroutinesUtils.deferredToMono(deferred).doOnCancel(() -> deferred.cancel(null));
                },
                DeferredValues::subscribedAtOnce);
        return new ReactiveShape(ours, true);
    }

    // Spring's own would wait in line where its caller is a coroutine that Dispatchers.Unconfined runs.
    private static Deferred<?> subscribedAtOnce(Publisher<?> publisher) {
        Mono<?> mono = Mono.from(publisher);
        return BuildersKt.async(
                GlobalScope.INSTANCE,
                Dispatchers.getUnconfined(),
                CoroutineStart.UNDISPATCHED,
                (scope, continuation) -> MonoKt.awaitSingleOrNull(mono, continuation));
    }
}
