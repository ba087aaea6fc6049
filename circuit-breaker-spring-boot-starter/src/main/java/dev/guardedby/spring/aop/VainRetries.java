package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.aop.Placing.Placed;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;

/**
 * Warns of retries that are in vain: of those that never make a call again, because it fails after the method has returned, and
 * of those that make a refused call again, which is refused again and only takes time.
 *
 * <p>What Resilience4j's {@code @Retry} and retries without an annotation retry, is not written on the method, so it is not
 * known here.
 */
final class VainRetries {
    private static final Log LOG = LogFactory.getLog(VainRetries.class);
    private static final Class<?> REFUSAL = CallNotPermittedException.class;

    private static final String OF_SPRING = "org.springframework.resilience.annotation.Retryable";
    private static final String OF_SPRING_RETRY = "org.springframework.retry.annotation.Retryable";

    // One warning a method, however many beans there are of its class.
    private final Set<Method> warned = ConcurrentHashMap.newKeySet();

    /**
     * Warns of each guarded method that is retried in vain.
     *
     * @param order all advisors of the bean, the outermost first
     * @param guarded the guarded methods of the bean
     */
    void warn(List<Placed> order, Collection<Method> guarded, Class<?> targetClass) {
        List<Placed> retries = order.stream()
                .takeWhile(placed -> placed.kind() != Neighbour.GUARD)
                .filter(placed -> placed.kind() == Neighbour.RETRY)
                .toList();
        for (Method method : guarded) {
            if (retries.stream().noneMatch(retry -> retry.appliesTo(method, targetClass))) {
                continue;
            }
            String why = why(method, targetClass);
            if (why != null && warned.add(method)) {
                LOG.warn("@Retryable on " + Signature.qualified(method) + " " + why);
            }
        }
    }

    private static @Nullable String why(Method method, Class<?> targetClass) {
        if (isFuture(method, targetClass)) {
            return isAnnotated(method, targetClass)
                    ? "never makes the call again: it retries what the method throws, and a CompletableFuture or"
                            + " CompletionStage fails later. Retry inside the method, or let it return Mono"
                    : null;
        }
        String remedy = remedy(method, targetClass);
        return remedy == null
                ? null
                : "makes the call again when the circuit breaker has refused it, and it is refused again. Exclude"
                        + " refusals, with @Retryable(" + remedy + " = " + REFUSAL.getSimpleName() + ".class)";
    }

    // Spring leaves futures out of what it retries as publishers, and a stage is to it a publisher of what has ended.
    private static boolean isFuture(Method method, Class<?> targetClass) {
        Class<?> returned =
                ResolvableType.forMethodReturnType(method, targetClass).toClass();
        return CompletionStage.class.isAssignableFrom(returned);
    }

    private static boolean isAnnotated(Method method, Class<?> targetClass) {
        return annotation(OF_SPRING, method, targetClass).isPresent()
                || annotation(OF_SPRING_RETRY, method, targetClass).isPresent();
    }

    /** The attribute to exclude refusals with; null if they are not retried, or if code decides. */
    private static @Nullable String remedy(Method method, Class<?> targetClass) {
        MergedAnnotation<?> ofSpring = annotation(OF_SPRING, method, targetClass);
        if (ofSpring.isPresent()) {
            return ofSpring.hasDefaultValue("predicate") && isRetriedBySpring(ofSpring) ? "excludes" : null;
        }
        MergedAnnotation<?> ofSpringRetry = annotation(OF_SPRING_RETRY, method, targetClass);
        return ofSpringRetry.isPresent()
                        && ofSpringRetry.hasDefaultValue("exceptionExpression")
                        && ofSpringRetry.hasDefaultValue("interceptor")
                        && isRetriedBySpringRetry(ofSpringRetry)
                ? "noRetryFor"
                : null;
    }

    private static MergedAnnotation<?> annotation(String name, Method method, Class<?> targetClass) {
        MergedAnnotation<?> onMethod = all(method).get(name);
        return onMethod.isPresent() ? onMethod : all(targetClass).get(name);
    }

    private static MergedAnnotations all(AnnotatedElement place) {
        return MergedAnnotations.from(place, SearchStrategy.TYPE_HIERARCHY);
    }

    private static boolean isRetriedBySpring(MergedAnnotation<?> retryable) {
        List<Class<?>> includes = types(retryable, "includes");
        return (includes.isEmpty() || includes.stream().anyMatch(type -> type.isAssignableFrom(REFUSAL)))
                && types(retryable, "excludes").stream().noneMatch(type -> type.isAssignableFrom(REFUSAL));
    }

    /** Of what is named, the nearest superclass decides; if it is named as both, it is excluded. */
    private static boolean isRetriedBySpringRetry(MergedAnnotation<?> retryable) {
        List<Class<?>> value = types(retryable, "value");
        List<Class<?>> includes = value.isEmpty() ? types(retryable, "retryFor") : value;
        List<Class<?>> excludes = types(retryable, "noRetryFor");
        for (Class<?> type = REFUSAL; type != null; type = type.getSuperclass()) {
            if (excludes.contains(type)) {
                return false;
            }
            if (includes.contains(type)) {
                return true;
            }
        }
        return includes.isEmpty();
    }

    private static List<Class<?>> types(MergedAnnotation<?> annotation, String attribute) {
        return annotation
                .getValue(attribute, Class[].class)
                .map(List::<Class<?>>of)
                .orElse(List.of());
    }
}
