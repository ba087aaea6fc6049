package dev.guardedby.spring.usage;

import dev.guardedby.circuitbreaker.Usage;
import org.jspecify.annotations.Nullable;

/** Reads the counts that a provider's own client made, where a framework hands them on beside its portable ones. */
interface NativeUsage {
    /** Who serves the models of the client, in the words of price lists. */
    String provider();

    /** The usage; null if it is of another client, or does not tell. */
    @Nullable Usage read(Object counts);
}
