package dev.guardedby.spring.aop;

import java.util.Map;
import org.aopalliance.aop.Advice;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.aspectj.AbstractAspectJAdvice;
import org.springframework.aop.support.AbstractBeanFactoryPointcutAdvisor;

/**
 * What an advisor is to the guard: where it should stand depends on that alone.
 *
 * <p>Those of other libraries are known by the names of their classes or of the classes that these extend, so that none of
 * them has to be there.
 */
enum Neighbour {
    /** Hands the call to another thread: {@code @Async}. */
    ASYNC,
    /** Ours: answers where the call was refused or has failed. */
    FALLBACK,
    /** Makes the call again: {@code @Retryable} of Spring Framework 7 and of Spring Retry, {@code @Retry} of Resilience4j. */
    RETRY,
    /** Refuses for a reason of this process: {@code @ConcurrencyLimit}, Resilience4j's bulkheads and rate limiters. */
    LIMIT,
    /** Answers what it has answered before. */
    CACHE,
    /** Ours: makes the call through the breaker. */
    GUARD,
    /** Commits what the call did. */
    TRANSACTION,
    /** Anything else, which we leave alone. */
    OTHER;

    static final Map<String, Neighbour> KNOWN = Map.ofEntries(
            Map.entry("org.springframework.scheduling.annotation.AsyncAnnotationAdvisor", ASYNC),
            Map.entry("org.springframework.aop.interceptor.AsyncExecutionAspectSupport", ASYNC),
            Map.entry("org.springframework.resilience.retry.AbstractRetryInterceptor", RETRY),
            Map.entry("org.springframework.retry.annotation.RetryConfiguration", RETRY),
            Map.entry("org.springframework.retry.annotation.AnnotationAwareRetryOperationsInterceptor", RETRY),
            Map.entry("org.springframework.retry.interceptor.RetryOperationsInterceptor", RETRY),
            Map.entry("org.springframework.retry.interceptor.StatefulRetryOperationsInterceptor", RETRY),
            Map.entry("io.github.resilience4j.spring6.retry.configure.RetryAspect", RETRY),
            Map.entry(
                    "org.springframework.resilience.annotation.ConcurrencyLimitBeanPostProcessor"
                            + "$ConcurrencyLimitInterceptor",
                    LIMIT),
            Map.entry("org.springframework.aop.interceptor.ConcurrencyThrottleInterceptor", LIMIT),
            Map.entry("io.github.resilience4j.spring6.bulkhead.configure.BulkheadAspect", LIMIT),
            Map.entry("io.github.resilience4j.spring6.ratelimiter.configure.RateLimiterAspect", LIMIT),
            Map.entry("org.springframework.cache.interceptor.BeanFactoryCacheOperationSourceAdvisor", CACHE),
            Map.entry("org.springframework.cache.jcache.interceptor.BeanFactoryJCacheOperationSourceAdvisor", CACHE),
            Map.entry("org.springframework.cache.interceptor.AbstractCacheInvoker", CACHE),
            Map.entry(
                    "org.springframework.transaction.interceptor.BeanFactoryTransactionAttributeSourceAdvisor",
                    TRANSACTION),
            Map.entry("org.springframework.transaction.interceptor.TransactionAttributeSourceAdvisor", TRANSACTION),
            Map.entry("org.springframework.transaction.interceptor.TransactionAspectSupport", TRANSACTION));

    /** What an advisor is. */
    static Neighbour of(Advisor advisor) {
        Neighbour known = ofClass(advisor.getClass());
        if (known != OTHER || advisor instanceof AbstractBeanFactoryPointcutAdvisor) {
            // The advice of such an advisor is a bean, which may not have been made yet and is not made by asking.
            return known;
        }
        Advice advice = advisor.getAdvice();
        if (advice instanceof FallbackInterceptor) {
            return FALLBACK;
        }
        if (advice instanceof GuardInterceptor) {
            return GUARD;
        }
        return advice instanceof AbstractAspectJAdvice ofAspect
                ? ofClass(ofAspect.getAspectJAdviceMethod().getDeclaringClass())
                : ofClass(advice.getClass());
    }

    private static Neighbour ofClass(Class<?> type) {
        for (@Nullable Class<?> at = type; at != null; at = at.getSuperclass()) {
            Neighbour known = KNOWN.get(at.getName());
            if (known != null) {
                return known;
            }
        }
        return OTHER;
    }

    /** Whether it is the fallback or the guard. */
    boolean isOurs() {
        return this == FALLBACK || this == GUARD;
    }

    /** Whether it stands between the fallback and the caches. */
    boolean isRetryOrLimit() {
        return this == RETRY || this == LIMIT;
    }

    /** Whether it works on the thread that makes the call, so that it stands inside of what hands calls to another one. */
    boolean belongsOnTheThreadOfTheCall() {
        return isOurs() || isRetryOrLimit() || this == CACHE;
    }

    /** The name, for people. */
    String inWords() {
        return switch (this) {
            case ASYNC -> "@Async";
            case FALLBACK -> "fallback";
            case RETRY -> "retry";
            case LIMIT -> "limit";
            case CACHE -> "cache";
            case GUARD -> "guard";
            case TRANSACTION -> "transaction";
            case OTHER -> "other";
        };
    }
}
