package dev.guardedby.spring.web;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.spring.GuardedBy;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** An application of Spring MVC or of WebFlux on a real server, with time that a test moves, and a client. */
record WebApplication(ConfigurableApplicationContext context) implements AutoCloseable {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** What was answered; no content type or retry-after is {@code -}. */
    record Answer(int status, String contentType, String retryAfter, String body) {}

    static WebApplication start(WebApplicationType kind, Class<?> more, String... properties) {
        return new WebApplication(new SpringApplicationBuilder(App.class, more)
                .web(kind)
                .properties("server.port=0", "guardedby.breakers.llm.recovery-timeout=30s")
                .properties(properties)
                .run());
    }

    CircuitBreaker llm() {
        return context.getBean(CircuitBreakerRegistry.class).find("llm").orElseThrow();
    }

    void advance(Duration time) {
        context.getBean(AtomicLong.class).addAndGet(time.toNanos());
    }

    Answer get(String path) throws Exception {
        return get(path, "*/*");
    }

    Answer get(String path, String accepted) throws Exception {
        String port = context.getEnvironment().getProperty("local.server.port");
        HttpResponse<String> response = CLIENT.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                        .header("Accept", accepted)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        return new Answer(
                response.statusCode(),
                response.headers().firstValue("Content-Type").orElse("-"),
                response.headers().firstValue("Retry-After").orElse("-"),
                response.body());
    }

    @Override
    public void close() {
        context.close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import({Assistant.class, Questions.class})
    static class App {
        @Bean
        AtomicLong time() {
            return new AtomicLong(-5);
        }

        @Bean
        LongSupplier guardedByTicker(AtomicLong time) {
            return time::get;
        }
    }

    /** What is guarded. */
    static class Assistant {
        @GuardedBy("llm") public String ask() {
            return "Because.";
        }

        @GuardedBy(name = "tenants", key = "#tenant") public String askFor(@Nullable String tenant) {
            return "Because, " + tenant + ".";
        }

        @GuardedBy("llm") public CompletableFuture<String> askAsync() {
            return CompletableFuture.completedFuture("Because.");
        }
    }

    /** Every way in which a controller lets a refusal out. */
    @RestController
    static class Questions {
        private final Assistant assistant;

        Questions(Assistant assistant) {
            this.assistant = assistant;
        }

        @GetMapping("/plain")
        String plain() {
            return assistant.ask();
        }

        @GetMapping("/tenant")
        String tenant(@RequestParam(required = false) @Nullable String tenant) {
            return assistant.askFor(tenant);
        }

        @GetMapping(path = "/text", produces = "text/plain")
        String text() {
            return assistant.ask();
        }

        @GetMapping("/number")
        String number(@RequestParam int value) {
            return value + assistant.ask();
        }

        @GetMapping("/future")
        CompletableFuture<String> future() {
            return assistant.askAsync();
        }

        @GetMapping("/stage")
        CompletableFuture<String> stage() {
            return assistant.askAsync().thenApply(String::toUpperCase).thenApply(String::strip);
        }

        @GetMapping("/mono")
        Mono<String> mono() {
            return Mono.fromCallable(assistant::ask);
        }

        @GetMapping("/flux")
        Flux<String> flux() {
            return mono().flux();
        }

        @GetMapping("/joined")
        String joined() {
            try {
                return assistant.ask();
            } catch (RuntimeException e) {
                throw new CompletionException(e);
            }
        }

        @GetMapping("/own-exception")
        String ownException() {
            try {
                return assistant.ask();
            } catch (RuntimeException e) {
                throw new NoAnswer("llm gave none", new IllegalStateException("llm", e));
            }
        }

        @GetMapping("/own-status")
        String ownStatus() {
            try {
                return assistant.ask();
            } catch (RuntimeException e) {
                throw new ResponseStatusException(HttpStatus.BAD_GATEWAY, "chosen by the application", e);
            }
        }

        @GetMapping("/annotated-status")
        String annotatedStatus() {
            try {
                return assistant.ask();
            } catch (RuntimeException e) {
                throw new GoneForGood(e);
            }
        }

        @GetMapping("/other-exception")
        String otherException() {
            throw new NoAnswer("llm gave none", new IllegalStateException());
        }
    }

    /** Thrown by an application that says nothing of its status. */
    static final class NoAnswer extends RuntimeException {
        private static final long serialVersionUID = 1;

        NoAnswer(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Thrown by an application that chose its status. */
    @ResponseStatus(HttpStatus.GONE)
    static final class GoneForGood extends RuntimeException {
        private static final long serialVersionUID = 1;

        GoneForGood(Throwable cause) {
            super(cause);
        }
    }
}
