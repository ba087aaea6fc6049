package dev.guardedby.spring.aop;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** An annotation that cannot mean what it says: fails start-up, and says what to write instead. */
final class InvalidGuardException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    private final String description;
    private final String action;

    InvalidGuardException(String description, String action) {
        this(description, action, null);
    }

    InvalidGuardException(String description, String action, @Nullable Throwable cause) {
        super(description + ". " + action + ".", cause);
        this.description = description;
        this.action = action;
    }

    /** What is wrong, and where; without the full stop. */
    String description() {
        return description;
    }

    /** What to write instead; without the full stop. */
    String action() {
        return action;
    }
}
