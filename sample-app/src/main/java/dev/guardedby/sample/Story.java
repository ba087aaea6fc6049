package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.CircuitBreakerRegistry;
import dev.guardedby.circuitbreaker.CircuitBreakerStats;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Refusal;
import java.time.Duration;
import java.util.Collections;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClientException;

/**
 * An outage in a few seconds: the model fails, the breaker cuts it off, the model heals, the breaker lets calls through
 * again. Told once, when the application is ready, on a thread of its own.
 */
@Component
final class Story implements AutoCloseable {
    /** Where the story stops, whatever the settings: nobody waits five minutes for a breaker to recover. */
    private static final Duration LIMIT = Duration.ofSeconds(12);

    private static final Duration BETWEEN_CALLS = Duration.ofMillis(200);
    private static final Duration JUST_AFTER = Duration.ofMillis(5);
    private static final int MANY = 1_000;
    private static final int CALLERS_AT_ONCE = 5;

    private final SampleProperties properties;
    private final AssistantService assistant;
    private final ModelEndpoint endpoint;
    private final CircuitBreaker breaker;
    private final Narrator narrator;
    private final CompletableFuture<Void> told = new CompletableFuture<>();
    private final Thread teller = new Thread(this::run, "story");
    private volatile String address = "";

    Story(
            SampleProperties properties,
            AssistantService assistant,
            ModelEndpoint endpoint,
            CircuitBreakerRegistry breakers,
            Narrator narrator) {
        this.properties = properties;
        this.assistant = assistant;
        this.endpoint = endpoint;
        this.breaker = breakers.get("llm");
        this.narrator = narrator;
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
                narrator.say("A real provider is asked at " + endpoint.baseUrl() + ", so no story of outages is played.");
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
        introduce();
        narrator.beginStory();
        try {
            outage(model);
        } catch (OutOfTime e) {
            narrator.event("the story stops here: " + e.getMessage());
        } finally {
            model.become(LoopbackModel.Mood.HEALTHY);
            narrator.endStory();
        }
        summary();
    }

    private void introduce() {
        narrator.say("");
        narrator.say("GuardedBy, the sample: an assistant asks a language model over HTTP, behind the circuit breaker 'llm'.");
        narrator.say("The model is a server inside this application: POST " + endpoint.baseUrl() + "/chat/completions");
        narrator.say("");
    }

    private void outage(LoopbackModel model) throws InterruptedException, ExecutionException, OutOfTime {
        narrator.event("the model is healthy, calls pass");
        for (int i = 0; i < 3; i++) {
            ask("What does a circuit breaker do?");
            pause(BETWEEN_CALLS);
        }

        model.become(LoopbackModel.Mood.FAILING);
        narrator.event("the model begins to fail: it answers 500 from now on");
        for (int i = 0; i < breaker.failureThreshold() && breaker.refusal().isEmpty(); i++) {
            pause(BETWEEN_CALLS);
            ask("Is anybody there?");
        }

        pause(BETWEEN_CALLS);
        ask("Is anybody there?");
        askManyTimes(model);

        pauseUntilDue();
        ask("Have you recovered?");

        pause(BETWEEN_CALLS);
        model.become(LoopbackModel.Mood.HEALTHY);
        narrator.event("the model is healthy again; no call finds out before the wait is over");
        ask("Have you recovered?");

        pauseUntilDue();
        askAtOnce();

        for (int i = 0; i < 2; i++) {
            pause(BETWEEN_CALLS);
            ask("What is half-open?");
        }
    }

    private void ask(String question) {
        long started = System.nanoTime();
        try {
            Answer answer = assistant.ask(question);
            narrator.calls(answer.cost(), "answered in " + since(started) + ": " + answer.text());
        } catch (CallNotPermittedException refusal) {
            narrator.calls(Cost.ZERO, "refused in " + since(started) + ": " + refusal.getMessage());
        } catch (RestClientException failure) {
            narrator.calls(Cost.ZERO, "failed in " + since(started) + ": " + ModelClient.inWords(failure)
                    + " (" + breaker.stats().consecutiveFailures() + " in a row)");
        }
        narrator.catchUp();
    }

    private void askManyTimes(LoopbackModel model) {
        long reachedBefore = model.requests();
        long started = System.nanoTime();
        Cost spent = Cost.ZERO;
        long refused = 0;
        for (int i = 0; i < MANY; i++) {
            Optional<Cost> cost = costUnlessRefused("Is anybody there?");
            spent = spent.plus(cost.orElse(Cost.ZERO));
            refused += cost.isEmpty() ? 1 : 0;
        }
        narrator.calls(
                spent,
                String.format(
                        Locale.ROOT,
                        "%,d of %,d more calls refused, in %s together; %d of them reached the model",
                        refused,
                        MANY,
                        since(started),
                        model.requests() - reachedBefore));
        narrator.catchUp();
    }

    private void askAtOnce() throws InterruptedException, ExecutionException {
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS_AT_ONCE);
        try {
            Callable<Optional<Cost>> caller = () -> costUnlessRefused("Have you recovered?");
            Cost spent = Cost.ZERO;
            int refused = 0;
            for (Future<Optional<Cost>> call : callers.invokeAll(Collections.nCopies(CALLERS_AT_ONCE, caller))) {
                spent = spent.plus(call.get().orElse(Cost.ZERO));
                refused += call.get().isEmpty() ? 1 : 0;
            }
            narrator.calls(
                    spent,
                    String.format(
                            Locale.ROOT,
                            "%d callers at once: %d went through, %d refused",
                            CALLERS_AT_ONCE,
                            CALLERS_AT_ONCE - refused,
                            refused));
            narrator.catchUp();
        } finally {
            callers.shutdownNow();
        }
    }

    private Optional<Cost> costUnlessRefused(String question) {
        try {
            return Optional.of(assistant.ask(question).cost());
        } catch (CallNotPermittedException refusal) {
            return Optional.empty();
        } catch (RestClientException failure) {
            return Optional.of(Cost.ZERO);
        }
    }

    private void summary() {
        CircuitBreakerStats stats = breaker.stats();
        narrator.say("");
        narrator.say(String.format(
                Locale.ROOT, "In all: %d answered, %d failed, %,d refused; opened %s, closed again %s.",
                stats.totalSuccesses(), stats.totalFailures(), stats.totalRejected(),
                times(stats.timesOpened()), times(stats.timesClosed())));
        narrator.say(String.format(
                Locale.ROOT, "Spent: %d tokens in, %d tokens out, %s USD at the price of gpt-4.1-mini.",
                stats.totalInputTokens(), stats.totalOutputTokens(), stats.totalEstimatedCost().toPlainString()));
    }

    private void addresses(boolean onLoopback) {
        narrator.say("");
        narrator.say("Nothing more happens until somebody asks. Worth opening:");
        narrator.say("  the assistant   " + address + "/");
        narrator.say("  the breaker     " + address + "/actuator/guardedby");
        narrator.say("  one number      " + address + "/actuator/metrics/guardedby.stats.total.successes");
        narrator.say("  all numbers     " + address + "/actuator/prometheus");
        narrator.say("  ask             curl '" + address + "/ask?q=What+is+half-open'");
        if (onLoopback) {
            narrator.say("  break it        curl -X POST " + address + "/model/failing    (slow, rate-limited, healthy)");
        }
    }

    private void pauseUntilDue() throws InterruptedException, OutOfTime {
        pause(breaker.refusal().flatMap(Refusal::retryAfter).orElse(Duration.ZERO).plus(JUST_AFTER));
    }

    private void pause(Duration duration) throws InterruptedException, OutOfTime {
        if (narrator.sinceBegin().plus(duration).compareTo(LIMIT) > 0) {
            throw new OutOfTime("it may take " + Narrator.inWords(LIMIT) + ", but the breaker's recovery-timeout is "
                    + Narrator.inWords(breaker.recoveryTimeout()));
        }
        TimeUnit.NANOSECONDS.sleep(duration.toNanos());
    }

    private static String times(long count) {
        return count == 1 ? "once" : count == 2 ? "twice" : count + " times";
    }

    private static String since(long started) {
        return Narrator.inWords(Duration.ofNanos(System.nanoTime() - started));
    }

    private static final class OutOfTime extends Exception {
        private static final long serialVersionUID = 1;

        OutOfTime(String message) {
            super(message);
        }
    }
}
