package dev.guardedby.sample;

import dev.guardedby.circuitbreaker.CircuitBreaker;
import dev.guardedby.circuitbreaker.Refusal;
import java.time.Duration;
import java.util.concurrent.ExecutionException;

/** An outage in a few seconds: the model fails, the breaker cuts it off, the model heals, the breaker lets calls pass again. */
final class Outage {
    private static final Duration JUST_AFTER = Duration.ofMillis(5);
    private static final int MANY = 1_000;
    private static final int AT_ONCE = 5;

    private final Callers callers;
    private final CircuitBreaker breaker;
    private final LoopbackModel model;
    private final Narrator narrator;

    Outage(Callers callers, CircuitBreaker breaker, LoopbackModel model, Narrator narrator) {
        this.callers = callers;
        this.breaker = breaker;
        this.model = model;
        this.narrator = narrator;
    }

    /** Plays it, and leaves a healthy model behind. */
    void play() throws InterruptedException, ExecutionException, Callers.OutOfTime {
        try {
            failAndBeCutOff();
            recover();
        } finally {
            model.become(LoopbackModel.Mood.HEALTHY);
        }
    }

    private void failAndBeCutOff() throws InterruptedException, Callers.OutOfTime {
        narrator.event("the model is healthy, calls pass");
        callers.ask("What does a circuit breaker do?");
        callers.ask("What is half-open?");

        model.become(LoopbackModel.Mood.FAILING);
        narrator.event("the model begins to fail: it answers 500 from now on");
        for (int i = 0; i < breaker.failureThreshold() && breaker.refusal().isEmpty(); i++) {
            callers.ask("Is anybody there?");
        }

        callers.ask("Is anybody there?");
        callers.askManyTimes(MANY, "Is anybody there?");
    }

    private void recover() throws InterruptedException, ExecutionException, Callers.OutOfTime {
        pauseUntilDue();
        callers.ask("Have you recovered?");

        model.become(LoopbackModel.Mood.HEALTHY);
        narrator.event("the model is healthy again; no call finds out before the wait is over");
        callers.ask("Have you recovered?");

        pauseUntilDue();
        callers.askAtOnce(AT_ONCE, "Have you recovered?");
    }

    private void pauseUntilDue() throws InterruptedException, Callers.OutOfTime {
        callers.pause(breaker.refusal()
                .flatMap(Refusal::retryAfter)
                .orElse(Duration.ZERO)
                .plus(JUST_AFTER));
    }
}
