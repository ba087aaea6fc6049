package dev.guardedby.spring.aop;

import java.io.Serial;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** A call whose key is none, so that nobody can tell which breaker is its own: it was not made. */
final class InvalidKeyException extends IllegalArgumentException {
    @Serial
    private static final long serialVersionUID = 1;

    private final transient Method method;

    InvalidKeyException(Method method, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.method = method;
    }

    /** Whether it is a call of that method whose key is none, and not one of another further in. */
    boolean isOf(Method other) {
        return other.equals(method);
    }
}
