package dev.guardedby.circuitbreaker;

import org.jspecify.annotations.Nullable;

/**
 * Code to guard that uses its permit, to record what the call cost.
 *
 * @param <T> what it returns
 * @param <X> what it may throw; inferred, so that a lambda without checked exceptions needs no {@code catch}
 */
@FunctionalInterface
public interface PermitCall<T extends @Nullable Object, X extends Throwable> {
    /**
     * Makes the call.
     *
     * @param permit the leave to make this call; the breaker reports it when the code ends, unless the code did
     * @return the result, which the caller of the breaker gets unchanged
     * @throws X as the code does; the caller of the breaker gets the same object
     */
    T call(Permit permit) throws X;
}
