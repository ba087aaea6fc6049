package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** What the application tells of itself once it is ready, on a thread of its own: an outage, a day whose money runs out, the sum, and where to look. */
@Component
final class Story implements AutoCloseable {
    private final SampleProperties properties;
    private final AssistantService assistant;
    private final ModelEndpoint endpoint;
    private final CircuitBreaker breaker;
    private final Narrator narrator;
    private final Pace pace;
    private final StoryClock clock;
    private final CompletableFuture<Void> told = new CompletableFuture<>();
    private final Thread teller = new Thread(this::run, "story");
    private volatile String address = "";

    Story(
            SampleProperties properties,
            AssistantService assistant,
            ModelEndpoint endpoint,
            CircuitBreakerRegistry breakers,
            Narrator narrator,
            Pace pace,
            StoryClock clock) {
        this.properties = properties;
        this.assistant = assistant;
        this.endpoint = endpoint;
        this.breaker = breakers.get("llm");
        this.narrator = narrator;
        this.pace = pace;
        this.clock = clock;
        teller.setDaemon(true);
    }

    @EventListener
    void begin(ApplicationReadyEvent ready) {
        Environment environment = ready.getApplicationContext().getEnvironment();
        address = "http://localhost:" + environment.getProperty("local.server.port");
        teller.start();
    }

    /** Completes when there is no more to come. */
    CompletableFuture<Void> told() {
        return told;
    }

    @Override
    public void close() {
        teller.interrupt();
    }

    private void run() {
        try {
            Optional<LoopbackModel> model = endpoint.loopback();
            if (model.isEmpty()) {
                narrator.say("");
                narrator.say("A real provider is asked, " + endpoint.baseUrl() + ", so no story of outages is played.");
            } else if (properties.story()) {
                tell(model.get());
            }
            addresses(model.isPresent());
            told.complete(null);
        } catch (InterruptedException e) {
            told.cancel(false); // the application stops, and so does the story
        } catch (ExecutionException | RuntimeException e) {
            told.completeExceptionally(e);
            throw new IllegalStateException("the story is broken", e);
        }
    }

    private void tell(LoopbackModel model) throws InterruptedException, ExecutionException {
        narrator.say("");
        narrator.say("An assistant asks a language model over HTTP, guarded by the circuit breaker 'llm'.");
        narrator.say("The model is a server inside this application: POST " + endpoint.baseUrl() + "/chat/completions");
        narrator.say("");
        narrator.beginStory();
        Callers callers = new Callers(assistant, breaker, model, narrator, pace);
        try {
            new Outage(callers, breaker, model, narrator).play();
            new SpentDay(callers, model, clock, narrator).play();
        } catch (Callers.OutOfTime e) {
            narrator.event("the story stops here: " + e.getMessage());
        } finally {
            narrator.endStory();
        }

        CircuitBreakerStats stats = breaker.stats();
        narrator.say("");
        narrator.say(String.format(
                Locale.ROOT,
                "In all: %d answered, %d failed, %,d refused; opened %s, closed again %s.",
                stats.totalSuccesses(),
                stats.totalFailures(),
                stats.totalRejected(),
                times(stats.timesOpened()),
                times(stats.timesClosed())));
        narrator.say(String.format(
                Locale.ROOT,
                "Spent: %d tokens in, %d tokens out, %s USD.",
                stats.totalInputTokens(),
                stats.totalOutputTokens(),
                stats.totalEstimatedCost().toPlainString()));
        BudgetStatus budget = callers.budget();
        narrator.say("Left of the day's money: "
                + budget.limit().subtract(budget.spent()).toPlainString() + " of "
                + budget.limit().toPlainString() + " USD.");
    }

    private void addresses(boolean onLoopback) {
        narrator.say("");
        narrator.say("Nothing more happens until somebody asks. Worth opening:");
        narrator.say("  the assistant   " + address + "/");
        narrator.say("  the breaker     " + address + "/actuator/guardedby");
        narrator.say("  one number      " + address + "/actuator/metrics/guardedby.stats.total.successes");
        narrator.say("  all numbers     " + address + "/actuator/prometheus");
        narrator.say("  ask it          curl '" + address + "/ask?q=What+is+half-open'");
        narrator.say("  read along      curl -N '" + address + "/ask/stream?q=What+is+a+token'");
        if (onLoopback) {
            narrator.say(
                    "  break it        curl -X POST " + address + "/model/failing   (slow, rate-limited, healthy)");
        }
    }

    private static String times(long count) {
        return count == 1 ? "once" : count == 2 ? "twice" : count + " times";
    }
}
