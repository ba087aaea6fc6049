package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.PriceBook;
import dev.guardedby.circuitbreaker.Prices;
import dev.guardedby.spring.aop.UsageCost.Reader;
import dev.guardedby.spring.usage.UsageExtractor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
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
    private final Supplier<Supplier<PriceBook>> prices;
    private final InstantSource clock;
    private final LostCosts lost;
    // Of the whole application: a model without a price is one mistake, however many methods call it.
    private final Set<String> unpriced = ConcurrentHashMap.newKeySet();

    /**
     * Asks for beans when the first guarded method is looked at.
     *
     * @param prices of models; without, no model has one
     * @param clock tells on which day a call began
     */
    UsageCosts(
            ObjectProvider<UsageExtractor> extractors,
            ObjectProvider<Prices> prices,
            InstantSource clock,
            LostCosts lost) {
        this.readers = SingletonSupplier.of(
                () -> extractors.orderedStream().map(Reader::of).toList());
        this.prices = SingletonSupplier.of(() -> {
            Prices present = prices.getIfAvailable();
            return present == null ? () -> PriceBook.EMPTY : present::current;
        });
        this.clock = clock;
        this.lost = lost;
    }

    /** What books the usage of a method's calls; null if its results cannot tell it. */
    @Nullable UsageCost of(Method method, Class<?> beanClass, CircuitBreaker breaker) {
        Class<?> result = resultOf(Signature.result(method, beanClass));
        List<Reader> able = readers.get().stream()
                .filter(reader -> reader.types().stream().anyMatch(type -> mayBe(result, type)))
                .toList();
        if (able.isEmpty()) {
            return null;
        }
        return new UsageCost(Signature.qualified(method), breaker.name(), able, prices.get(), clock, lost, unpriced);
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
