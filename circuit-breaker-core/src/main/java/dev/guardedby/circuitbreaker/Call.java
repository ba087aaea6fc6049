package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * Code to guard that returns a result.
 *
 * @param <T> what it returns
 * @param <X> what it may throw; inferred, so that a lambda without checked exceptions needs no {@code catch}
 */
@FunctionalInterface
public interface Call<T extends @Nullable Object, X extends Throwable> {
    /**
     * Makes the call.
     *
     * @return the result, which the caller of the breaker gets unchanged
     * @throws X as the code does; the caller of the breaker gets the same object
     */
    T call() throws X;
}
