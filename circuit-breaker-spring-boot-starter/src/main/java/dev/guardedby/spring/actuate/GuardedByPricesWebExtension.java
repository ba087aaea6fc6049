package dev.guardedby.spring.actuate;

import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;

/** The prices over HTTP: with a status, and a body that says why. */
@EndpointWebExtension(endpoint = GuardedByPricesEndpoint.class)
final class GuardedByPricesWebExtension {
    private final GuardedByPricesEndpoint endpoint;

    GuardedByPricesWebExtension(GuardedByPricesEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    /** What is asked for, by query parameters: the name of a model may have any character in it. */
    @ReadOperation
    @SuppressWarnings("deprecation")
    WebEndpointResponse<Map<String, Object>> prices(
            @org.springframework.lang.Nullable @Nullable String model,
            @org.springframework.lang.Nullable @Nullable String inputTokens) {
        return answer(() -> {
            Map<String, Object> document = endpoint.prices(model, inputTokens);
            return document == null
                    ? GuardedByWebExtension.notFound(endpoint.unknown(String.valueOf(model)))
                    : new WebEndpointResponse<>(document);
        });
    }

    @WriteOperation
    WebEndpointResponse<Map<String, Object>> reload() {
        return answer(() -> new WebEndpointResponse<>(endpoint.reload()));
    }

    private static WebEndpointResponse<Map<String, Object>> answer(
            Supplier<WebEndpointResponse<Map<String, Object>>> asked) {
        try {
            return asked.get();
        } catch (InvalidEndpointRequestException e) {
            return GuardedByWebExtension.badRequest(String.valueOf(e.getReason()));
        }
    }
}
