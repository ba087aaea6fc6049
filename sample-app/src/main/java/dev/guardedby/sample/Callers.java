package dev.guardedby.sample;

import com.openai.errors.OpenAIException;
import dev.guardedby.circuitbreaker.BudgetStatus;
import dev.guardedby.circuitbreaker.CallNotPermittedException;
import dev.guardedby.circuitbreaker.CircuitBreaker;
import java.time.Duration;
import java.util.Collections;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/** Those who ask the assistant in the story; what becomes of it is told in a row. */
final class Callers {
    /** Where the story stops, whatever the settings: nobody waits five minutes for a breaker to recover. */
    private static final Duration LIMIT = Duration.ofSeconds(14);

    private static final Duration BETWEEN_CALLS = Duration.ofMillis(100);

    private final AssistantService assistant;
    private final CircuitBreaker breaker;
    private final LoopbackModel model;
    private final Narrator narrator;
    private final Pace pace;

    Callers(AssistantService assistant, CircuitBreaker breaker, LoopbackModel model, Narrator narrator, Pace pace) {
        this.assistant = assistant;
        this.breaker = breaker;
        this.model = model;
        this.narrator = narrator;
        this.pace = pace;
    }

    /** How the money of the day stands. */
    BudgetStatus budget() {
        return breaker.budgets().get(0);
    }

    /** One asks; whether it was answered. */
    boolean ask(String question) throws InterruptedException, OutOfTime {
        return call(() -> {
            long started = System.nanoTime();
            String text = assistant.ask(question);
            return model.lastModel() + " in " + since(started) + ": " + text;
        });
    }

    /** One asks and reads the answer while it comes; whether it was answered. */
    boolean stream(String question) throws InterruptedException, OutOfTime {
        return call(() -> {
            long started = System.nanoTime();
            var pieces = Objects.requireNonNull(
                    assistant.stream(question).collectList().block());
            return model.lastModel() + " in " + since(started) + ", streamed in " + pieces.size() + " pieces: "
                    + String.join("", pieces);
        });
    }

    private boolean call(Supplier<String> answered) throws InterruptedException, OutOfTime {
        pause(BETWEEN_CALLS);
        long started = System.nanoTime();
        boolean isAnswered = false;
        String how;
        try {
            how = answered.get();
            isAnswered = true;
        } catch (CallNotPermittedException refusal) {
            how = "refused in " + since(started) + ": " + refusal.refusal().message();
        } catch (OpenAIException failure) {
            how = String.format(
                    "failed in %s: %s (%d in a row)",
                    since(started),
                    ModelFailure.inWords(failure),
                    breaker.stats().consecutiveFailures());
        }
        narrator.calls(budget(), how);
        narrator.catchUp();
        return isAnswered;
    }

    /** One asks again and again, and does not wait in between. */
    void askManyTimes(int times, String question) {
        long reachedBefore = model.requests();
        long started = System.nanoTime();
        int refused = 0;
        for (int i = 0; i < times; i++) {
            refused += isRefused(question) ? 1 : 0;
        }
        narrator.calls(
                budget(),
                String.format(
                        Locale.ROOT,
                        "%,d more calls in %s: %,d refused, %d reached the model",
                        times,
                        since(started),
                        refused,
                        model.requests() - reachedBefore));
        narrator.catchUp();
    }

    /** So many ask at once. */
    void askAtOnce(int callers, String question) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(callers);
        try {
            Callable<Boolean> caller = () -> isRefused(question);
            int refused = 0;
            for (Future<Boolean> call : threads.invokeAll(Collections.nCopies(callers, caller))) {
                refused += call.get() ? 1 : 0;
            }
            narrator.calls(
                    budget(),
                    String.format(
                            Locale.ROOT,
                            "%d callers at once: %d went through, %d refused",
                            callers,
                            callers - refused,
                            refused));
            narrator.catchUp();
        } finally {
            threads.shutdownNow();
        }
    }

    private boolean isRefused(String question) {
        try {
            String unused = assistant.ask(question);
            return false;
        } catch (CallNotPermittedException refusal) {
            return true;
        } catch (OpenAIException failure) {
            return false;
        }
    }

    /** Lets that much time pass, of the story's. */
    void pause(Duration duration) throws InterruptedException, OutOfTime {
        if (narrator.sinceBegin().plus(duration).compareTo(LIMIT) > 0) {
            throw new OutOfTime("it may take " + Narrator.inWords(LIMIT) + ", but what comes next is "
                    + Narrator.inWords(duration) + " away");
        }
        pace.pause(duration);
    }

    private static String since(long started) {
        return Narrator.inWords(Duration.ofNanos(System.nanoTime() - started));
    }

    /** The story may not take that long. */
    static final class OutOfTime extends Exception {
        private static final long serialVersionUID = 1;

        OutOfTime(String message) {
            super(message);
        }
    }
}
