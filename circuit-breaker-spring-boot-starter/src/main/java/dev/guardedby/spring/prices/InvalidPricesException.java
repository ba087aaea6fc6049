package dev.guardedby.spring.prices;

import org.jspecify.annotations.Nullable;

/**
 * A file of prices cannot be read, or does not say what such a file says; none of it is taken. The message names the file, and the
 * line, or the model and the key.
 */
public final class InvalidPricesException extends RuntimeException {
    private static final long serialVersionUID = 1;

    InvalidPricesException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
