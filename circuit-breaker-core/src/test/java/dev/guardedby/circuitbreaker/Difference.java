package dev.guardedby.circuitbreaker;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where a breaker does not do what was expected of it. */
final class Difference extends AssertionError {
    private static final long serialVersionUID = 1;

    private Difference(String what, @Nullable Object expected, @Nullable Object actual) {
        super(what + " should be " + expected + " but was " + actual);
    }

    static void same(String what, @Nullable Object expected, @Nullable Object actual) {
        if (!Objects.equals(expected, actual)) {
            throw new Difference(what, expected, actual);
        }
    }
}
