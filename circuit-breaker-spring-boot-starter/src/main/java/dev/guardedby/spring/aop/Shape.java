package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.models.ModelRequest;
import java.lang.reflect.Method;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.core.KotlinDetector;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.scheduling.annotation.Async;
import org.springframework.util.ClassUtils;

/** How a method gives its result, and so when its call begins and when it has ended. */
interface Shape {

    /**
     * Makes the call through a breaker.
     *
     * @param request what a model will be asked for; null if that is not known
     * @throws Throwable what the method threw, the very object, or the refusal
     */
    @Nullable Object guard(
            GuardedMethod method, CircuitBreaker breaker, MethodInvocation invocation, @Nullable ModelRequest request)
            throws Throwable;

    /**
     * What the method returns for a call that cannot be made.
     *
     * @throws Throwable the reason, where the method returns nothing that could fail with it
     */
    @Nullable Object failed(Throwable reason) throws Throwable;

    /**
     * Makes the call and lets the fallback answer for a refusal or a failure.
     *
     * @param asked the breaker, if it is to be asked before anything that stands between this and the guard
     * @throws Throwable what the call ended with, if the fallback is not for it, or what the fallback threw
     */
    @Nullable Object guardWithFallback(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation, @Nullable CircuitBreaker asked)
            throws Throwable;

    /** How the breaker counts what a call ended with. */
    Outcome outcomeOf(CircuitBreaker breaker, Throwable thrown);

    /**
     * The shape of a method.
     *
     * @param method the method, as the bean's class has it
     * @param beanClass the class of the bean
     * @throws InvalidGuardException if nobody could see such a call end
     */
    static Shape of(Method method, Class<?> beanClass) {
        ResolvableType type = ResolvableType.forMethodReturnType(method, beanClass);
        Class<?> returned = type.toClass();
        if (KotlinDetector.isSuspendingFunction(method)) {
            return Kotlin.shapeOfSuspending(method, beanClass);
        }
        if (Kotlin.isFlow(returned)) {
            return Kotlin.shapeOfFlow(method, returned);
        }
        if (Kotlin.isDeferred(returned)) {
            return Kotlin.shapeOfDeferred(method, returned);
        }
        if (returned == CompletableFuture.class || returned == CompletionStage.class) {
            return new StageShape();
        }
        if (returned == Future.class && isAsync(method, beanClass)) {
            return PlainShape.OF_FUTURE;
        }
        if (Future.class.isAssignableFrom(returned) || CompletionStage.class.isAssignableFrom(returned)) {
            // A plain Future tells nobody when it ends, and a subclass of CompletableFuture cannot be replaced by the
            // one that counts and refuses.
            throw invalid(method, returned, "Let it return CompletableFuture or CompletionStage");
        }
        Class<?> later = LaterWork.returnedAs(type);
        if (later != null) {
            throw invalid(
                    method,
                    later,
                    "Guard the method of another bean that does the work, or let it return CompletableFuture, Mono or"
                            + " Flux");
        }
        ReactiveAdapter adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(returned);
        if (adapter == null && !Flow.Publisher.class.isAssignableFrom(returned)) {
            return returned == Object.class ? new UndeclaredShape() : PlainShape.OF_RESULT;
        }
        if (!ClassUtils.isPresent("reactor.core.publisher.Mono", Shape.class.getClassLoader())) {
            throw invalid(method, returned, "Add io.projectreactor:reactor-core to the classpath");
        }
        if (adapter == null || adapter.getReactiveType() != returned) {
            // The guarded publisher is another object, which would not be of a subclass.
            throw invalid(
                    method,
                    returned,
                    "Let it return " + (adapter == null ? "Mono or Flux" : Signature.name(adapter.getReactiveType())));
        }
        return new ReactiveShape(adapter);
    }

    private static boolean isAsync(Method method, Class<?> beanClass) {
        return AnnotatedElementUtils.hasAnnotation(method, Async.class)
                || AnnotatedElementUtils.hasAnnotation(beanClass, Async.class);
    }

    /** Throws what it is given where no exception can be declared, for somebody who hands on whatever comes. */
    @SuppressWarnings("unchecked")
    static <X extends Throwable> RuntimeException sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    static InvalidGuardException invalid(Method method, Class<?> returned, String action) {
        return new InvalidGuardException(
                "@GuardedBy cannot guard " + Signature.qualified(method) + ": nobody can see how the "
                        + Signature.name(returned) + " that it returns ends",
                action);
    }
}
