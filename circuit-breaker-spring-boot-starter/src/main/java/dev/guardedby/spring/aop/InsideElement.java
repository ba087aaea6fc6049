package dev.guardedby.spring.aop;

import dev.guardedby.spring.aop.Inside.Visit;
import kotlin.coroutines.AbstractCoroutineContextElement;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.ThreadContextElement;
import kotlinx.coroutines.reactor.ReactorContext;
import org.jspecify.annotations.Nullable;
import reactor.util.context.Context;

/**
 * Makes what a coroutine is {@link Inside} of current for each thread that it runs on, for as long as it runs there.
 *
 * <p>It holds nothing itself: a coroutine that is a subscription knows the context of that, where the guard has put it, and so
 * do its children.
 */
final class InsideElement extends AbstractCoroutineContextElement implements ThreadContextElement<Visit> {
    private static final CoroutineContext.Key<InsideElement> KEY = new CoroutineContext.Key<>() {};
    private static final InsideElement ELEMENT = new InsideElement();

    private InsideElement() {
        super(KEY);
    }

    /** A context whose coroutines are current for their threads. */
    static CoroutineContext addedTo(CoroutineContext context) {
        return context.plus(ELEMENT);
    }

    /** A context whose coroutines are inside of that, and current for their threads. */
    static CoroutineContext addedTo(CoroutineContext context, Inside inside) {
        ReactorContext present = context.get(ReactorContext.Key);
        Context contents = present == null ? Context.empty() : present.getContext();
        return context.plus(new ReactorContext(contents.put(Inside.KEY, inside)))
                .plus(ELEMENT);
    }

    /** A context as it was before something was added to the original. */
    static CoroutineContext removedFrom(CoroutineContext context, CoroutineContext original) {
        ReactorContext before = original.get(ReactorContext.Key);
        CoroutineContext without = original.get(KEY) == null ? context.minusKey(KEY) : context;
        return before == null ? without.minusKey(ReactorContext.Key) : without.plus(before);
    }

    /** What a coroutine is inside of, or null if its context does not say. */
    static @Nullable Inside of(CoroutineContext context) {
        ReactorContext present = context.get(ReactorContext.Key);
        return present == null ? null : present.getContext().getOrDefault(Inside.KEY, null);
    }

    @Override
    public @Nullable Visit updateThreadContext(CoroutineContext context) {
        Inside inside = of(context);
        return inside == null ? null : inside.enter();
    }

    @Override
    public void restoreThreadContext(CoroutineContext context, @Nullable Visit visit) {
        if (visit != null) {
            visit.end();
        }
    }
}
