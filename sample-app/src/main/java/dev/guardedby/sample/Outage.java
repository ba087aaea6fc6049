package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Cost;
import dev.guardedby.circuitbreaker.Refusal;
import java.time.Duration;
import java.util.Collections;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.springframework.web.client.RestClientException;

/** An outage in a few seconds: the model fails, the breaker cuts it off, the model heals, the breaker lets calls pass again. */
final class Outage {
    /** Where it stops, whatever the settings: nobody waits five minutes for a breaker to recover. */
    private static final Duration LIMIT = Duration.ofSeconds(12);

    private static final Duration BETWEEN_CALLS = Duration.ofMillis(150);
    private static final Duration JUST_AFTER = Duration.ofMillis(5);
    private static final int MANY = 1_000;
    private static final int AT_ONCE = 5;

    private final AssistantService assistant;
    private final CircuitBreaker breaker;
    private final LoopbackModel model;
    private final Narrator narrator;
    private final Pace pace;

    Outage(AssistantService assistant, CircuitBreaker breaker, LoopbackModel model, Narrator narrator, Pace pace) {
        this.assistant = assistant;
        this.breaker = breaker;
        this.model = model;
        this.narrator = narrator;
        this.pace = pace;
    }

    /** Plays it, and leaves a healthy model behind. */
    void play() throws InterruptedException, ExecutionException {
        try {
            failAndBeCutOff();
            recover();
        } catch (OutOfTime e) {
            narrator.event("the story stops here: " + e.getMessage());
        } finally {
            model.become(LoopbackModel.Mood.HEALTHY);
        }
    }

    private void failAndBeCutOff() throws InterruptedException, OutOfTime {
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
        askManyTimes("Is anybody there?");
    }

    private void recover() throws InterruptedException, ExecutionException, OutOfTime {
        pauseUntilDue();
        ask("Have you recovered?");

        pause(BETWEEN_CALLS);
        model.become(LoopbackModel.Mood.HEALTHY);
        narrator.event("the model is healthy again; no call finds out before the wait is over");
        ask("Have you recovered?");

        pauseUntilDue();
        askAtOnce("Have you recovered?");

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
            String after = since(started);
            narrator.calls(
                    Cost.ZERO,
                    String.format(
                            "failed in %s: %s (%d in a row)",
                            after, ModelClient.inWords(failure), breaker.stats().consecutiveFailures()));
        }
        narrator.catchUp();
    }

    private void askManyTimes(String question) {
        long reachedBefore = model.requests();
        long started = System.nanoTime();
        Cost spent = Cost.ZERO;
        int refused = 0;
        for (int i = 0; i < MANY; i++) {
            Optional<Cost> cost = costUnlessRefused(question);
            spent = spent.plus(cost.orElse(Cost.ZERO));
            refused += cost.isEmpty() ? 1 : 0;
        }
        narrator.calls(
                spent,
                String.format(
                        Locale.ROOT,
                        "%,d more calls in %s: %,d refused, %d reached the model",
                        MANY,
                        since(started),
                        refused,
                        model.requests() - reachedBefore));
        narrator.catchUp();
    }

    private void askAtOnce(String question) throws InterruptedException, ExecutionException {
        ExecutorService callers = Executors.newFixedThreadPool(AT_ONCE);
        try {
            Callable<Optional<Cost>> caller = () -> costUnlessRefused(question);
            Cost spent = Cost.ZERO;
            int refused = 0;
            for (Future<Optional<Cost>> call : callers.invokeAll(Collections.nCopies(AT_ONCE, caller))) {
                spent = spent.plus(call.get().orElse(Cost.ZERO));
                refused += call.get().isEmpty() ? 1 : 0;
            }
            narrator.calls(
                    spent,
                    String.format(
                            Locale.ROOT,
                            "%d callers at once: %d went through, %d refused",
                            AT_ONCE,
                            AT_ONCE - refused,
                            refused));
            narrator.catchUp();
        } finally {
            callers.shutdownNow();
        }
    }

    private Optional<Cost> costUnlessRefused(String question) {
        try {
            // The model on loopback always says.
            return Optional.of(Objects.requireNonNull(assistant.ask(question).cost()));
        } catch (CallNotPermittedException refusal) {
            return Optional.empty();
        } catch (RestClientException failure) {
            return Optional.of(Cost.ZERO);
        }
    }

    private void pauseUntilDue() throws InterruptedException, OutOfTime {
        pause(breaker.refusal()
                .flatMap(Refusal::retryAfter)
                .orElse(Duration.ZERO)
                .plus(JUST_AFTER));
    }

    private void pause(Duration duration) throws InterruptedException, OutOfTime {
        if (narrator.sinceBegin().plus(duration).compareTo(LIMIT) > 0) {
            throw new OutOfTime("it may take " + Narrator.inWords(LIMIT) + ", but the breaker's recovery-timeout is "
                    + Narrator.inWords(breaker.recoveryTimeout()));
        }
        pace.pause(duration);
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
