package dev.guardedby.sample;

import dev.guardedby.spring.GuardedBy;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.stereotype.Service;
import org.springframework.util.StringUtils;
import reactor.core.publisher.Flux;

/** Answers questions with a language model, as long as the circuit breaker {@code llm} lets it. */
@Service
class AssistantService { // not final: the guard is a subclass
    private final ChatClient model;

    AssistantService(ChatClient model) {
        this.model = model;
    }

    /** The model's answer; throws {@code CallNotPermittedException} while the breaker is open or its budget is spent. */
    @GuardedBy("llm") public String ask(String question) {
        String text = model.prompt(question).call().content();
        if (!StringUtils.hasText(text)) {
            throw new NoTextException(); // a failure that is paid for all the same
        }
        return text;
    }

    /** The model's answer, piece by piece; each subscription is a call. */
    @GuardedBy("llm") public Flux<String> stream(String question) {
        return model.prompt(question).stream().content();
    }
}
