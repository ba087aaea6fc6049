package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.Outcome;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.target.EmptyTargetSource;

/**
 * The methods that answer when a guarded call was refused or has failed: one for each exception type.
 *
 * @param choices the nearest exception type first; one that takes no exception last
 */
record Fallback(List<Choice> choices) {
    // A fallback may throw one shared instance again and again; its suppressed exceptions must not grow for ever.
    private static final int MOST_SUPPRESSED = 16;
    private static final int DEEPEST_LAYER = 32;

    /**
     * One method.
     *
     * @param method the method, made accessible
     * @param type what it takes as its last argument, or null if it takes no exception
     * @param ofSuspending whether it answers for a suspend function, so that its answer is a publisher
     */
    record Choice(Method method, @Nullable Class<?> type, boolean ofSuspending) {
        boolean takes(Throwable primary) {
            return type == null || type.isInstance(primary);
        }

        /**
         * Has the method answer instead of a call.
         *
         * @throws Throwable what the fallback threw, the very object, with the primary as a suppressed exception
         */
        @Nullable Object answer(MethodInvocation invocation, Throwable primary) throws Throwable {
            @Nullable Object[] arguments = invocation.getArguments();
            // The last argument of a suspend function is where it goes on.
            int count = ofSuspending ? arguments.length - 1 : arguments.length;
            @Nullable Object[] all = new @Nullable Object[type == null ? count : count + 1];
            System.arraycopy(arguments, 0, all, 0, count);
            if (type != null) {
                all[count] = primary;
            }
            Object target = targetOf(invocation);
            try {
                if (ofSuspending) {
                    return SuspendShape.answer(method, target, all, arguments[count]);
                }
                return isAllThereIs(target) ? body(target, all) : method.invoke(target, all);
            } catch (InvocationTargetException e) {
                throw suppress(primary, e.getTargetException());
            }
        }

        /** Whether the method is a default one of a client without a class, such as an HTTP interface. */
        private boolean isAllThereIs(@Nullable Object target) {
            return method.isDefault()
                    && target instanceof Advised client
                    && client.getTargetSource() instanceof EmptyTargetSource
                    && Proxy.isProxyClass(target.getClass());
        }

        // By way of the client, Spring would call it, and cannot where the interface is not public.
        private @Nullable Object body(@Nullable Object client, @Nullable Object[] arguments)
                throws InvocationTargetException {
            Class<?> declaring = method.getDeclaringClass();
            try {
                return MethodHandles.privateLookupIn(declaring, MethodHandles.lookup())
                        .unreflectSpecial(method, declaring)
                        .asFixedArity()
                        .bindTo(client)
                        .invokeWithArguments(arguments);
            } catch (Throwable thrown) {
                throw new InvocationTargetException(thrown);
            }
        }

        /** The bean itself, behind all proxies: on one of them, a private method would see the fields of nobody. */
        private @Nullable Object targetOf(MethodInvocation invocation) {
            Object target = invocation.getThis();
            for (Object inner = target; inner != null; inner = AopProxyUtils.getSingletonTarget(inner)) {
                // What is behind a client without a class may be something else altogether.
                if (method.getDeclaringClass().isInstance(inner)) {
                    target = inner;
                }
            }
            return target;
        }
    }

    /** The one that answers for what a call ended with, or null if none does. */
    @Nullable Choice choose(GuardedMethod method, Throwable primary) {
        if (primary instanceof InvalidKeyException invalid && invalid.isOf(method.method())) {
            // The caller's mistake, of which no outage is the cause.
            return null;
        }
        Outcome outcome = method.shape().outcomeOf(method.breaker(), primary);
        if (outcome == Outcome.FAILURE || (outcome == Outcome.IGNORED && isRefusal(primary))) {
            for (Choice choice : choices) {
                if (choice.takes(primary)) {
                    return choice;
                }
            }
        }
        return null;
    }

    // A refusal further in says nothing about this breaker's remote, but the caller stands there without an answer.
    private static boolean isRefusal(Throwable primary) {
        Throwable layer = primary;
        for (int i = 0; i < DEEPEST_LAYER && layer != null; i++) {
            if (layer instanceof CallNotPermittedException) {
                return true;
            }
            layer = layer.getCause();
        }
        return false;
    }

    /** The exception that a fallback ended with, with the one that it was asked for as suppressed. */
    static Throwable suppress(Throwable primary, Throwable thrown) {
        List<Throwable> present = List.of(thrown.getSuppressed());
        if (thrown != primary && present.size() < MOST_SUPPRESSED && !present.contains(primary)) {
            thrown.addSuppressed(primary);
        }
        return thrown;
    }
}
