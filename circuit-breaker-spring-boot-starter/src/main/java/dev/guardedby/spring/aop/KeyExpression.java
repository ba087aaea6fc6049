package dev.guardedby.spring.aop;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.spring.keys.Keys;
import java.lang.reflect.Method;
import java.net.URI;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The {@code key} of an annotation, evaluated before a call: finds out which breaker guards it. */
final class KeyExpression {
    private final CallExpression expression;
    private final Method method;
    private final CircuitBreaker keyed;
    private final Keys.Counts counts;

    private KeyExpression(CallExpression expression, Method method, CircuitBreaker keyed, Keys.Counts counts) {
        this.expression = expression;
        this.method = method;
        this.keyed = keyed;
        this.counts = counts;
    }

    /**
     * Parses an expression, and gives the breaker its keys.
     *
     * @param method whose arguments it is about
     * @param breaker the breaker of the name
     * @throws InvalidGuardException if it is not valid SpEL, asks for what is not there, or nothing can keep keys
     */
    static KeyExpression parse(String text, Method method, CircuitBreaker breaker, Keys keys) {
        CallExpression expression = CallExpression.parse("key", text, method, false);
        if (!keys.canBeKept()) {
            throw new InvalidGuardException(
                    expression
                            + " needs Caffeine, which keeps the circuit breakers of the keys, and it is not on the class"
                            + " path",
                    "Add the dependency com.github.ben-manes.caffeine:caffeine, whose version Spring Boot knows, or remove"
                            + " the key");
        }
        return new KeyExpression(expression, method, breaker, keys.of(breaker));
    }

    /**
     * The breaker that guards a call.
     *
     * @throws InvalidKeyException if the call has no key, or none that can be one
     */
    CircuitBreaker breaker(@Nullable Object[] arguments) {
        Object value;
        String key;
        try {
            value = expression.value(arguments, null);
            key = text(value);
        } catch (Exception broken) {
            throw invalid("failed, so that the call has no key: " + broken.getMessage(), broken);
        }
        if (key == null) {
            throw invalid(
                    "must yield a text, a number, a boolean, an enum constant, a UUID or a URI, but yielded "
                            + (value == null ? "null" : "a " + value.getClass().getName()),
                    null);
        }
        try {
            return keyed.forKey(key);
        } catch (IllegalArgumentException refused) {
            throw invalid("yielded no key: " + refused.getMessage(), refused);
        }
    }

    /** What there is two of only if they differ in text, or null. */
    private static @Nullable String text(@Nullable Object value) {
        if (value instanceof Enum<?> constant) {
            return constant.name();
        }
        boolean known = value instanceof CharSequence
                || value instanceof Number
                || value instanceof Boolean
                || value instanceof Character
                || value instanceof UUID
                || value instanceof URI;
        return known ? String.valueOf(value) : null;
    }

    private InvalidKeyException invalid(String why, @Nullable Throwable cause) {
        counts.invalid().increment();
        return new InvalidKeyException(method, expression + " " + why, cause);
    }
}
