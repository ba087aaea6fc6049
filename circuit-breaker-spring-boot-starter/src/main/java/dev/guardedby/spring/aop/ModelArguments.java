package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.models.ModelRequestReader;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.util.function.SingletonSupplier;

/** Decides of each method which of its arguments tells what its calls will ask a model for, and who reads it. */
final class ModelArguments {
    private final Supplier<List<Reader>> readers;
    private final Pricing pricing;
    private final LostCosts lost;

    private record Reader(ModelRequestReader reader, Set<Class<?>> types) {
        private boolean reads(Class<?> declared) {
            return types.stream().anyMatch(type -> type.isAssignableFrom(declared));
        }
    }

    /**
     * Asks for beans when the first guarded method is looked at.
     *
     * @param pricing what knows the prices
     * @param lost counts what cannot be read
     */
    ModelArguments(ObjectProvider<ModelRequestReader> readers, Pricing pricing, LostCosts lost) {
        this.readers = SingletonSupplier.of(() -> readers.orderedStream()
                .map(reader -> new Reader(reader, Set.copyOf(reader.types())))
                .toList());
        this.pricing = pricing;
        this.lost = lost;
    }

    /** The first argument that somebody reads; null if there is none. */
    @Nullable ModelArgument of(Method method, Class<?> beanClass, CircuitBreaker breaker) {
        Class<?>[] declared = Signature.written(method, beanClass);
        for (int i = 0; i < declared.length; i++) {
            for (Reader reader : readers.get()) {
                if (reader.reads(declared[i])) {
                    return new ModelArgument(
                            Signature.qualified(method),
                            i,
                            reader.reader,
                            pricing,
                            lost.of(breaker.name(), LostCosts.Reason.REQUEST));
                }
            }
        }
        return null;
    }
}
