package dev.guardedby.spring.actuate;

import java.util.Map;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.server.ServerWebInputException;

/**
 * Answers an action whose body Actuator cannot read, which otherwise gets a 400 and no reason.
 *
 * <p>Spring MVC throws one of the exceptions, WebFlux the other. It is asked about Actuator's endpoints alone, and after every
 * advice of the application.
 */
@ControllerAdvice(
        basePackages = {
            // Spring Boot 4, then 3.5
            "org.springframework.boot.webmvc.actuate",
            "org.springframework.boot.webflux.actuate",
            "org.springframework.boot.actuate"
        })
@Order(Ordered.LOWEST_PRECEDENCE)
final class UnreadableBodyAdvice {
    // Actuator keeps to itself whose handler it is, but for its name.
    private static final String OURS = "Actuator web endpoint '" + GuardedByEndpoint.ID + "-";

    /**
     * The answer.
     *
     * @throws Exception the one thrown, at the endpoints of others; Spring then goes on with that
     */
    @ExceptionHandler({HttpMessageNotReadableException.class, ServerWebInputException.class})
    ResponseEntity<Map<String, Object>> answer(HandlerMethod handler, Exception thrown) throws Exception {
        if (!handler.toString().startsWith(OURS)) {
            throw thrown;
        }
        return ResponseEntity.badRequest()
                .contentType(MediaType.APPLICATION_JSON)
                .body(
                        GuardedByWebExtension.because(
                                "the body must be a JSON object of texts, with nothing nested in it,"
                                        + " such as {\"action\": \"reconfigure\", \"settings\": \"failure-threshold=5,window=100\"}"));
    }
}
