package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.ModelUsage;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the result of a guarded call what the call used, so that it is priced and booked without a line of code. Beans of
 * this type join those for the clients that we know, in Spring's order, and come before them:
 *
 * <pre>{@code
 * @Bean
 * UsageExtractor acmeUsage() {
 *     return UsageExtractor.of(
 *             AcmeAnswer.class,
 *             answer -> Optional.of(ModelUsage.of(answer.model(), Usage.of(answer.tokensIn(), answer.tokensOut()))));
 * }
 * }</pre>
 *
 * <p>Asked by whatever thread ends the call, by many at once; it should not block. For a publisher or a flow it is asked with
 * each item, because the last one that tells of a usage counts. What it throws is counted in {@code guardedby.cost.lost} and
 * logged once, and leaves the result of the call alone.
 */
public interface UsageExtractor {
    /**
     * The types of results that it reads, and their subtypes; never asked with another. They decide at start-up which methods
     * are looked at at all.
     */
    Set<Class<?>> types();

    /**
     * What the call used.
     *
     * @param result the result, or the item of a stream; of one of the {@link #types()}
     * @return empty, or {@link ModelUsage#unknown}, if it does not tell; nothing used is not the same
     */
    Optional<ModelUsage> extract(Object result);

    /**
     * What the call used, as far as an item of a stream and those before it tell. By default, what the item tells alone.
     *
     * @param item the item; of one of the {@link #types()}
     * @param last what was made of the item before, or of the last that told anything, be it the model alone; null if none did
     * @return empty, or {@link ModelUsage#unknown}, if it tells nothing new
     */
    default Optional<ModelUsage> extract(Object item, @Nullable ModelUsage last) {
        return extract(item);
    }

    /**
     * One for a single type.
     *
     * @param type of what results
     * @param usage what a result says was used; empty if it does not tell
     */
    static <T> UsageExtractor of(Class<T> type, Function<? super T, Optional<ModelUsage>> usage) {
        return new UsageExtractor() {
            @Override
            public Set<Class<?>> types() {
                return Set.of(type);
            }

            @Override
            public Optional<ModelUsage> extract(Object result) {
                return usage.apply(type.cast(result));
            }
        };
    }
}
