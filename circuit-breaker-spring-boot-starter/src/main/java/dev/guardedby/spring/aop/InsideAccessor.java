package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.Scope;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Lets whoever propagates contexts, Reactor or the decorator of an executor, take along what a thread is {@link Inside} of.
 *
 * <p>Found by Micrometer's context propagation as a service.
 */
public final class InsideAccessor implements ThreadLocalAccessor<Object> {
    // What was attached to a thread, to be closed there; an array of the JDK's, as in GuardedCall.
    private static final ThreadLocal<@Nullable Object[]> ATTACHED = ThreadLocal.withInitial(() -> new Object[1]);

    /** Made by the service loader. */
    public InsideAccessor() {}

    @Override
    public Object key() {
        return Inside.KEY;
    }

    @Override
    public @Nullable Object getValue() {
        Inside inside = Inside.present();
        return inside.isNothing() ? null : inside;
    }

    @Override
    public void setValue(Object value) {
        become((Inside) value);
    }

    @Override
    public void setValue() {
        become(Inside.NOTHING);
    }

    private static void become(Inside inside) {
        // Given back what it had before, a thread is still in the scopes that it attached itself.
        detach();
        GuardedCall.enter(inside.call());
        ATTACHED.get()[0] = inside.attachScope();
    }

    private static void detach() {
        @Nullable Object[] attached = ATTACHED.get();
        if (attached[0] instanceof Scope scope) {
            scope.close();
            attached[0] = null;
        }
    }
}
