package dev.guardedby.spring.web;

import dev.guardedby.circuitbreaker.BudgetExceededException;
import dev.guardedby.circuitbreaker.BudgetExceededException.Kind;
import dev.guardedby.circuitbreaker.CallNotPermittedException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.ResponseStatus;

/**
 * Answers a request that met a refusal with a problem detail (RFC 9457).
 *
 * <p>It is asked after every advice of the application, because what the application says of its errors is right.
 */
@ControllerAdvice
@Order(Ordered.LOWEST_PRECEDENCE)
final class RefusalAdvice {
    private static final String UNAVAILABLE = "A service that this request needs is unavailable; try again later.";
    private static final Set<Kind> SPENT = EnumSet.of(Kind.EXHAUSTED, Kind.RESERVED, Kind.TOO_LARGE);
    private static final Duration ALMOST_A_SECOND = Duration.ofNanos(999_999_999);

    private final boolean showName;

    RefusalAdvice(boolean showName) {
        this.showName = showName;
    }

    /**
     * The answer to a refusal.
     *
     * @param thrown what reached the framework: the refusal, or an exception that has it among its causes
     * @throws Exception the one thrown, where its class has an answer of its own; Spring then goes on with that
     */
    @ExceptionHandler(CallNotPermittedException.class)
    ResponseEntity<ProblemDetail> answer(CallNotPermittedException refusal, Exception thrown) throws Exception {
        if (thrown instanceof ErrorResponse
                || AnnotatedElementUtils.hasAnnotation(thrown.getClass(), ResponseStatus.class)) {
            throw thrown;
        }
        HttpStatus status = status(refusal);
        // The message of the exception is for the application: it has the name in it.
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail(refusal));
        if (showName) {
            problem.setProperty("breaker", refusal.name());
        }
        ResponseEntity.BodyBuilder answer =
                ResponseEntity.status(status).contentType(MediaType.APPLICATION_PROBLEM_JSON);
        refusal.retryAfter().ifPresent(wait -> answer.header(HttpHeaders.RETRY_AFTER, seconds(wait)));
        return answer.body(problem);
    }

    private static String detail(CallNotPermittedException refusal) {
        if (!(refusal instanceof BudgetExceededException spent)) {
            return UNAVAILABLE;
        }
        return switch (spent.kind()) {
            case EXHAUSTED ->
                "What may be spent on such requests is spent" + (waitingHelps(spent) ? "; try again later." : ".");
            case RESERVED -> "What may be spent on such requests is held by others; try again soon.";
            case TOO_LARGE -> "What this request may cost is more than may be spent on it.";
            case UNPRICED, STORE -> UNAVAILABLE;
        };
    }

    private static boolean waitingHelps(BudgetExceededException spent) {
        return spent.retryAfter().isPresent();
    }

    private static HttpStatus status(CallNotPermittedException refusal) {
        // Spent money is the caller's matter, a price that is missing and a store that does not answer are ours.
        return refusal instanceof BudgetExceededException spent && SPENT.contains(spent.kind())
                ? HttpStatus.TOO_MANY_REQUESTS
                : HttpStatus.SERVICE_UNAVAILABLE;
    }

    /** Rounded up, and never 0: who comes back too early is refused again. */
    private static String seconds(Duration wait) {
        return Long.toString(Math.max(1, wait.plus(ALMOST_A_SECOND).toSeconds()));
    }
}
