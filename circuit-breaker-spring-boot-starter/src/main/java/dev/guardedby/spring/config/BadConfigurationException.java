package dev.guardedby.spring.config;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.OriginProvider;

/** Something written in the configuration cannot be meant; start-up ends here. */
final class BadConfigurationException extends RuntimeException implements OriginProvider {
    private static final long serialVersionUID = 1;

    private final String action;
    private final transient @Nullable Origin origin;

    /**
     * Refuses what is written.
     *
     * @param message what is written, and the rule it breaks
     * @param action what to write instead
     * @param origin file and line, where known
     */
    BadConfigurationException(String message, String action, @Nullable Origin origin) {
        super(message);
        this.action = action;
        this.origin = origin;
    }

    String action() {
        return action;
    }

    @Override
    public @Nullable Origin getOrigin() {
        return origin;
    }
}
