package dev.guardedby.sample;

import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where the model is.
 *
 * @param baseUrl what {@code /chat/completions} is appended to
 * @param ownModel the model on loopback, or null where a real provider is asked
 */
record ModelEndpoint(URI baseUrl, @Nullable LoopbackModel ownModel) {
    Optional<LoopbackModel> loopback() {
        return Optional.ofNullable(ownModel);
    }
}
