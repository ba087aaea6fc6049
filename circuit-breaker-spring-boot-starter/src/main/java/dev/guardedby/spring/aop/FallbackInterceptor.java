package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.Outcome;
import dev.guardedby.spring.aop.Fallback.Choice;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;

/**
 * Lets the fallback answer for a guarded call that was refused or has failed.
 *
 * <p>It stands outside everything else, so that a retry still retries what has failed and a cache stores no substitute.
 */
final class FallbackInterceptor implements MethodInterceptor {
    private static final int DEEPEST_LAYER = 32;

    private final GuardedMethods methods;

    FallbackInterceptor(GuardedMethods methods) {
        this.methods = methods;
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
            return invocation.proceed();
        } catch (Throwable primary) {
            Choice choice = choose(method, method.fallback(), primary);
            if (choice == null) {
                throw primary;
            }
            return Fallback.answer(choice, target(invocation), invocation.getArguments(), primary);
        }
    }

    @SuppressWarnings("unchecked") // the shape says so
    private static @Nullable CompletionStage<@Nullable Object> stage(
            GuardedMethod method, Fallback fallback, MethodInvocation invocation) {
        CompletionStage<@Nullable Object> first;
        try {
            first = (CompletionStage<@Nullable Object>) invocation.proceed();
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
                    Fallback.answer(choice, target(invocation), invocation.getArguments(), primary);
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
        // A refusal further in says nothing about this breaker's remote, but the caller stands there without an answer.
        boolean wanted = isRefusal(primary) || method.breaker().outcomeOf(primary) == Outcome.FAILURE;
        return wanted ? fallback.choose(primary) : null;
    }

    private static boolean isRefusal(Throwable primary) {
        Throwable layer = primary;
        for (int i = 0; i < DEEPEST_LAYER && isWrapper(layer) && layer.getCause() != null; i++) {
            layer = layer.getCause();
        }
        return layer instanceof CallNotPermittedException;
    }

    private static boolean isWrapper(Throwable layer) {
        return layer instanceof CompletionException
                || layer instanceof ExecutionException
                || layer instanceof InvocationTargetException
                || layer instanceof UndeclaredThrowableException;
    }

    /** The bean itself: on one of its proxies, a private method would see the fields of nobody. */
    private static @Nullable Object target(MethodInvocation invocation) {
        Object target = invocation.getThis();
        for (Object inner = target; inner != null; inner = AopProxyUtils.getSingletonTarget(inner)) {
            target = inner;
        }
        return target;
    }
}
