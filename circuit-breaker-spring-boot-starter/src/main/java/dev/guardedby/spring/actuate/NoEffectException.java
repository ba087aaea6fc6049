package dev.guardedby.spring.actuate;

import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;

/** An action that would change nothing as the breaker is at present. */
final class NoEffectException extends InvalidEndpointRequestException {
    private static final long serialVersionUID = 1;

    NoEffectException(String message) {
        super(message, message);
    }
}
