package dev.guardedby.spring.aop;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The methods that answer when a guarded call was refused or has failed: one for each exception type.
 *
 * @param choices the nearest exception type first; one that takes no exception last
 */
record Fallback(List<Choice> choices) {
    // A fallback may throw one shared instance again and again; its suppressed exceptions must not grow for ever.
    private static final int MOST_SUPPRESSED = 16;

    /**
     * One method.
     *
     * @param method the method, made accessible
     * @param type what it takes as its last argument, or null if it takes no exception
     */
    record Choice(Method method, @Nullable Class<?> type) {
        boolean takes(Throwable primary) {
            return type == null || type.isInstance(primary);
        }
    }

    /** The one that answers for an exception, or null if none does. */
    @Nullable Choice choose(Throwable primary) {
        for (Choice choice : choices) {
            if (choice.takes(primary)) {
                return choice;
            }
        }
        return null;
    }

    /**
     * Has a method answer.
     *
     * @param target the bean itself, behind its proxies
     * @param arguments those of the call
     * @throws Throwable what the fallback threw, the very object, with the primary as a suppressed exception
     */
    static @Nullable Object answer(
            Choice choice, @Nullable Object target, @Nullable Object[] arguments, Throwable primary) throws Throwable {
        @Nullable Object[] all = arguments;
        if (choice.type != null) {
            all = new @Nullable Object[arguments.length + 1];
            System.arraycopy(arguments, 0, all, 0, arguments.length);
            all[arguments.length] = primary;
        }
        try {
            return choice.method.invoke(target, all);
        } catch (InvocationTargetException e) {
            throw suppress(primary, e.getTargetException());
        }
    }

    /** The exception that a fallback ended with, with the one that it was asked for as suppressed. */
    static Throwable suppress(Throwable primary, Throwable thrown) {
        if (thrown != primary && thrown.getSuppressed().length < MOST_SUPPRESSED) {
            thrown.addSuppressed(primary);
        }
        return thrown;
    }
}
