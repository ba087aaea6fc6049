package dev.guardedby.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.guardedby.circuitbreaker.Soaked.Tally;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** One thread of {@link SoakTest}: calls of all shapes and ends, operators and live changes, and its own count of them. */
final class SoakingThread {
    private static final int KEPT_BACK = 3;
    private static final long LENGTH_OF_AN_OUTAGE = 50_000_000;

    private final IOException down = new IOException("down");
    private final IllegalArgumentException callersFault = new IllegalArgumentException("the caller's fault");
    private final List<Soaked> breakers;
    private final Random random;
    private final Queue<Throwable> thrown;
    private final List<Tally> tallies = new ArrayList<>();
    /** Calls that are under way for a while, by breaker: each is ended by its own Runnable. */
    private final List<Deque<Runnable>> kept = new ArrayList<>();

    SoakingThread(List<Soaked> breakers, Random random, Queue<Throwable> thrown) {
        this.breakers = breakers;
        this.random = random;
        this.thrown = thrown;
        for (int i = 0; i < breakers.size(); i++) {
            tallies.add(new Tally());
            kept.add(new ArrayDeque<>());
        }
    }

    Tally tally(int breaker) {
        return tallies.get(breaker);
    }

    void work(long start, long length) {
        try {
            for (long now = start; now - start < length; now = System.nanoTime()) {
                int at = random.nextInt(breakers.size());
                // Half the time the remote is down: breakers trip, and recover when it is up again.
                boolean isDown = (now / LENGTH_OF_AN_OUTAGE + at) % 2 == 0;
                int chance = random.nextInt(10_000);
                if (chance < 2) {
                    operate(breakers.get(at).breaker);
                } else if (chance < 4) {
                    change(breakers.get(at).breaker);
                } else if (chance < 10) {
                    LockSupport.parkNanos(random.nextInt(3_000_000));
                } else {
                    call(at, isDown ? 1 + random.nextInt(10) : random.nextInt(100) + 5);
                }
            }
        } catch (Throwable unexpected) {
            thrown.add(unexpected);
        }
    }

    void endKept(int at) {
        while (!kept.get(at).isEmpty()) {
            kept.get(at).poll().run();
        }
    }

    /** Calls once; the lower the luck, the worse it ends. */
    private void call(int at, int luck) {
        Tally tally = tallies.get(at);
        CircuitBreaker breaker = breakers.get(at).breaker;
        Outcome outcome = luck <= 8 ? Outcome.FAILURE : luck <= 12 ? Outcome.IGNORED : Outcome.SUCCESS;
        int shape = random.nextInt(100);
        if (shape < 60) {
            run(
                    tally,
                    breaker,
                    outcome,
                    shape == 0 ? () -> run(tally, breaker, Outcome.SUCCESS, () -> {}) : slowly(shape));
        } else if (shape < 85) {
            permit(at, tally, breaker, outcome, shape < 70);
        } else if (breakers.get(at).isManual) {
            manual(tally, breaker, outcome);
        } else {
            future(at, tally, breaker, outcome, shape < 90);
        }
        if (shape == 99) {
            // Reads change nothing.
            assertThat(breaker.stats().toMap()).containsKey("totalSuccesses");
            Optional<Refusal> unused = breaker.refusal();
        }
    }

    private Runnable slowly(int shape) {
        return shape == 1 && random.nextInt(20) == 0 ? () -> LockSupport.parkNanos(1_000_000) : () -> {};
    }

    private void run(Tally tally, CircuitBreaker breaker, Outcome outcome, Runnable body) {
        boolean[] admitted = {false};
        try {
            breaker.run(() -> {
                admitted[0] = true;
                body.run();
                switch (outcome) {
                    case SUCCESS -> {}
                    case FAILURE -> throw down;
                    case IGNORED -> throw callersFault;
                }
            });
        } catch (CallNotPermittedException refused) {
            // A call inside swallows its own refusal.
            assertThat(admitted[0]).isFalse();
            tally.refused++;
            return;
        } catch (Exception expected) {
            assertThat(expected).isIn(down, callersFault);
        }
        tally.ended(outcome);
    }

    private void permit(int at, Tally tally, CircuitBreaker breaker, Outcome outcome, boolean later) {
        Optional<Permit> taken = breaker.tryAcquire();
        if (taken.isEmpty()) {
            tally.refused++;
            return;
        }
        tally.admitted++;
        Permit permit = taken.get();
        int way = random.nextInt(3);
        end(at, tally, later, () -> {
            switch (outcome) {
                case SUCCESS -> permit.success("answer");
                case FAILURE -> permit.failure(down);
                case IGNORED -> {
                    switch (way) {
                        case 0 -> permit.ignore();
                        case 1 -> permit.cancel();
                        default -> {
                            permit.close();
                            tally.unreported++;
                        }
                    }
                }
            }
            // No report but the first counts.
            permit.success();
            permit.close();
            tally.count(outcome);
        });
    }

    private void future(int at, Tally tally, CircuitBreaker breaker, Outcome outcome, boolean later) {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> guarded = breaker.callAsync(() -> stage);
        if (guarded.isDone()) {
            assertThat(guarded).isCompletedExceptionally();
            assertThat(guarded.handle((answer, refused) -> refused).join())
                    .isInstanceOf(CallNotPermittedException.class);
            tally.refused++;
            return;
        }
        tally.admitted++;
        end(at, tally, later, () -> {
            boolean first = switch (outcome) {
                case SUCCESS -> stage.complete("answer");
                case FAILURE -> stage.completeExceptionally(down);
                case IGNORED -> guarded.cancel(true);
            };
            assertThat(first && guarded.isDone()).as("ended by nobody else").isTrue();
            tally.count(outcome);
        });
    }

    /** Ends a call now, or keeps it under way for a while, so that it may come back slow, late or stale. */
    private void end(int at, Tally tally, boolean later, Runnable end) {
        if (!later) {
            end.run();
            return;
        }
        tally.keptBack++;
        kept.get(at).add(() -> {
            end.run();
            tally.keptBack--;
        });
        if (kept.get(at).size() > KEPT_BACK) {
            kept.get(at).poll().run();
        }
    }

    private static void manual(Tally tally, CircuitBreaker breaker, Outcome outcome) {
        if (!breaker.canExecute()) {
            tally.refused++;
            return;
        }
        switch (outcome) {
            case SUCCESS -> breaker.recordSuccess();
            case FAILURE -> breaker.recordFailure();
            case IGNORED -> {
                // A caller that never reports: its slot, if it has one, is freed by the lease.
                return;
            }
        }
        tally.manual++;
        tally.count(outcome);
    }

    private void operate(CircuitBreaker breaker) {
        switch (random.nextInt(8)) {
            case 0, 1 -> breaker.reset();
            case 2 -> breaker.forceClose();
            case 3, 4 -> breaker.forceOpen();
            case 5 -> {
                breaker.holdOpen();
                LockSupport.parkNanos(1_000_000);
                breaker.reset();
            }
            case 6 -> {
                breaker.mode(Mode.OBSERVE);
                breaker.mode(Mode.ENFORCE);
            }
            default -> {
                breaker.mode(Mode.DISABLED);
                LockSupport.parkNanos(100_000);
                breaker.mode(Mode.ENFORCE);
            }
        }
    }

    private void change(CircuitBreaker breaker) {
        int size = 20 + random.nextInt(50);
        switch (breaker.name().replace("-told", "")) {
            case "count-window" ->
                breaker.reconfigure(settings -> settings.window(size).minimumCalls(size / 2));
            case "time-window" -> breaker.reconfigure(settings -> settings.window(Duration.ofMillis(3L * size)));
            case "slow-calls" ->
                breaker.reconfigure(settings -> settings.slowCallDuration(Duration.ofNanos(size * 20_000L)));
            case "ramp-up" -> breaker.reconfigure(settings -> settings.rampUp(Duration.ofMillis(size)));
            default -> breaker.reconfigure(settings -> settings.failureThreshold(size / 10));
        }
    }
}
