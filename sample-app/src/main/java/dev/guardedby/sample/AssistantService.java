package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.spring.CostRecorder;
import dev.guardedby.spring.GuardedBy;
import org.springframework.stereotype.Service;

/** Answers questions with a language model, as long as the circuit breaker {@code llm} lets it. */
@Service
class AssistantService { // not final: the guard is a subclass
    private final ModelClient model;
    private final CostRecorder costs;

    AssistantService(ModelClient model, CostRecorder costs) {
        this.model = model;
        this.costs = costs;
    }

    /** The model's answer; throws {@code CallNotPermittedException} at once while the breaker refuses calls. */
    @GuardedBy("llm") public Answer ask(String question) {
        Completion completion = model.complete(question);
        // An unknown cost is not zero: where the model did not say, nothing is recorded.
        Cost cost = completion.usage() == null ? null : ModelPrice.of(completion.usage());
        if (cost != null) {
            costs.record(cost); // before the text is looked at: an answer without one is paid for all the same
        }
        return new Answer(completion.text(), cost);
    }
}
