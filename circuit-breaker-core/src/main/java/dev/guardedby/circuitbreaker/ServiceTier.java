package dev.guardedby.circuitbreaker;

import java.util.Locale;

/** How quickly a remote was asked to answer, for which it has different prices. */
public enum ServiceTier {
    /** As everybody is served. */
    STANDARD,
    /** Some time within hours, for less. */
    BATCH,
    /** When there is room, for less. */
    FLEX,
    /** Before others, for more. */
    PRIORITY;

    /** The tier as it is written in settings, {@code batch}. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
