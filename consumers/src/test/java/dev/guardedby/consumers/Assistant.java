package dev.guardedby.consumers;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.spring.GuardedBy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.springframework.stereotype.Service;
import reactor.core.publisher.Mono;

/** Methods of several shapes, guarded. */
@Service
class Assistant {
    private final Model model;

    Assistant(Model model) {
        this.model = model;
    }

    @GuardedBy(name = "llm", cost = "#result.tokens * 0.001") public Model.Answer ask(String question) {
        return model.answer(question);
    }

    @GuardedBy(name = "llm", fallback = "apology") public String askOrApologise(String question) {
        return model.answer(question).text();
    }

    @GuardedBy("bank") public CompletionStage<String> pay(String receiver) {
        return CompletableFuture.supplyAsync(() -> model.answer(receiver).text());
    }

    @GuardedBy("stream") public Mono<String> subscribe(String question) {
        return Mono.fromSupplier(() -> model.answer(question).text());
    }

    private String apology(String question, CallNotPermittedException refusal) {
        return "no answer to '" + question + "', " + refusal.name() + " is " + refusal.state();
    }
}
