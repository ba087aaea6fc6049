package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.aop.Fallback.Choice;
import java.lang.reflect.Method;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;

/**
 * Lets the fallback answer for a guarded call that was refused or has failed.
 *
 * <p>It stands outside caches, so that they store no substitute, and outside retries, so that it answers after the last
 * attempt. Where a retry is all that may answer in between, it asks the breaker before the first one.
 */
final class FallbackInterceptor implements MethodInterceptor {
    private static final int DEEPEST_LAYER = 32;

    private final GuardedMethods methods;
    private final Set<Method> retried;

    FallbackInterceptor(GuardedMethods methods) {
        this(methods, Set.of());
    }

    private FallbackInterceptor(GuardedMethods methods, Set<Method> retried) {
        this.methods = methods;
        this.retried = retried;
    }

    /** The same for one proxy, asking the breaker first about methods that are retried there, and not cached. */
    FallbackInterceptor askingFirst(Set<Method> retriedMethods) {
        return new FallbackInterceptor(methods, Set.copyOf(retriedMethods));
    }

    boolean isAskingFirst() {
        return !retried.isEmpty();
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        GuardedMethod method = methods.of(invocation);
        if (method == null || method.fallback() == null) {
            return invocation.proceed();
        }
        if (method.shape() == Shape.STAGE) {
            return stage(method, method.fallback(), invocation);
        }
        try {
            return proceed(method, invocation);
        } catch (Throwable primary) {
            Choice choice = choose(method, method.fallback(), primary);
            if (choice == null) {
                throw primary;
            }
            return Fallback.answer(choice, target(choice, invocation), invocation.getArguments(), primary);
        }
    }

    /** Goes on, unless the call would be refused anyway and a retry is there to try it again and again. */
    private @Nullable Object proceed(GuardedMethod method, MethodInvocation invocation) throws Throwable {
        if (retried.contains(method.method())) {
            method.breaker().checkPermitted();
        }
        return invocation.proceed();
    }

    @SuppressWarnings("unchecked") // the shape says so
    private @Nullable CompletionStage<@Nullable Object> stage(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation) {
        CompletionStage<@Nullable Object> first;
        try {
            first = (CompletionStage<@Nullable Object>) proceed(method, invocation);
        } catch (Throwable thrown) {
            first = CompletableFuture.failedFuture(thrown);
        }
        if (first == null || (first instanceof CompletableFuture<?> future && hasSucceeded(future))) {
            return first;
        }
        LinkedFuture<@Nullable Object> answer = new LinkedFuture<>(first);
        first.whenComplete((result, failure) -> {
            if (failure == null || answer.isDone()) {
                answer.end(result, failure);
                return;
            }
            Throwable primary = LinkedFuture.unwrapped(failure);
            Choice choice = choose(method, fallback, primary);
            if (choice == null) {
                answer.end(result, primary);
            } else {
                follow(answer, choice, invocation, primary);
            }
        });
        return answer;
    }

    private static boolean hasSucceeded(CompletableFuture<?> future) {
        return future.isDone() && !future.isCompletedExceptionally();
    }

    @SuppressWarnings("unchecked") // what a fallback returns is assignable to what the method does
    private static void follow(
            LinkedFuture<@Nullable Object> answer, Choice choice, MethodInvocation invocation, Throwable primary) {
        CompletionStage<@Nullable Object> second;
        try {
            second = (CompletionStage<@Nullable Object>)
                    Fallback.answer(choice, target(choice, invocation), invocation.getArguments(), primary);
            if (second == null) {
                throw Fallback.suppress(
                        primary, new NullPointerException("the fallback returned null instead of a stage"));
            }
        } catch (Throwable thrown) {
            answer.completeExceptionally(thrown);
            return;
        }
        answer.await(second);
        second.whenComplete((result, failure) -> answer.end(
                result, failure == null ? null : Fallback.suppress(primary, LinkedFuture.unwrapped(failure))));
    }

    private static @Nullable Choice choose(GuardedMethod method, Fallback fallback, Throwable primary) {
        CircuitBreaker breaker = method.breaker();
        Outcome outcome = method.shape() == Shape.STAGE ? breaker.outcomeOfStage(primary) : breaker.outcomeOf(primary);
        boolean wanted = outcome == Outcome.FAILURE || (outcome == Outcome.IGNORED && isRefusal(primary));
        return wanted ? fallback.choose(primary) : null;
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

    /** The bean itself, behind all proxies: on one of them, a private method would see the fields of nobody. */
    private static @Nullable Object target(Choice choice, MethodInvocation invocation) {
        Object target = invocation.getThis();
        for (Object inner = target; inner != null; inner = AopProxyUtils.getSingletonTarget(inner)) {
            // What is behind a client without a class may be something else altogether.
            if (choice.method().getDeclaringClass().isInstance(inner)) {
                target = inner;
            }
        }
        return target;
    }
}
