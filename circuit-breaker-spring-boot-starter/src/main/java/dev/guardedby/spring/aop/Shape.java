package dev.guardedby.spring.aop;

import java.lang.reflect.Method;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.scheduling.annotation.Async;

/** How a method gives its result, and so when its call has ended. */
enum Shape {
    /** It returns the result, or throws. */
    PLAIN,

    /** It returns a stage that ends later. */
    STAGE,

    /** It returns a {@link Future} to the executor of {@link Async}, which waits for it on the same thread. */
    ASYNC_FUTURE;

    /**
     * The shape of a method.
     *
     * @param method the method, as the bean's class has it
     * @param beanClass the class of the bean
     * @throws InvalidGuardException if nobody could see such a call end
     */
    static Shape of(Method method, Class<?> beanClass) {
        Class<?> returned =
                ResolvableType.forMethodReturnType(method, beanClass).toClass();
        if (returned == CompletableFuture.class || returned == CompletionStage.class) {
            return STAGE;
        }
        if (returned == Future.class && isAsync(method, beanClass)) {
            return ASYNC_FUTURE;
        }
        if (Future.class.isAssignableFrom(returned) || CompletionStage.class.isAssignableFrom(returned)) {
            // A plain Future tells nobody when it ends, and a subclass of CompletableFuture cannot be replaced by the
            // one that
            // counts and refuses.
            throw invalid(method, returned, "Let it return CompletableFuture or CompletionStage");
        }
        if (KotlinDetector.isSuspendingFunction(method)
                || ReactiveAdapterRegistry.getSharedInstance().getAdapter(returned) != null) {
            throw invalid(method, returned, "Guard the blocking or CompletableFuture variant of it");
        }
        return PLAIN;
    }

    private static boolean isAsync(Method method, Class<?> beanClass) {
        return AnnotatedElementUtils.hasAnnotation(method, Async.class)
                || AnnotatedElementUtils.hasAnnotation(beanClass, Async.class);
    }

    private static InvalidGuardException invalid(Method method, Class<?> returned, String action) {
        return new InvalidGuardException(
                "@GuardedBy cannot guard " + Signature.qualified(method) + ": nobody can see how the "
                        + Signature.name(returned) + " that it returns ends",
                action);
    }
}
