package dev.guardedby.circuitbreaker;

/**
 * Code to guard that returns nothing.
 *
 * @param <X> what it may throw; inferred, so that a lambda without checked exceptions needs no {@code catch}
 */
@FunctionalInterface
public interface Action<X extends Throwable> {
    /**
     * Makes the call.
     *
     * @throws X as the code does; the caller of the breaker gets the same object
     */
    void run() throws X;
}
