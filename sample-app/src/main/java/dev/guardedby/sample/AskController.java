package dev.guardedby.sample;

import com.openai.errors.OpenAIException;
import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.Refusal;
import java.time.Duration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;

/** Questions over HTTP, answered in plain text. */
@RestController
final class AskController {
    private final AssistantService assistant;

    AskController(AssistantService assistant) {
        this.assistant = assistant;
    }

    @RequestMapping(
            path = "/ask",
            method = {RequestMethod.GET, RequestMethod.POST},
            produces = MediaType.TEXT_PLAIN_VALUE)
    String ask(@RequestParam("q") String question) {
        return assistant.ask(notBlank(question)) + "\n";
    }

    @PostMapping(path = "/ask", consumes = MediaType.TEXT_PLAIN_VALUE, produces = MediaType.TEXT_PLAIN_VALUE)
    String askInBody(@RequestBody String question) {
        return ask(question);
    }

    @GetMapping(path = "/ask/stream", produces = MediaType.TEXT_PLAIN_VALUE)
    Flux<String> stream(@RequestParam("q") String question) {
        return assistant.stream(notBlank(question));
    }

    private static String notBlank(String question) {
        if (question.isBlank()) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, "q must be a question, but was empty");
        }
        return question;
    }

    /** 503, or 429 if the money is spent: the breaker refused the call, says why, and says when to come back. */
    @ExceptionHandler
    ResponseEntity<ProblemDetail> refused(CallNotPermittedException refusal) {
        boolean isForMoney = refusal.refusal().reason() == Refusal.Reason.BUDGET;
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(
                isForMoney ? HttpStatus.TOO_MANY_REQUESTS : HttpStatus.SERVICE_UNAVAILABLE, refusal.getMessage());
        problem.setTitle("The assistant takes a break");
        problem.setProperty("state", refusal.state());
        // How long a call takes that is under way nobody knows; a second is a fair guess.
        Duration wait = refusal.retryAfter().orElse(Duration.ofSeconds(1));
        long wholeSeconds = wait.plusNanos(999_999_999).toSeconds();
        return ResponseEntity.of(problem)
                .header(HttpHeaders.RETRY_AFTER, Long.toString(wholeSeconds))
                .build();
    }

    /** 502: the model was asked and failed. */
    @ExceptionHandler
    ResponseEntity<ProblemDetail> failed(OpenAIException failure) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(HttpStatus.BAD_GATEWAY, ModelFailure.inWords(failure));
        problem.setTitle("The model failed");
        return ResponseEntity.of(problem).build();
    }
}
