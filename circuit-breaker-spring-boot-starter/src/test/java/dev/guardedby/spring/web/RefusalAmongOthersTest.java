package dev.guardedby.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.web.WebApplication.Answer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** The problem detail beside what applications and Spring Boot say of errors themselves. */
@ExtendWith(OutputCaptureExtension.class)
@ParameterizedClass
@EnumSource(names = {"SERVLET", "REACTIVE"})
record RefusalAmongOthersTest(WebApplicationType kind) {
    private static final String ASKED_FOR = "guardedby.web.problem-details=true";
    private static final String DETAIL = "A service that this request needs is unavailable; try again later.";

    @Test
    void notAskedFor_nothingChanges() throws Exception {
        try (WebApplication application = WebApplication.start(kind, Nothing.class)) {
            application.llm().forceOpen();

            Answer answer = application.get("/plain");
            assertThat(answer.status() + " " + answer.contentType() + " " + answer.retryAfter())
                    .isEqualTo("500 application/json -");
            assertThat(answer.body()).contains("\"error\":\"Internal Server Error\"");
        }
    }

    @Test
    void name_isShownOnRequest_besideTheProblemDetailsOfSpringBoot() throws Exception {
        try (WebApplication application = WebApplication.start(
                kind,
                Nothing.class,
                ASKED_FOR,
                "guardedby.web.show-name=true",
                "spring.mvc.problemdetails.enabled=true",
                "spring.webflux.problemdetails.enabled=true")) {
            application.llm().forceOpen();

            assertThat(application.get("/plain"))
                    .isEqualTo(new Answer(
                            503,
                            "application/problem+json",
                            "30",
                            "{\"detail\":\"" + DETAIL + "\",\"instance\":\"/plain\",\"status\":503,"
                                    + "\"title\":\"Service Unavailable\",\"breaker\":\"llm\"}"));
            Answer theirs = application.get("/own-status");
            assertThat(theirs.status() + " " + theirs.contentType() + " " + theirs.retryAfter())
                    .isEqualTo("502 application/problem+json -");
            assertThat(theirs.body()).contains("\"detail\":\"chosen by the application\"");
        }
    }

    @Test
    void handlerOfTheApplication_wins_inAnAdviceAndInAController(CapturedOutput output) throws Exception {
        try (WebApplication application = WebApplication.start(kind, OwnHandlers.class, ASKED_FOR)) {
            application.llm().forceOpen();

            assertThat(application.get("/plain", "text/plain").body()).isEqualTo("the advice: llm");
            assertThat(application.get("/own-exception", "text/plain").body()).isEqualTo("the advice: llm");
            assertThat(application.get("/local", "text/plain").body()).isEqualTo("the controller: llm");
            assertThat(warnings(output)).isEmpty();
        }
    }

    @Test
    void handlerOfTheApplicationForEveryException_winsToo_andStartUpSaysSo(CapturedOutput output) throws Exception {
        try (WebApplication application = WebApplication.start(kind, CatchAll.class, ASKED_FOR)) {
            application.llm().forceOpen();

            assertThat(application.get("/plain", "text/plain").body())
                    .isEqualTo("every exception: CallNotPermittedException");
            assertThat(warnings(output))
                    .containsExactly("guardedby.web.problem-details is not in force where " + CatchAll.class.getName()
                            + ".failed is asked first, an @ExceptionHandler that takes refusals because it takes their"
                            + " supertype. Write one for CallNotPermittedException beside it.");
        }
    }

    private static List<String> warnings(CapturedOutput output) {
        return output.getOut()
                .lines()
                .filter(line -> line.contains(" WARN ") && line.contains("guardedby.web"))
                .map(line -> line.substring(line.indexOf("guardedby.web.problem-details")))
                .toList();
    }

    @Configuration(proxyBeanMethods = false)
    static class Nothing {}

    @Configuration(proxyBeanMethods = false)
    @Import({OwnAdvice.class, OwnController.class})
    static class OwnHandlers {}

    @RestControllerAdvice
    static class OwnAdvice {
        @ExceptionHandler
        @ResponseStatus(HttpStatus.ACCEPTED)
        String refused(CallNotPermittedException refusal) {
            return "the advice: " + refusal.name();
        }
    }

    @RestController
    static class OwnController {
        private final WebApplication.Assistant assistant;

        OwnController(WebApplication.Assistant assistant) {
            this.assistant = assistant;
        }

        @GetMapping("/local")
        String local() {
            return assistant.ask();
        }

        @ExceptionHandler
        @ResponseStatus(HttpStatus.ACCEPTED)
        String refused(CallNotPermittedException refusal) {
            return "the controller: " + refusal.name();
        }
    }

    @RestControllerAdvice
    static class CatchAll {
        @ExceptionHandler(Exception.class)
        @ResponseStatus(HttpStatus.INTERNAL_SERVER_ERROR)
        String failed(Exception failure) {
            return "every exception: " + failure.getClass().getSimpleName();
        }
    }
}
