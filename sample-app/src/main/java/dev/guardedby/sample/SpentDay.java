package dev.guardedby.sample;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ExecutionException;

/** A day whose money runs out: a cheaper model takes over, then calls are refused, until the next day begins. */
final class SpentDay {
    /** How many calls are made at most of either model, should the budget be larger than that of the story. */
    private static final int MOST = 12;

    private static final int AT_ONCE = 20;
    /** What is left of the day passes in that much time. */
    private static final Duration NIGHT = Duration.ofSeconds(1);

    private final Callers callers;
    private final LoopbackModel model;
    private final StoryClock clock;
    private final Narrator narrator;

    SpentDay(Callers callers, LoopbackModel model, StoryClock clock, Narrator narrator) {
        this.callers = callers;
        this.model = model;
        this.clock = clock;
        this.narrator = narrator;
    }

    void play() throws InterruptedException, ExecutionException, Callers.OutOfTime {
        narrator.event("the day goes on, and its money is spent");
        if (spendUntilTheCheaperModelAnswers() && spendTheRest()) {
            awaitTomorrow();
        } else {
            narrator.event("the budget is too large to be spent in a story");
        }
    }

    private boolean spendUntilTheCheaperModelAnswers() throws InterruptedException, Callers.OutOfTime {
        String usual = model.lastModel();
        for (int i = 0; i < MOST && model.lastModel().equals(usual); i++) {
            callers.ask("What does a circuit breaker do?");
        }
        return !model.lastModel().equals(usual);
    }

    private boolean spendTheRest() throws InterruptedException, ExecutionException, Callers.OutOfTime {
        narrator.event("the cheaper model has taken over; a streamed answer is paid for, too");
        callers.stream("What is a token?");
        callers.askAtOnce(AT_ONCE, "What is a token?");
        for (int i = 0; i < MOST; i++) {
            if (!callers.ask("What is half-open?")) {
                return true;
            }
        }
        return false;
    }

    private void awaitTomorrow() throws InterruptedException, Callers.OutOfTime {
        Instant midnight = callers.budget().resetsAt();
        if (midnight == null) {
            narrator.event("the budget has no day that could end");
            return;
        }
        narrator.event("the clock runs fast now: the rest of the day takes " + Narrator.inWords(NIGHT));
        clock.hurryTo(midnight, NIGHT);
        try {
            callers.pause(NIGHT.dividedBy(2));
            callers.ask("Is it tomorrow?");
            callers.pause(NIGHT.dividedBy(2));
        } finally {
            clock.runNormally();
        }
        narrator.event("a new day has begun, with money of its own");
        callers.ask("What is half-open?");
    }
}
