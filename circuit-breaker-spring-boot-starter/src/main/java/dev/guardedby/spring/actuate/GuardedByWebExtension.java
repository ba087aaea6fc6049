package dev.guardedby.spring.actuate;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;

/** The endpoint over HTTP: with a status, and a body that says why. */
@EndpointWebExtension(endpoint = GuardedByEndpoint.class)
final class GuardedByWebExtension {
    private static final int CONFLICT = 409;

    private final GuardedByEndpoint endpoint;

    GuardedByWebExtension(GuardedByEndpoint endpoint) {
        this.endpoint = endpoint;
    }

    @ReadOperation
    @SuppressWarnings("deprecation")
    WebEndpointResponse<Map<String, Object>> breaker(
            @Selector String name, @org.springframework.lang.Nullable @Nullable String key) {
        return found(name, key, endpoint.breaker(name, key));
    }

    @WriteOperation
    @SuppressWarnings("deprecation")
    WebEndpointResponse<Map<String, Object>> operate(
            @Selector String name,
            @org.springframework.lang.Nullable @Nullable String action,
            @org.springframework.lang.Nullable @Nullable String mode,
            @org.springframework.lang.Nullable @Nullable String settings,
            @org.springframework.lang.Nullable @Nullable String key,
            @org.springframework.lang.Nullable @Nullable String budget,
            @org.springframework.lang.Nullable @Nullable String limit,
            @org.springframework.lang.Nullable @Nullable String amount,
            @org.springframework.lang.Nullable @Nullable String reason) {
        try {
            OperatorAction asked = new OperatorAction(action, mode, settings, budget, limit, amount, reason);
            return found(name, key, endpoint.operate(name, key, asked));
        } catch (NoEffectException e) {
            return error(String.valueOf(e.getReason()), CONFLICT);
        } catch (InvalidEndpointRequestException e) {
            return badRequest(String.valueOf(e.getReason()));
        }
    }

    private WebEndpointResponse<Map<String, Object>> found(
            String name, @Nullable String key, @Nullable Map<String, Object> document) {
        return document == null ? notFound(endpoint.unknown(name, key)) : new WebEndpointResponse<>(document);
    }

    static WebEndpointResponse<Map<String, Object>> notFound(String why) {
        return error(why, WebEndpointResponse.STATUS_NOT_FOUND);
    }

    static WebEndpointResponse<Map<String, Object>> badRequest(String why) {
        return error(why, WebEndpointResponse.STATUS_BAD_REQUEST);
    }

    private static WebEndpointResponse<Map<String, Object>> error(String why, int status) {
        return new WebEndpointResponse<>(because(why), status);
    }

    /** The body of every answer that is none. */
    static Map<String, Object> because(String why) {
        return Map.of("error", why);
    }
}
