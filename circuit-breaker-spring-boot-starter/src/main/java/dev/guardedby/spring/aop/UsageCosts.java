package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.aop.UsageCost.Reader;
import dev.guardedby.spring.usage.UsageExtractor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;
import org.springframework.util.function.SingletonSupplier;

/** Decides of each method who can read from its results what its calls used. */
final class UsageCosts {
    private final Supplier<List<Reader>> readers;
    private final Pricing pricing;
    private final LostCosts lost;
    private final Map<String, UsageCost> ofSteps = new ConcurrentHashMap<>();

    /**
     * Asks for beans when the first guarded method is looked at.
     *
     * @param pricing what knows the prices
     * @param lost counts what cannot be booked
     */
    UsageCosts(ObjectProvider<UsageExtractor> extractors, Pricing pricing, LostCosts lost) {
        this.readers = SingletonSupplier.of(
                () -> extractors.orderedStream().map(Reader::of).toList());
        this.pricing = pricing;
        this.lost = lost;
    }

    Pricing pricing() {
        return pricing;
    }

    /** What prices the usage of a method's calls; null if its results cannot tell it. */
    @Nullable UsageCost of(Method method, Class<?> beanClass, CircuitBreaker breaker) {
        Class<?> result = resultOf(Signature.result(method, beanClass));
        List<Reader> able = readers.get().stream()
                .filter(reader -> reader.types().stream().anyMatch(type -> mayBe(result, type)))
                .toList();
        return able.isEmpty() ? null : new UsageCost(Signature.qualified(method), breaker.name(), able, pricing, lost);
    }

    /** What prices the usage of the steps within the calls of a breaker. */
    UsageCost ofSteps(CircuitBreaker breaker) {
        return ofSteps.computeIfAbsent(
                breaker.name(),
                name -> new UsageCost("a model inside breaker '" + name + "'", name, readers.get(), pricing, lost));
    }

    /** What the calls come to in the end: of a future its value, of a publisher or a flow its items. */
    private static Class<?> resultOf(ResolvableType returned) {
        ResolvableType type = returned;
        while (isLater(type.toClass())) {
            type = type.getGeneric();
        }
        return type.toClass();
    }

    private static boolean isLater(Class<?> type) {
        return CompletionStage.class.isAssignableFrom(type)
                || Future.class.isAssignableFrom(type)
                || Kotlin.isFlow(type)
                || Kotlin.isDeferred(type)
                || ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) != null;
    }

    /** Whether what is declared as one type may be of the other. */
    private static boolean mayBe(Class<?> declared, Class<?> type) {
        Class<?> boxed = ClassUtils.resolvePrimitiveIfNecessary(declared);
        return boxed.isAssignableFrom(type)
                || type.isAssignableFrom(boxed)
                || (type.isInterface() && !Modifier.isFinal(boxed.getModifiers()));
    }
}
