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

    /**
     * Refuses an annotation.
     *
     * @param description what is wrong, and where
     * @param action what to write instead
     */
    InvalidGuardException(String description, String action, @Nullable Throwable cause) {
        super(sentence(description) + " " + sentence(action), cause);
        this.description = sentence(description);
        this.action = sentence(action);
    }

    String description() {
        return description;
    }

    String action() {
        return action;
    }

    private static String sentence(String text) {
        return text.endsWith("?") || text.endsWith(".") ? text : text + ".";
    }
}
